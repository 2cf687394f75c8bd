"""Removes a person's traces from logs after the tables have been made again, and searches every table. SQL of DuckDB."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from sessionization_dagster.erasure.ids import Ids
from sessionization_dagster.erasure.person import SUBJECT, names_id, rows_of
from sessionization_dagster.erasure.progress import IN_PROGRESS
from sessionization_dagster.warehouses.duckdb import DuckDBConnection
from sessionization_dagster.warehouses.quoting import identifier as quoted

#: Updated with the events, the graph and the user agents, and not logs. A trace in them is from a day that was not made again.
NO_LOG = {
    "internal.identity_edges",
    "internal.identity_pairs",
    "internal.user_agent_days",
    "internal.events__set_aside",
}
#: A text column holds ids if most of its values are known ids. This many of its values are sampled.
SAMPLED_VALUES = 2_000


@dataclass(frozen=True)
class Table:
    """A table with text in it.

    Attributes:
        name: schema.table.
        texts: SQL of each column that is text or may hold text.
        plain: columns that are text themselves.
    """

    name: str
    texts: list[str]
    plain: list[str]


def tables(connection: DuckDBConnection) -> list[Table]:
    """Every table except the one with the ids that are searched for."""
    found: dict[str, Table] = {}
    for row in rows_of(
        connection,
        """
        select columns.schema_name || '.' || columns.table_name as name, column_name, data_type
        from duckdb_columns() as columns
        inner join duckdb_tables() as tables on columns.table_oid = tables.table_oid and columns.database_oid = tables.database_oid
        where columns.database_name = current_database() and not columns.internal
        order by 1, column_index""",
    ):
        if row["name"] == IN_PROGRESS:
            continue
        table = found.setdefault(row["name"], Table(row["name"], [], []))
        if "VARCHAR" in row["data_type"] or "JSON" in row["data_type"]:
            table.texts.append(f"cast({quoted(row['column_name'])} as varchar)")
        if row["data_type"] == "VARCHAR":
            table.plain.append(quoted(row["column_name"]))
    return list(found.values())


def remove_from_logs(connection: DuckDBConnection, ids: Ids, logs: Set[str]) -> int:
    """Delete rows that hold an id from logs and from internal tables; return how many were deleted."""
    removed = 0
    for table in tables(connection):
        if table.name in NO_LOG or not (table.name in logs or table.name.startswith("internal.")):
            continue
        condition, parameters = _holds_id(connection, table, ids)
        (count,) = connection.native.execute(f"delete from {table.name} where {condition}", parameters).fetchall()
        removed += count[0]
    return removed


def traces(connection: DuckDBConnection, ids: Ids) -> tuple[dict[str, int], int]:
    """Table -> number of rows that still hold an id, for tables that have such rows; and how many tables were searched."""
    searched = tables(connection)
    found = {}
    for table in searched:
        condition, parameters = _holds_id(connection, table, ids)
        (row,) = rows_of(connection, f"select count(*) as n from {table.name} where {condition}", parameters)
        if row["n"]:
            found[table.name] = row["n"]
    return found, len(searched)


def _holds_id(connection: DuckDBConnection, table: Table, ids: Ids) -> tuple[str, dict[str, Any]]:
    """A condition on the table's rows, and its parameters."""
    condition, parameters = names_id(table.texts, ids) if table.texts else ("false", {})
    if ids.ordinary:
        ordinary = f"(select alias from {SUBJECT} where is_ordinary)"
        for column in _id_columns(connection, table):
            condition += f" or coalesce({column} in {ordinary}, false)"
    return condition, parameters


def _id_columns(connection: DuckDBConnection, table: Table) -> list[str]:
    """The columns that hold ids. In these, an ordinary word or number names somebody."""
    shares = [
        f"""
        select {place} as place, count(*) as n, count(*) filter (
            value in (select alias from core.identity_graph) or value in (select alias from {SUBJECT})
        ) as known
        from (select distinct {column} as value from {table.name} where {column} is not null limit {SAMPLED_VALUES}) as sampled"""
        for place, column in enumerate(table.plain)
    ]
    if not shares:
        return []
    found = rows_of(connection, " union all ".join(shares))
    return [table.plain[row["place"]] for row in found if 2 * row["known"] > row["n"]]
