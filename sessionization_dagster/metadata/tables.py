"""What the UI shows of a table after a run: rows, sessions and visitors of each day, its columns, and a few of its rows.

Two statements cover all tables of a step, because they run after every step.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import dagster as dg

from sessionization_dagster.dbt.nodes import described_columns, is_view, meta_of, relation_of
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
    manifest: Mapping[str, Any],
    unique_ids: Iterable[str],
    window: Window,
    column_lineage: Mapping[str, dg.TableColumnLineage] | None = None,
) -> dict[str, TableMetadata]:
    """Return unique id -> metadata of dbt nodes that exist as tables or views."""
    found = [node for node in (_find(manifest, unique_id) for unique_id in unique_ids) if node is not None]
    # A table stored by entity would be read completely for one day's numbers.
    nodes = [node for node in found if not (warehouse.bills_reads and _is_by_entity(node))]
    if not nodes:
        return {}
    sql = figures_sql(nodes, window, is_billed=warehouse.bills_reads)
    with warehouse.connect() as connection:
        tables = connection.describe([relation_of(node) for node in nodes])
        rows = connection.query(sql).to_pylist() if sql else []
    answers: dict[int, list[dict[str, Any]]] = {place: [] for place in range(len(nodes))}
    for row in rows:
        answers[row["place"]].append(row)
    lineage = column_lineage or {}
    return {
        node["unique_id"]: _metadata_of(
            node,
            tables[relation_of(node)],
            answers[place],
            lineage.get(node["unique_id"]),
            _day_numbers(node, warehouse.bills_reads),
        )
        for place, node in enumerate(nodes)
    }


def figures_sql(nodes: list[Mapping[str, Any]], window: Window, is_billed: bool = False) -> str:
    """One query for all nodes: rows, sessions and visitors of each day of the window, and some rows as JSON.

    Empty if there is nothing to query. Where reads are billed, there are no rows as JSON, and a view has only its number of rows: this
    reads no column of the table behind it but the date, in the window's partitions.

    The yml names the columns of the day (config.date or meta.date), the session (meta.session) and the visitor (meta.visitor).
    """
    selects = []
    for place, node in enumerate(nodes):
        table, day = ".".join(relation_of(node)), _date_of(node)
        in_window = f" where {_within(node, day, window)}" if day else ""
        if day:
            asked = _day_numbers(node, is_billed).values()
            numbers = ", ".join(
                f"{_distinct(meta_of(node).get(name) if f'{name}_count' in asked else None)} as {name}_count"
                for name in ("session", "visitor")
            )
            selects.append(
                f"select {place} as place, {day} as day, count(*) as row_count, {numbers}, {_NOTHING} as preview "
                f"from {table}{in_window} group by {day}"
            )
        if not is_billed:
            selects.append(
                f"select {place} as place, cast(null as date) as day, null as row_count, null as session_count, null as visitor_count, "
                f"cast(to_json(preview) as varchar) as preview "
                f"from (select * from {table}{in_window} limit {PREVIEW_ROWS}) as preview"
            )
    return " union all ".join(selects)


def _is_by_entity(node: Mapping[str, Any]) -> bool:
    return bool(node["config"].get("stored_by") == BY_ENTITY)


def _within(node: Mapping[str, Any], day: str, window: Window) -> str:
    """The condition that a row's day is in the window. If storage is divided by a timestamp, the condition bounds the timestamp too."""
    moment = node["config"].get("stored_by")
    bounds = [f"{day} >= date '{window.start}'", f"{day} < date '{window.end}'"]
    if moment and moment != BY_ENTITY:
        spare = timedelta(days=1)
        bounds += [
            f"{moment} >= timestamp '{window.start - spare} 00:00:00'",
            f"{moment} < timestamp '{window.end + spare} 00:00:00'",
        ]
    return " and ".join(bounds)


def _metadata_of(
    node: Mapping[str, Any],
    table: TableDescription,
    answers: list[dict[str, Any]],
    lineage: dg.TableColumnLineage | None,
    labels: Mapping[str, str],
) -> TableMetadata:
    columns = table.columns
    preview = [_masked(json.loads(row["preview"]), node, columns) for row in answers if row["preview"] is not None]
    return TableMetadata(
        every={
            **({} if table.row_count is None else {"dagster/row_count": table.row_count}),
            "dagster/table_name": ".".join(relation_of(node)),
        },
        newest={
            "dagster/column_schema": _schema(node, columns),
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


def _masked(row: Mapping[str, Any], node: Mapping[str, Any], columns: list[tuple[str, str]]) -> dict[str, Any]:
    """A row without texts that may name somebody. Dagster keeps metadata even after a person is erased from the tables.

    It shows numbers, times, and columns whose yml says that they name nobody (meta.names_nobody).
    """
    declared = node.get("columns", {})
    return {
        name: value
        if value is None or type_ in TELLING_TYPES or meta_of(declared.get(name, {})).get("names_nobody")
        else MASK
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


def _day_numbers(node: Mapping[str, Any], is_billed: bool) -> dict[str, str]:
    """Label -> column of figures_sql, for the numbers that are counted by day."""
    if not _date_of(node):
        return {}
    meta = {} if is_billed and is_view(node) else meta_of(node)
    return {
        "dagster/partition_row_count": "row_count",
        **({"partition_sessions": "session_count"} if "session" in meta else {}),
        **({"partition_visitors": "visitor_count"} if "visitor" in meta else {}),
    }


def _date_of(node: Mapping[str, Any]) -> str | None:
    day: str | None = node.get("config", {}).get("date") or meta_of(node).get("date")
    return day


def _distinct(expression: str | None) -> str:
    return f"count(distinct {expression})" if expression else "cast(null as bigint)"


def _find(manifest: Mapping[str, Any], unique_id: str) -> Mapping[str, Any] | None:
    node: Mapping[str, Any] | None = manifest["nodes"].get(unique_id) or manifest["sources"].get(unique_id)
    return node


def _schema(node: Mapping[str, Any], columns: list[tuple[str, str]]) -> dg.TableSchema:
    described = described_columns(node)
    return dg.TableSchema(
        columns=[dg.TableColumn(name=name, type=type_, description=described.get(name)) for name, type_ in columns]
    )
