"""The embedded warehouse: one DuckDB file, one process at a time."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self, TypeVar

import duckdb
import pyarrow as pa

from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.warehouses.base import TableDescription, TableLayout
from sessionization_dagster.warehouses.text import identifier, literal

T = TypeVar("T")
#: A view with more rows is not counted.
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
        """The same: SQL of the project is DuckDB's."""
        return self.query(sql)

    def execute(self, sql: str) -> None:
        """Run a statement."""
        self.native.execute(sql)

    def bind(self, name: str, rows: pa.Table) -> None:
        """Make rows readable as a table of that name, until the connection closes."""
        self.native.register(name, rows)

    def keep(self, name: str, sql: str) -> None:
        """Keep a query's rows as a table of that name, until the connection closes; sql may read what had the name before."""
        self.native.execute(f"create or replace temp table {identifier(name)} as {sql}")

    def atomically(self, statements: Sequence[str]) -> None:
        """Statements that take effect together, or none of them where one fails."""
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
        """(schema, table) -> columns and number of rows, of views too if they have few; two statements."""
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
        """Create a table, and its schema, where it is not there. A file has no layout."""
        self.execute(f"create schema if not exists {identifier(table.schema)}")
        self.execute(
            f"create table if not exists {identifier(table.schema)}.{identifier(table.name)} ({table.columns})"
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside take effect together, or none of them where one fails."""
        self.native.begin()
        try:
            yield
        except BaseException:
            self.native.rollback()
            raise
        self.native.commit()


@dataclass(frozen=True)
class DuckDBWarehouse:
    """A DuckDB file. While one process writes, no other may even read it.

    Attributes:
        path: the file.
        lock_timeout_seconds: how long to wait for another process to close it.
        memory_limit: beyond it DuckDB spills to disk; an identity graph of 10 million edges then fits in 4 GB, Python's share included.
    """

    bills_reads: ClassVar[bool] = False

    path: Path
    lock_timeout_seconds: float = 30.0
    memory_limit: str = "2500MB"

    @contextmanager
    def connect(self) -> Iterator[DuckDBConnection]:
        """Open the file for writing, and create it where it is missing.

        Raises:
            WarehouseError: another process holds the file for longer than lock_timeout_seconds, or it is no DuckDB 2 file.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._session(self._open()) as connection:
            yield connection

    @contextmanager
    def read_beside(self, other: Path, name: str) -> Iterator[DuckDBConnection]:
        """Open the file for reading only, with another one beside it for writing: that one's tables are name.schema.table.

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
        """Open the file for reading only; an empty database where there is no file yet.

        Raises:
            WarehouseError: a run holds the file for longer than lock_timeout_seconds.
        """
        native = self._open(read_only=True) if self.path.exists() else duckdb.connect()
        with self._session(native) as connection:
            yield connection

    def copy_from(self, other: DuckDBWarehouse, wanted: Callable[[str, str], bool]) -> dict[str, int]:
        """Copy another file's tables that are wanted (schema, table) into this one; return the rows of each, as "schema.table"."""
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

        Both are opened once more before: what DuckDB keeps in a log beside a file that was not closed in order belongs to that file.
        """
        for warehouse in (self, other):
            with warehouse.connect() as connection:
                connection.execute("checkpoint")
        put_in_place(other.path, self.path)

    def labelled(self, **labels: str) -> Self:
        """The same: nobody is billed for a file."""
        return self

    def local_date(self, at: str, timezone: str) -> str:
        """SQL for the date of a UTC timestamp in a timezone."""
        return f"cast(timezone('{timezone}', timezone('UTC', {at})) as date)"

    def _open(self, read_only: bool = False) -> duckdb.DuckDBPyConnection:
        return self._patiently(lambda: duckdb.connect(str(self.path), read_only=read_only))

    def _patiently(self, open_file: Callable[[], T]) -> T:
        # A query tool that looks at the file for a moment should not fail a nightly run.
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
    """Put a new file, complete on the disk though it may still be open, where the old one is: in one step, with its rights.

    Raises:
        WarehouseError: one of them has a log of writes beside it, which DuckDB would apply to the new file.
    """
    if path.with_name(f"{path.name}.wal").exists() or fresh.with_name(f"{fresh.name}.wal").exists():
        raise WarehouseError(f"{path} has been written to meanwhile: close what else has it open, and run again.")
    for written in (fresh, fresh.parent):
        handle = os.open(written, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    shutil.copymode(path, fresh)
    os.replace(fresh, path)


def _counted(schema: str, name: str, is_view: bool) -> str:
    """What stands after `from` to count rows: a table knows their number, a view has to be read, and is as far as that costs little."""
    relation = f"{identifier(schema)}.{identifier(name)}"
    return f"(select 1 from {relation} limit {COUNTED_OF_VIEWS + 1}) as counted" if is_view else relation


def _count(native: duckdb.DuckDBPyConnection, schema: str, name: str) -> int:
    row = native.execute(f'select count(*) from "{schema}"."{name}"').fetchone()
    return int(row[0]) if row else 0
