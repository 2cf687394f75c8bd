"""Chooses the visitors of a sample in the warehouse, and copies the raw rows that determine their rows into an empty warehouse.

The copied rows are a closure. A = the ids of the sampled visitors. B = the ids that occur in a row together with an id of A. Every row
that names an id of B is copied. So each device that one of the visitors ever used is copied with all of its logins, and its owner, its
number of users and its alias calls are complete. Links that end at the visitors' ids are those of the full graph. For other people the
result is incomplete, and it is not compared.

If an event_id was sent several times, only the earliest copy counts, and of several events with one id only the first keeps the id.
Therefore the rows of the ids in the other rows of that event_id are copied too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.identity.placeholders import placeholders
from sessionization_dagster.landing import RawTable
from sessionization_dagster.landing.tables import RawColumn
from sessionization_dagster.warehouses.duckdb import DuckDBConnection
from sessionization_dagster.warehouses.quoting import literal

# The name of the scratch warehouse in the warehouse's connection. Its schema `sampled` holds the chosen rows.
SCRATCH = "scratch_warehouse"
SAMPLED = f"{SCRATCH}.sampled"


@dataclass(frozen=True)
class SampleRequest:
    """Which visitors to choose.

    Attributes:
        size: how many visitors.
        salt: the same salt gives the same visitors, another salt others.
        visitors: these visitors instead, if there are any.
        max_rows: a visitor whose closure has more raw rows is left out.
    """

    size: int
    salt: str
    visitors: tuple[str, ...] = ()
    max_rows: int = 200_000


@dataclass(frozen=True)
class Sample:
    """The chosen visitors, the visitors left out because their closure has too many rows, and how many raw rows were copied."""

    visitors: tuple[str, ...]
    skipped: tuple[str, ...]
    raw_rows: int


@dataclass(frozen=True)
class RawData:
    """The raw tables, the ids that identify nobody, and the staging views."""

    tables: Sequence[RawTable]
    blocked_ids: Sequence[str]
    staging_views: Sequence[str]

    @classmethod
    def of(cls, manifest: Manifest, tables: Sequence[RawTable], blocked_ids: Sequence[str]) -> RawData:
        """The raw tables with what the manifest says about them.

        Raises:
            SettingsError: a raw table does not say which columns hold ids.
        """
        for table in tables:
            if not any(column.identifier for column in table.columns):
                raise SettingsError(
                    f"raw.{table.name} names no column that says whose a row is: give those that hold ids "
                    "`config: {meta: {identifier: true}}` in its yml."
                )
        return cls(tables, blocked_ids, manifest.staging_views)


def take_sample(connection: DuckDBConnection, raw: RawData, request: SampleRequest) -> Sample:
    """Choose visitors and copy their closure's raw rows into SCRATCH, which is empty. The connection's main file is only read."""
    connection.execute(f"create schema {SAMPLED}")
    _choose(connection, request)
    _close(connection, raw)
    skipped = _leave_out_large(connection, request.max_rows)
    rows = _copy(connection, raw.tables)
    visitors = connection.query(f"select visitor from {SAMPLED}.visitors order by 1").column(0).to_pylist()
    return Sample(tuple(visitors), skipped, rows)


def names_sampled_id(relation: str) -> str:
    """A condition on rows with anonymous_id, user_id and previous_id: they name an id of B, so the scratch warehouse has all of them."""
    ids = f"(select id from {SAMPLED}.named_ids)"
    return f"({relation}.anonymous_id in {ids} or {relation}.user_id in {ids} or {relation}.previous_id in {ids})"


def _choose(connection: DuckDBConnection, request: SampleRequest) -> None:
    """Create SAMPLED.visitors, and SAMPLED.ids: A, each id with its visitor."""
    if request.visitors:
        chosen = f"select unnest([{', '.join(map(literal, request.visitors))}]) as visitor"
    else:
        chosen = f"""
            select visitor from (select distinct dbt_visitor_id as visitor from core.identity_graph)
            order by md5(visitor || {literal(request.salt)}), visitor limit {int(request.size)}"""
    connection.execute(f"create table {SAMPLED}.visitors as select distinct visitor from ({chosen})")
    connection.execute(f"""
        create table {SAMPLED}.ids as
        select visitor, alias as id from core.identity_graph
        inner join {SAMPLED}.visitors on visitors.visitor = identity_graph.dbt_visitor_id
        union
        select visitor, visitor from {SAMPLED}.visitors""")


def _close(connection: DuckDBConnection, raw: RawData) -> None:
    """Create SAMPLED.named_ids, which is B, and SAMPLED.found_rows: the closure's rows, each once per visitor."""
    _find_rows(connection, raw.tables, "ids", "rows_of_ids")
    # The ids of deleted rows stay in edges until their day is rerun.
    of_edges = " union all ".join(
        f"""select visitor, unnest([anonymous_id, user_id, previous_id]) as id
            from core.identity_edges inner join {SAMPLED}.ids on identity_edges.{column} = ids.id"""
        for column in ("anonymous_id", "user_id", "previous_id")
    )
    nobody = ", ".join(literal(id_) for id_ in sorted(placeholders(raw.blocked_ids)))
    connection.execute(f"""
        create table {SAMPLED}.named_ids as
        select visitor, id from ({_ids_of_rows(raw.tables, "rows_of_ids")} union all {of_edges})
        where id is not null and lower(id) not in ({nobody})
        union
        select visitor, id from {SAMPLED}.ids""")
    _find_copies(connection, raw.staging_views)
    connection.execute(f"""
        create table {SAMPLED}.wanted_ids as
        select visitor, id from {SAMPLED}.named_ids
        union
        select sampled.visitor, copies.id
        from (
            select distinct visitor, event_id, event_date
            from {SAMPLED}.copies inner join {SAMPLED}.named_ids on copies.id = named_ids.id
        ) as sampled
        inner join {SAMPLED}.copies on sampled.event_id = copies.event_id and sampled.event_date = copies.event_date""")
    _find_rows(connection, raw.tables, "wanted_ids", "found_rows")


