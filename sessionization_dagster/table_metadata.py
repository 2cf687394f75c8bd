"""What people want to see of a table in the UI: rows in all and in the run's partitions, and columns with descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from sessionization_dagster.partitions import Window
from sessionization_dagster.warehouses.base import Connection, Warehouse


def table_metadata(
    warehouse: Warehouse, manifest: Mapping[str, Any], unique_ids: Iterable[str], window: Window
) -> dict[str, dict[str, Any]]:
    """Return unique id -> metadata entries of dbt nodes that exist as tables or views."""
    nodes = [node for node in (_find(manifest, unique_id) for unique_id in unique_ids) if node is not None]
    if not nodes:
        return {}
    with warehouse.connect() as connection:
        counts = _counts(connection, nodes, window)
        types = _column_types(connection, nodes)
    return {
        node["unique_id"]: {
            "dagster/row_count": counts[place][0],
            **({} if counts[place][1] is None else {"dagster/partition_row_count": counts[place][1]}),
            "dagster/column_schema": _schema(node, types[_table(node)]),
            "dagster/table_name": ".".join(_table(node)),
        }
        for place, node in enumerate(nodes)
    }


def _find(manifest: Mapping[str, Any], unique_id: str) -> Mapping[str, Any] | None:
    node: Mapping[str, Any] | None = manifest["nodes"].get(unique_id) or manifest["sources"].get(unique_id)
    return node


def _table(node: Mapping[str, Any]) -> tuple[str, str]:
    return node["schema"], node.get("alias") or node["identifier"]


def _counts(connection: Connection, nodes: list[Mapping[str, Any]], window: Window) -> list[tuple[int, int | None]]:
    """Rows in all, and rows whose date (config.date) lies in the window; None where a table has no date column."""
    selects = []
    for place, node in enumerate(nodes):
        schema, name = _table(node)
        date = node.get("config", {}).get("date")
        in_window = (
            f"(select count(*) from {schema}.{name} where {date} >= date '{window.start}' and {date} < date '{window.end}')"
            if date
            else "null"
        )
        selects.append(
            f"select {place} as place, (select count(*) from {schema}.{name}) as total, {in_window} as recent"
        )
    rows = connection.query(" union all ".join(selects) + " order by place").to_pylist()
    return [(row["total"], row["recent"]) for row in rows]


def _column_types(
    connection: Connection, nodes: list[Mapping[str, Any]]
) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """(schema, table) -> [(column, type)] in the table's order."""
    schemas = ", ".join(f"'{schema}'" for schema in sorted({_table(node)[0] for node in nodes}))
    found: dict[tuple[str, str], list[tuple[str, str]]] = {_table(node): [] for node in nodes}
    rows = connection.query(f"""
        select table_schema, table_name, column_name, data_type from information_schema.columns
        where table_schema in ({schemas}) order by table_schema, table_name, ordinal_position""").to_pylist()
    for row in rows:
        columns = found.get((row["table_schema"], row["table_name"]))
        if columns is not None:
            columns.append((row["column_name"], row["data_type"]))
    return found


def _schema(node: Mapping[str, Any], columns: list[tuple[str, str]]) -> dg.TableSchema:
    described = {name: column.get("description") or None for name, column in node.get("columns", {}).items()}
    return dg.TableSchema(
        columns=[dg.TableColumn(name=name, type=type_, description=described.get(name)) for name, type_ in columns]
    )
