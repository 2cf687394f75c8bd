"""Recomputes a sample of visitors from raw rows in a scratch warehouse, and compares their rows with the stored ones. No Dagster.

Only what has been run is compared. If a day's events in the scratch warehouse differ from those in core.events, raw rows were added,
removed or corrected since the day last ran. Such a day is pending. For pending days the scratch warehouse takes its events from
core.events, so that the tables downstream can still be compared. Whether core.events matches the raw rows of a day that has run is not
checked here, but by the check events_conserved and by the models' own tests.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sessionization_dagster.dbt.selection import AFTER_IDENTITY, BEFORE_IDENTITY
from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.rebuild.compare import Difference, differences
from sessionization_dagster.rebuild.keyed_tables import EntityKind, KeyedTable
from sessionization_dagster.rebuild.pipeline import Engine
from sessionization_dagster.rebuild.visitor_sample import (
    SAMPLED,
    SCRATCH,
    RawData,
    Sample,
    SampleRequest,
    names_sampled_id,
    take_sample,
)
from sessionization_dagster.warehouses.duckdb import DuckDBConnection
from sessionization_dagster.window import Window

# At most this many differing rows of a table are read. All are counted.
READ_ROWS = 1000
SCRATCH_PREFIX = ".recomputed-"


@dataclass(frozen=True)
class TableComparison:
    """The differences in one table.

    Attributes:
        rows: how many rows differ, including missing and surplus ones.
        differences: the first of them.
        dates: the partitions to rerun so that the rows that differ are rewritten.
        is_built: False where the table does not exist yet.
    """

    rows: int = 0
    differences: tuple[Difference, ...] = ()
    dates: tuple[date, ...] = ()
    is_built: bool = True


@dataclass(frozen=True)
class Comparison:
    """The result for a sample: the sample, the pending days, which must run before they are compared in full, and unique id -> table."""

    sample: Sample
    pending: tuple[date, ...]
    tables: dict[str, TableComparison]


# Before the first run.
NOTHING = Comparison(Sample((), (), 0), (), {})


def compare_sample(
    engine: Engine,
    raw: RawData,
    tables: Sequence[KeyedTable],
    request: SampleRequest,
    applied_at: datetime,
    run_id: str,
) -> Comparison:
    """Recompute the visitors of the request and compare their rows in the tables. The engine's warehouse is only read.

    Raises:
        WarehouseError: another process holds the warehouse, or a source was added that no run has landed yet.
        DbtError: a model failed on the scratch warehouse.
    """
    if not engine.warehouse.path.exists():
        return NOTHING
    with _scratch_folder(engine) as folder:
        scratch = engine.in_folder(folder)
        with engine.warehouse.read_beside(scratch.warehouse.path, SCRATCH) as connection:
            window = _window_of_events(connection)
            if window is None:
                return NOTHING
            _require_raw_tables(connection, raw)
            sample = take_sample(connection, raw, request)
        if not sample.visitors:
            return Comparison(sample, (), {})
        scratch.build(["--select", f"tag:{BEFORE_IDENTITY}"], window, run_id, with_tests=False)
        with engine.warehouse.read_beside(scratch.warehouse.path, SCRATCH) as connection:
            pending = _take_over_pending_days(connection)
        if pending:
            behind_events = ["--select", f"events+,tag:{BEFORE_IDENTITY}", "--exclude", "events"]
            scratch.build(behind_events, window, run_id, with_tests=False)
        scratch.identify(window, applied_at)
        scratch.build(["--select", f"tag:{AFTER_IDENTITY}"], window, run_id, with_tests=False)
        with engine.warehouse.read_beside(scratch.warehouse.path, SCRATCH) as connection:
            _note_dates(connection, tables)
            return Comparison(sample, pending, {table.unique_id: _compare(connection, table) for table in tables})


@contextmanager
def _scratch_folder(engine: Engine) -> Iterator[Path]:
    """A folder beside the warehouse, on a disk with room for such files. It is removed at the end, also after an error.

    The next process removes a folder that a killed process left. This is safe because the warehouse has one user at a time.
    """
    beside = engine.warehouse.path.parent
    for left in beside.glob(f"{SCRATCH_PREFIX}*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=beside) as folder:
        yield Path(folder)


def _window_of_events(connection: DuckDBConnection) -> Window | None:
    """The days from the first event to the last; None before the first run."""
    if not _columns(connection, "core", "events") or not _columns(connection, "core", "identity_graph"):
        return None
    (row,) = connection.query("select min(event_date) as first, max(event_date) as last from core.events").to_pylist()
    return None if row["first"] is None else Window(row["first"], row["last"] + timedelta(days=1))


def _require_raw_tables(connection: DuckDBConnection, raw: RawData) -> None:
    for table in raw.tables:
        if not _columns(connection, "raw", table.name):
            raise WarehouseError(f"raw.{table.name} does not exist yet: run a day, so that landing makes it.")


def _columns(connection: DuckDBConnection, schema: str, table: str, is_scratch: bool = False) -> list[str]:
    catalog = f"'{SCRATCH}'" if is_scratch else "current_catalog()"
    rows = connection.query(f"""
        select column_name from information_schema.columns
        where table_catalog = {catalog} and table_schema = '{schema}' and table_name = '{table}'
        order by ordinal_position""")
    return [str(row["column_name"]) for row in rows.to_pylist()]


def _take_over_pending_days(connection: DuckDBConnection) -> tuple[date, ...]:
    """On days whose events differ, copy core.events into the scratch warehouse; returns these days."""
    columns = ", ".join(f'"{name}"' for name in _columns(connection, "core", "events"))
    stored = f"select {columns} from core.events where {names_sampled_id('events')}"
    rebuilt = f"select {columns} from {SCRATCH}.core.events where {names_sampled_id('events')}"
    rows = connection.query(f"""
        select distinct event_date
        from (({stored} except all {rebuilt}) union all ({rebuilt} except all {stored})) as other order by 1""")
    days = tuple(row["event_date"] for row in rows.to_pylist())
    if days:
        dates = ", ".join(f"date '{day}'" for day in days)
        # Delete whole days: a row outside the closure may be there only as the copy of a row that was not an event yet.
        connection.execute(f"delete from {SCRATCH}.core.events where event_date in ({dates})")
        connection.execute(f"insert into {SCRATCH}.core.events ({columns}) {stored} and event_date in ({dates})")
    return days


def _note_dates(connection: DuckDBConnection, tables: Sequence[KeyedTable]) -> None:
    """Create SAMPLED.dates: the dates of each entity's events, in either warehouse."""
    connection.execute(f"create table {SAMPLED}.dates (kind varchar, entity varchar, event_date date)")
    for table in tables:
        if not table.is_stream:
            continue
        for catalog in ("", f"{SCRATCH}."):
            is_scratch = bool(catalog)
            if _columns(connection, table.schema, table.name, is_scratch):
                connection.execute(f"""
                    insert into {SAMPLED}.dates
                    select distinct '{table.kind}', {table.entity}, {table.date} from {catalog}{table.relation}
                    where {_is_sampled(table)}""")


