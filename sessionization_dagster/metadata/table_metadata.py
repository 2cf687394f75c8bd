"""The UI's metadata of a table after a run: rows, sessions and visitors of each day, its columns, and a few of its rows.

Two statements cover all tables of a step, because they run after every step.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import dagster as dg

from sessionization_dagster.dbt.manifest import Manifest, Table
from sessionization_dagster.metadata.markdown import LONGEST_VALUE, markdown_table
from sessionization_dagster.warehouses.base import TableDescription, Warehouse
from sessionization_dagster.window import Window

PREVIEW_ROWS = 5
TELLING_TYPES = {"BIGINT", "INTEGER", "HUGEINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP"}
MASK = "•••"
# config.stored_by of a table whose storage is not divided by time (macros/warehouse/storage.sql).
BY_ENTITY = "entity"
_NOTHING = "cast(null as varchar)"


@dataclass(frozen=True)
class TableMetadata:
    """Metadata entries of one table's materialisations.

    Attributes:
        every: entries of each partition.
        newest: further entries of the run's last partition, which the asset's page shows first. They are long: repeated for each day of
            a backfill, they would fill most of the event log.
        by_day: a day's own numbers. A day without rows has no entry.
        countable: the labels of by_day that the table has numbers for.
    """

    every: dict[str, Any]
    newest: dict[str, Any]
    by_day: dict[date, dict[str, int]] = field(default_factory=dict)
    countable: tuple[str, ...] = ()

    def of_partitions(self, partition_keys: list[str]) -> dict[str, dict[str, Any]]:
        """Partition key -> all of its entries."""
        nothing = dict.fromkeys(self.countable, 0)
        entries = {
            key: {**self.every, **nothing, **self.by_day.get(date.fromisoformat(key), {})} for key in partition_keys
        }
        entries[partition_keys[-1]].update(self.newest)
        return entries


def table_metadata(
    warehouse: Warehouse,
    manifest: Manifest,
    unique_ids: Iterable[str],
    window: Window,
    column_lineage: Mapping[str, dg.TableColumnLineage] | None = None,
) -> dict[str, TableMetadata]:
    """Return unique id -> metadata of dbt nodes that exist as tables or views."""
    found = [manifest.tables[unique_id] for unique_id in unique_ids if unique_id in manifest.tables]
    # A table stored by entity would be read completely for one day's numbers.
    tables = [table for table in found if not (warehouse.bills_reads and table.stored_by == BY_ENTITY)]
    if not tables:
        return {}
    sql = figures_sql(tables, window, is_billed=warehouse.bills_reads)
    with warehouse.connect() as connection:
        descriptions = connection.describe([table.relation for table in tables])
        rows = connection.query(sql).to_pylist() if sql else []
    answers: dict[int, list[dict[str, Any]]] = {place: [] for place in range(len(tables))}
    for row in rows:
        answers[row["place"]].append(row)
    lineage = column_lineage or {}
    return {
        table.unique_id: _metadata_of(
            table,
            descriptions[table.relation],
            answers[place],
            lineage.get(table.unique_id),
            _day_numbers(table, warehouse.bills_reads),
        )
        for place, table in enumerate(tables)
    }


def figures_sql(tables: Sequence[Table], window: Window, is_billed: bool = False) -> str:
    """One query for all tables: rows, sessions and visitors of each day of the window, and some rows as JSON.

    Empty if there is nothing to query. Where reads are billed, there are no rows as JSON, and a view has only its number of rows: this
    reads no column of the table behind it but the date, in the window's partitions.

    The yml names the columns of the day (config.date or meta.date), the session (meta.session) and the visitor (meta.visitor).
    """
    selects = []
    for place, table in enumerate(tables):
        name, day = table.full_name, table.date
        in_window = f" where {_within(table, day, window)}" if day else ""
        if day:
            asked = _day_numbers(table, is_billed).values()
            numbers = ", ".join(
                f"{_distinct(expression if label in asked else None)} as {label}"
                for label, expression in (("session_count", table.session), ("visitor_count", table.visitor))
            )
            selects.append(
                f"select {place} as place, {day} as day, count(*) as row_count, {numbers}, {_NOTHING} as preview "
                f"from {name}{in_window} group by {day}"
            )
        if not is_billed:
            selects.append(
                f"select {place} as place, cast(null as date) as day, null as row_count, null as session_count, null as visitor_count, "
                f"cast(to_json(preview) as varchar) as preview "
                f"from (select * from {name}{in_window} limit {PREVIEW_ROWS}) as preview"
            )
    return " union all ".join(selects)


def _within(table: Table, day: str, window: Window) -> str:
    """The condition that a row's day is in the window. If storage is divided by a timestamp, the condition bounds the timestamp too."""
    bounds = [f"{day} >= date '{window.start}'", f"{day} < date '{window.end}'"]
    if table.stored_by and table.stored_by != BY_ENTITY:
        spare = timedelta(days=1)
        bounds += [
            f"{table.stored_by} >= timestamp '{window.start - spare} 00:00:00'",
            f"{table.stored_by} < timestamp '{window.end + spare} 00:00:00'",
        ]
    return " and ".join(bounds)