def _find_copies(connection: DuckDBConnection, staging_views: Sequence[str]) -> None:
    """Create SAMPLED.copies: the ids in rows whose event_id was sent several times on a date."""
    staged = " union all ".join(
        f"select event_id, event_date, anonymous_id, user_id, previous_id, copy_key from {view} where reject_reason is null"
        for view in staging_views
    )
    connection.execute(f"""
        create table {SAMPLED}.copies as
        with staged as ({staged})
        select event_id, event_date, id
        from (
            select event_id, event_date, unnest([anonymous_id, user_id, previous_id]) as id
            from staged
            where (event_id, event_date) in (
                select (event_id, event_date) from internal.events__set_aside where copy_number > 1
                union all
                select (event_id, event_date) from staged where copy_key is not null
                group by event_id, event_date having count(*) > 1
            )
        ) as of_copies
        where id is not null""")


def _find_rows(connection: DuckDBConnection, tables: Sequence[RawTable], ids: str, into: str) -> None:
    """Create SAMPLED.<into>: (visitor, table_name, row) of the raw rows that name an id of SAMPLED.<ids>."""
    found = " union ".join(
        f"""select visitor, '{table.name}' as table_name, {table.name}.rowid as row
            from raw.{table.name} inner join {SAMPLED}.{ids} on {_as_id(column)} = {ids}.id"""
        for table in tables
        for column in table.columns
        if column.identifier
    )
    connection.execute(f"create table {SAMPLED}.{into} as {found}")


def _ids_of_rows(tables: Sequence[RawTable], rows: str) -> str:
    return " union all ".join(
        f"""select visitor, unnest([{", ".join(_as_id(column) for column in table.columns if column.identifier)}]) as id
            from raw.{table.name}
            inner join {SAMPLED}.{rows} on {rows}.table_name = '{table.name}' and {rows}.row = {table.name}.rowid"""
        for table in tables
    )


def _as_id(column: RawColumn) -> str:
    """SQL for a raw column's id as events have it: without blanks around it, and without a prefix that has no meaning."""
    text = f'trim("{column.name}")'
    if not column.prefix:
        return text
    prefix = literal(column.prefix)
    return f"case when starts_with({text}, {prefix}) then substr({text}, {len(column.prefix) + 1}) else {text} end"


def _leave_out_large(connection: DuckDBConnection, max_rows: int) -> tuple[str, ...]:
    large = f"select visitor from {SAMPLED}.found_rows group by visitor having count(*) > {int(max_rows)} order by 1"
    skipped = tuple(connection.query(large).column(0).to_pylist())
    if skipped:
        for table in ("visitors", "ids", "named_ids", "found_rows"):
            connection.execute(f"delete from {SAMPLED}.{table} where visitor in ({', '.join(map(literal, skipped))})")
    return skipped


def _copy(connection: DuckDBConnection, tables: Sequence[RawTable]) -> int:
    """Copy the raw rows into the scratch warehouse; returns the number of rows."""
    connection.execute(f"create schema {SCRATCH}.raw")
    connection.execute(f"create table {SCRATCH}.raw.landing_rejects as from raw.landing_rejects limit 0")
    for table in tables:
        connection.execute(f"""
            create table {SCRATCH}.raw.{table.name} as
            select * from raw.{table.name}
            where rowid in (select row from {SAMPLED}.found_rows where table_name = '{table.name}')""")
    (rows,) = connection.query(f"select count(distinct (table_name, row)) as n from {SAMPLED}.found_rows").to_pylist()
    return int(rows["n"])
