"""Dagster's SQLite event log, writing batches as batches. Named in dagster.yaml; nothing imports it.

One run over 180 days of 25 assets is 9,000 events. Dagster can hand them over in batches (DAGSTER_EVENT_BATCH_SIZE), but its SQLite
storage stores a batch one event at a time, each with two connections, two commits and the disk to wait for: 20-40 ms an event, five
minutes in all. Here a batch is two transactions, and takes milliseconds.

The base class has no public import; a test pins what is used of it. With Postgres, as for production, none of this applies.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from dagster import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from sqlalchemy.engine import Connection


class BatchedSqliteEventLogStorage(SqliteEventLogStorage):
    """Stores a batch of one run's events in one transaction per database."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> BatchedSqliteEventLogStorage:
        """Dagster makes storages from dagster.yaml with this."""
        return cls(inst_data=inst_data, **config_value)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events of one run, all or none of them."""
        if len({event.run_id for event in events}) != 1:
            super().store_event_batch(events)
            return
        run_id = events[0].run_id
        with (
            self.run_connection(run_id) as run_connection,
            self._holding(run_id, run_connection),
            # The lock that guards connections is held by the first one and cannot be taken twice.
            self._second_connection() as index_connection,
            self._holding(INDEX_SHARD_NAME, index_connection),
        ):
            super().store_event_batch(events)

    def has_table(self, table_name: str) -> bool:
        """Whether the index database has the table; asked for each event, so answered from memory once it has."""
        if table_name not in self._known_tables and super().has_table(table_name):
            self._known_tables.add(table_name)
        return table_name in self._known_tables

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        held = self._held.connections.get(shard) if hasattr(self._held, "connections") else None
        if held is not None:
            yield held
        else:
            with super()._connect(shard) as connection:
                yield connection

    @contextmanager
    def _holding(self, shard: str, connection: Connection) -> Iterator[None]:
        """Let this thread's further uses of the shard share the connection and its transaction."""
        if not hasattr(self._held, "connections"):
            self._held.connections = {}
        self._held.connections[shard] = connection
        try:
            yield
        finally:
            del self._held.connections[shard]

    @contextmanager
    def _second_connection(self) -> Iterator[Connection]:
        self._db_lock.release()
        try:
            with super()._connect(INDEX_SHARD_NAME) as connection:
                yield connection
        finally:
            self._db_lock.acquire()

    @cached_property
    def _held(self) -> threading.local:
        return threading.local()

    @cached_property
    def _known_tables(self) -> set[str]:
        return set()