def _is_sampled(table: KeyedTable) -> str:
    """A condition on the table's rows: the scratch warehouse has all rows of their entity."""
    chosen = "select visitor from visitors" if table.kind is EntityKind.VISITOR else "select id from ids"
    return f"{table.entity} in ({chosen.replace('from ', f'from {SAMPLED}.')})"


def _compare(connection: DuckDBConnection, table: KeyedTable) -> TableComparison:
    rebuilt_columns = _columns(connection, table.schema, table.name, is_scratch=True)
    columns = [name for name in _columns(connection, table.schema, table.name) if name in rebuilt_columns]
    if not columns:
        return TableComparison(is_built=False)
    names = ", ".join(f'"{name}"' for name in columns)
    selected = f"select {names}, {table.entity} as entity__, {table.date or 'cast(null as date)'} as date__ from"
    stored = f"{selected} {table.relation} where {_is_sampled(table)}"
    rebuilt = f"{selected} {SCRATCH}.{table.relation} where {_is_sampled(table)}"
    connection.execute(f"""
        create or replace temp table differing as
        select *, true as is_stored from ({stored} except all {rebuilt}) as surplus
        union all
        select *, false from ({rebuilt} except all {stored}) as missing""")
    key = ", ".join(f'"{name}"' for name in table.key)
    (counted,) = connection.query(f"select count(distinct row({key})) as n from differing").to_pylist()
    first = connection.query(f"select * from differing order by date__, {key} limit {READ_ROWS}").to_pylist()
    found = differences(
        [row for row in first if row["is_stored"]], [row for row in first if not row["is_stored"]], table.key, columns
    )
    return TableComparison(counted["n"], tuple(found), _dates_to_rerun(connection, table))


def _dates_to_rerun(connection: DuckDBConnection, table: KeyedTable) -> tuple[date, ...]:
    """The dates to rerun so that the rows that differ are rewritten.

    A rerun rewrites an entity from its first event of the day on. For a row on a day without an event, the entity's last day with an
    event before it counts. For a row without a date, or before the entity's first event, the day of that first event counts.
    """
    rows = connection.query(f"""
        select distinct coalesce(max(dates.event_date) filter (where dates.event_date <= differing.date__), min(dates.event_date)) as day
        from (select distinct entity__, date__ from differing) as differing
        inner join {SAMPLED}.dates on dates.entity = differing.entity__ and dates.kind = '{table.kind}'
        group by differing.entity__, differing.date__
        order by 1""")
    return tuple(row["day"] for row in rows.to_pylist())
