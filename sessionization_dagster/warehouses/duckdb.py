"""DuckDB as the warehouse: one file, one process at a time."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self, TypeVar

import duckdb
import pyarrow as pa

from sessionization_dagster.disk import sync
from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.warehouses.base import TableDescription, TableLayout
from sessionization_dagster.warehouses.quoting import identifier, literal

T = TypeVar("T")
#: A view with more rows has no row count.
COUNTED_OF_VIEWS = 100_000


class DuckDBConnection:
    """A DuckDB connection that reads and writes Arrow. Timestamps are UTC."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Wrap an open connection."""
        self.native = connection

    def query(self, sql: str) -> pa.Table:
        """Run a statement and return its rows."""
        return self.native.sql(sql).to_arrow_table()

    def query_as_written(self, sql: str) -> pa.Table:
        """The same as query: the project's SQL is DuckDB's."""
        return self.query(sql)

    def execute(self, sql: str) -> None:
        """Run a statement."""
        self.native.execute(sql)

    def register(self, name: str, rows: pa.Table) -> None:
        """Make rows readable as a table of that name, until the connection closes."""
        self.native.register(name, rows)

    def create_temp(self, name: str, sql: str) -> None:
        """Keep a query's rows as a table of that name, until the connection closes. sql may read an earlier table of that name."""
        self.native.execute(f"create or replace temp table {identifier(name)} as {sql}")

    def in_transaction(self, statements: Sequence[str]) -> None:
        """Run statements that take effect together, or not at all if one fails."""
        with self.transaction():
            for statement in statements:
                self.execute(statement)

    def has_table(self, schema: str, name: str) -> bool:
        """Whether there is a table of that name."""
        found = self.native.execute(
            "select 1 from duckdb_tables() where schema_name = ? and table_name = ? and database_name = current_database()",
            [schema, name],
        )
        return bool(found.fetchall())

    def describe(self, tables: Sequence[tuple[str, str]]) -> dict[tuple[str, str], TableDescription]:
        """(schema, table) -> columns and number of rows, also of views with few rows. Sends two statements."""
        schemas = ", ".join(literal(schema) for schema in sorted({schema for schema, _ in tables}))
        columns: dict[tuple[str, str], list[tuple[str, str]]] = {}
        views = set()
        if tables:
            found = self.native.execute(f"""
                select table_schema, table_name, column_name, data_type, table_type = 'VIEW'
                from information_schema.columns
                inner join information_schema.tables using (table_catalog, table_schema, table_name)
                where table_schema in ({schemas}) order by table_schema, table_name, ordinal_position""").fetchall()
            for schema, name, column, data_type, is_view in found:
                columns.setdefault((schema, name), []).append((column, data_type))
                if is_view:
                    views.add((schema, name))
        known = [table for table in dict.fromkeys(tables) if table in columns]
        counting = " union all ".join(
            f"select {place} as place, count(*) as row_count from {_counted(*table, table in views)}"
            for place, table in enumerate(known)
        )
        counts = dict(self.native.execute(counting).fetchall()) if known else {}
        return {
            table: TableDescription(
                columns[table], None if table in views and counts[place] > COUNTED_OF_VIEWS else counts[place]
            )
            for place, table in enumerate(known)
        }

    def create_missing(self, table: TableLayout) -> None:
        """Create a table and its schema if they are missing. The layout is ignored."""
        self.execute(f"create schema if not exists {identifier(table.schema)}")
        self.execute(
            f"create table if not exists {identifier(table.schema)}.{identifier(table.name)} ({table.columns})"
        )

    def transaction(self) -> AbstractContextManager[None]:
        """All statements inside take effect together, or no statement does if one fails."""
        return transaction(self.native)


