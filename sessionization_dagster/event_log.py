"""Dagster's SQLite event log, which stores a batch of events as a batch. Named in dagster.yaml.

One run over 180 days of 45 assets is 16,000 events. Dagster hands events over in batches
(DAGSTER_EVENT_BATCH_SIZE), but its SQLite storage stores a batch one event at a time. Each event takes two connections, two commits, a
query of the table's columns and a wait for the disk: 20-40 ms, ten minutes in all. Here a batch is a few statements in two transactions.

If an instance does not name this storage, the processes that load the definitions still get the same (store_batches_in_bulk).

The base class has no public import; a test pins what is used of it. With Postgres, as in production, none of this applies.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import Any

from dagster import DagsterEventType, EventLogEntry
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, EVENT_TYPE_TO_PIPELINE_RUN_STATUS
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster_shared.record import replace
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine

#: Dagster's variable: how many events it passes on at once. If it is not set, Dagster stores events one by one.
BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE"
INDEXED = ASSET_EVENTS | ASSET_CHECK_EVENTS | set(EVENT_TYPE_TO_PIPELINE_RUN_STATUS)


def store_batches_in_bulk() -> None:
    """Make every SQLite event log of this process store its batches in bulk, and make Dagster pass events on in batches."""
    os.environ.setdefault(BATCH_SIZE, "1000")
    SqliteEventLogStorage.store_event_batch = store_event_batch  # type: ignore[method-assign, assignment]


def store_event_batch(storage: SqliteEventLogStorage, events: Sequence[EventLogEntry]) -> None:
    """Store events. Either all events of a run are stored, or no event is."""
    if len({event.run_id for event in events}) != 1:
        for event in events:
            storage.store_event(event)
        return
    rows = [storage._event_to_row(event) for event in events]
    indexed = [(event, row) for event, row in zip(events, rows, strict=True) if _type_of(event) in INDEXED]
    with storage.run_connection(events[0].run_id) as run:
        run.execute(SqlEventLogStorageTable.insert(), rows)
        if indexed:
            with _second_connection(storage) as index:
                _store_in_index(storage, index, *zip(*indexed, strict=True))


def _store_in_index(
    storage: SqliteEventLogStorage, index: Connection, events: Sequence[EventLogEntry], rows: Sequence[dict[str, Any]]
) -> None:
    """Copy a run's events into the index, the database for queries across runs."""
    table = SqlEventLogStorageTable
    insert = table.insert().returning(table.c.id, sort_by_parameter_order=True)
    stored: list[tuple[EventLogEntry, int]] = list(
        zip(events, index.execute(insert, list(rows)).scalars(), strict=True)
    )
    of_assets = [(event, id_) for event, id_ in stored if _type_of(event) in ASSET_EVENTS]
    if of_assets:
        storage._store_asset_event_tags(index, *zip(*of_assets, strict=True))
    for event, id_ in _newest(of_assets):
        storage._store_asset_event(index, event, id_)
    with _sharing(storage, index):
        for event, id_ in stored:
            if _type_of(event) in ASSET_CHECK_EVENTS:
                storage.store_asset_check_event(_of_no_partition(event), id_)


def _newest(stored: Iterable[tuple[EventLogEntry, int]]) -> list[tuple[EventLogEntry, int]]:
    """The last event of each asset and type, in order. An asset's entry does not keep earlier ones."""
    last = {(event.get_dagster_event().asset_key, _type_of(event)): (event, id_) for event, id_ in stored}
    return sorted(last.values(), key=lambda one: one[1])


def _of_no_partition(event: EventLogEntry) -> EventLogEntry:
    """Turn a planned check into one row, which its evaluation then updates.

    Dagster plans an unpartitioned check once for each partition of the run. The evaluation names no partition, so it would find no
    these rows, and they would stay planned for ever.
    """
    if _type_of(event) != DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
        return event
    dagster_event = event.get_dagster_event()
    planned = replace(dagster_event.asset_check_planned_data, partitions_subset=None)
    return event._replace(dagster_event=dagster_event._replace(event_specific_data=planned))


def _type_of(event: EventLogEntry) -> DagsterEventType | None:
    return event.dagster_event_type if event.is_dagster_event else None


@contextmanager
def _second_connection(storage: SqliteEventLogStorage) -> Iterator[Connection]:
    """A connection to the index while a run's connection is open. The lock that guards connections cannot be taken twice."""
    storage._db_lock.release()
    try:
        with storage.index_connection() as connection:
            yield connection
    finally:
        storage._db_lock.acquire()


@contextmanager
def _sharing(storage: SqliteEventLogStorage, connection: Connection) -> Iterator[None]:
    """Make the storage use this connection, and so this transaction, wherever it opens a connection to the index."""

    @contextmanager
    def shared() -> Iterator[Connection]:
        yield connection

    storage.index_connection = shared  # type: ignore[method-assign]
    try:
        yield
    finally:
        del storage.index_connection


class BatchedSqliteEventLogStorage(SqliteEventLogStorage):
    """The same for a whole instance, including the daemon, which loads no definitions but stores a backfill's planned events."""

    store_event_batch = store_event_batch

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> BatchedSqliteEventLogStorage:
        """Dagster calls this to make a storage from dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """Like Dagster's own, but with one engine per database, which keeps its connection open.

        A new engine for each event would compile each statement again, and to close the last connection means to empty SQLite's log.
        """
        if shard not in self._initialized_dbs:
            with super()._connect(shard):
                pass
        with self._db_lock, self._engines(shard).begin() as connection:
            yield connection

    def has_table(self, table_name: str) -> bool:
        """Dagster asks this for each event. Tables are never dropped, so a yes is kept."""
        if table_name in self._tables:
            return True
        is_there: bool = super().has_table(table_name)
        if is_there:
            self._tables.add(table_name)
        return is_there

    @cached_property
    def _tables(self) -> set[str]:
        return set()

    @cached_property
    def _engines(self) -> Callable[[str], Engine]:
        @lru_cache(maxsize=16)
        def engine(shard: str) -> Engine:
            return create_engine(
                self.conn_string_for_shard(shard), connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
            )

        return engine