def _metadata_of(
    table: Table,
    description: TableDescription,
    answers: list[dict[str, Any]],
    lineage: dg.TableColumnLineage | None,
    labels: Mapping[str, str],
) -> TableMetadata:
    columns = description.columns
    preview = [_masked(json.loads(row["preview"]), table, columns) for row in answers if row["preview"] is not None]
    return TableMetadata(
        every={
            **({} if description.row_count is None else {"dagster/row_count": description.row_count}),
            "dagster/table_name": table.full_name,
        },
        newest={
            "dagster/column_schema": _schema(table, columns),
            **(_lineage_entries(lineage) if lineage and lineage.deps_by_column else {}),
            **({"preview": _table(preview)} if preview else {}),
        },
        by_day={
            row["day"]: {label: row[column] for label, column in labels.items()}
            for row in answers
            if row["day"] is not None
        },
        countable=tuple(labels),
    )


def _masked(row: Mapping[str, Any], table: Table, columns: list[tuple[str, str]]) -> dict[str, Any]:
    """A row without texts that may name somebody. Dagster keeps metadata even after a person is erased from the tables.

    It shows numbers, times, and columns whose yml says that they name nobody (meta.names_nobody).
    """
    harmless = {column.name for column in table.columns.values() if column.meta.get("names_nobody")}
    return {
        name: value if value is None or type_ in TELLING_TYPES or name in harmless else MASK
        for (name, type_), value in ((column, row.get(column[0])) for column in columns)
    }


def _lineage_entries(lineage: dg.TableColumnLineage) -> dict[str, Any]:
    """Dagster's own lineage entry, which its open-source UI stores but does not draw, and the same lineage as text."""
    rows = [
        {
            "column": column,
            "made from": ", ".join(f"{'.'.join(dep.asset_key.path)}.{dep.column_name}" for dep in deps),
        }
        for column, deps in lineage.deps_by_column.items()
    ]
    return {"dagster/column_lineage": lineage, "columns_made_from": _table(rows, longest=None)}


def _table(rows: Sequence[Mapping[str, Any]], longest: int | None = LONGEST_VALUE) -> dg.MarkdownMetadataValue:
    """A Markdown table of rows that have the same keys."""
    return dg.MetadataValue.md(markdown_table(list(rows[0]), (row.values() for row in rows), longest))


def _day_numbers(table: Table, is_billed: bool) -> dict[str, str]:
    """Label -> column of figures_sql, for the numbers that are counted by day."""
    if not table.date:
        return {}
    has_only_rows = is_billed and table.is_view
    return {
        "dagster/partition_row_count": "row_count",
        **({"partition_sessions": "session_count"} if table.session and not has_only_rows else {}),
        **({"partition_visitors": "visitor_count"} if table.visitor and not has_only_rows else {}),
    }


def _distinct(expression: str | None) -> str:
    return f"count(distinct {expression})" if expression else "cast(null as bigint)"


def _schema(table: Table, columns: list[tuple[str, str]]) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name=name, type=type_, description=table.described_columns.get(name))
            for name, type_ in columns
        ]
    )