@contextmanager
def transaction(native: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """A transaction: all of the block takes effect, or nothing, however it ends."""
    native.begin()
    try:
        yield
        native.commit()
    except BaseException:
        # After a failed commit there is nothing left to roll back.
        with suppress(duckdb.Error):
            native.rollback()
        raise


@dataclass(frozen=True)
class DuckDBWarehouse:
    """A DuckDB file. While one process writes, no other may even read it.

    Attributes:
        path: the file.
        lock_timeout_seconds: how long to wait for another process to close it.
        memory_limit: above it DuckDB spills to disk. An identity graph of 10 million edges then fits in 4 GB, including Python's memory.
    """

    bills_reads: ClassVar[bool] = False

    path: Path
    lock_timeout_seconds: float = 30.0
    memory_limit: str = "2500MB"

    @contextmanager
    def connect(self) -> Iterator[DuckDBConnection]:
        """Open the file for writing, and create it if it is missing.

        Raises:
            WarehouseError: another process holds the file for longer than lock_timeout_seconds, or it is not a DuckDB 2 file.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._session(self._open()) as connection:
            yield connection

    @contextmanager
    def read_beside(self, other: Path, name: str) -> Iterator[DuckDBConnection]:
        """Open the file for reading only, and another file for writing. The tables of the other file are name.schema.table.

        Raises:
            WarehouseError: as connect.
        """
        with self._session(duckdb.connect()) as connection:
            self._patiently(
                lambda: connection.execute(f'attach {literal(str(self.path))} as "{self.path.stem}" (read_only)')
            )
            connection.execute(f"attach {literal(str(other))} as {name}")
            connection.execute(f'use "{self.path.stem}"')
            yield connection

    @contextmanager
    def _session(self, native: duckdb.DuckDBPyConnection) -> Iterator[DuckDBConnection]:
        try:
            native.execute("set TimeZone = 'UTC'")
            native.execute(f"set memory_limit = '{self.memory_limit}'")
            yield DuckDBConnection(native)
        finally:
            native.close()

    @contextmanager
    def read(self) -> Iterator[DuckDBConnection]:
        """Open the file for reading only. If there is no file yet, open an empty database.

        Raises:
            WarehouseError: a run holds the file for longer than lock_timeout_seconds.
        """
        native = self._open(read_only=True) if self.path.exists() else duckdb.connect()
        with self._session(native) as connection:
            yield connection

    def copy_from(self, other: DuckDBWarehouse, wanted: Callable[[str, str], bool]) -> dict[str, int]:
        """Copy the tables of another file that wanted(schema, table) selects; return the rows of each "schema.table"."""
        copied = {}
        with self.connect() as connection:
            native = connection.native
            native.execute(f"attach {literal(str(other.path))} as other (read_only)")
            tables = native.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'other' order by all"
            ).fetchall()
            for schema, table in tables:
                if wanted(schema, table):
                    native.execute(f'create schema if not exists "{schema}"')
                    native.execute(f'create table "{schema}"."{table}" as from other."{schema}"."{table}"')
                    copied[f"{schema}.{table}"] = _count(native, schema, table)
        return copied

    def row_counts(self) -> dict[str, int]:
        """Rows of every table and view, by "schema.table"."""
        with self.read() as connection:
            relations = connection.native.execute("""
                select table_schema, table_name from information_schema.tables where table_schema <> 'staging'""").fetchall()
            return {f"{schema}.{name}": _count(connection.native, schema, name) for schema, name in relations}

    def replace_by(self, other: DuckDBWarehouse) -> None:
        """Move another warehouse's file into this one's place, in one step of the file system.

        Both are opened once before, because a file that was not closed in order has a log beside it, which DuckDB then writes into it.
        """
        for warehouse in (self, other):
            with warehouse.connect() as connection:
                connection.execute("checkpoint")
        put_in_place(other.path, self.path)

    def labelled(self, **labels: str) -> Self:
        """The same warehouse: a file has no bill."""
        return self

    def local_date(self, at: str, timezone: str) -> str:
        """SQL for the date of a UTC timestamp in a timezone."""
        return f"cast(timezone('{timezone}', timezone('UTC', {at})) as date)"

    def _open(self, read_only: bool = False) -> duckdb.DuckDBPyConnection:
        return self._patiently(lambda: duckdb.connect(str(self.path), read_only=read_only))

    def _patiently(self, open_file: Callable[[], T]) -> T:
        # A query tool that has the file open for a moment must not fail a nightly run.
        give_up_at = time.monotonic() + self.lock_timeout_seconds
        while True:
            try:
                return open_file()
            except duckdb.IOException as error:
                is_locked = "lock" in str(error).lower()
                if is_locked and time.monotonic() < give_up_at:
                    time.sleep(0.25)
                    continue
                remedy = (
                    "Another process has it open; close that one (a query tool, another run) and run again."
                    if is_locked
                    else "Is it a DuckDB 2 file, and may this user write it and its folder?"
                )
                raise WarehouseError(
                    f"Cannot open {self.path}. {remedy} DuckDB says: {error}", is_transient=is_locked
                ) from error


def put_in_place(fresh: Path, path: Path) -> None:
    """Replace the old file by a new one in one step, with the old one's permissions. The new file is complete but may still be open.

    Raises:
        WarehouseError: one of them has a write-ahead log beside it, which DuckDB would apply to the new file.
    """
    if path.with_name(f"{path.name}.wal").exists() or fresh.with_name(f"{fresh.name}.wal").exists():
        raise WarehouseError(
            f"{path} has been written to meanwhile: close other programs that have it open, and run again."
        )
    for written in (fresh, fresh.parent):
        sync(written)
    shutil.copymode(path, fresh)
    os.replace(fresh, path)


def _counted(schema: str, name: str, is_view: bool) -> str:
    """SQL after `from` for counting rows. A table stores its row count; a view must be read, so it is counted up to a limit."""
    relation = f"{identifier(schema)}.{identifier(name)}"
    return f"(select 1 from {relation} limit {COUNTED_OF_VIEWS + 1}) as counted" if is_view else relation


def _count(native: duckdb.DuckDBPyConnection, schema: str, name: str) -> int:
    row = native.execute(f'select count(*) from "{schema}"."{name}"').fetchone()
    return int(row[0]) if row else 0
