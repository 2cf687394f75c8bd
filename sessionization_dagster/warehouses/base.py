"""The protocol of a warehouse for Python code: queries to Arrow, statements, temporary tables, and several writes in one transaction.

SQL is written once, in DuckDB's dialect, with tables as schema.table. Timestamps are UTC and are returned without a timezone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, Self

import pyarrow as pa


@dataclass(frozen=True)
class TableLayout:
    """A table, and how its rows should be laid out. A warehouse that does not lay out rows by value ignores the layout.

    Attributes:
        schema, name: of the table.
        columns: names and types, as in a create table statement.
        partitioned_by: a date column.
        clustered_by: a column by which rows are looked up.
    """

    schema: str
    name: str
    columns: str
    partitioned_by: str | None = None
    clustered_by: str | None = None


@dataclass(frozen=True)
class TableDescription:
    """A warehouse's metadata of a table, which it knows without reading it.

    Attributes:
        columns: (name, the warehouse's own type), in the table's order.
        row_count: None for a view that is too large to count, or that may not be read.
    """

    columns: list[tuple[str, str]]
    row_count: int | None


class Connection(Protocol):
    """An open connection."""

    def query(self, sql: str) -> pa.Table:
        """Run a query and return its rows."""
        ...

    def query_as_written(self, sql: str) -> pa.Table:
        """Run a query in the warehouse's own dialect, such as dbt compiles, and return its rows."""
        ...

    def execute(self, sql: str) -> None:
        """Run a statement."""
        ...

    def register(self, name: str, rows: pa.Table) -> None:
        """Make rows readable as a table of that name, until the connection closes."""
        ...

    def create_temp(self, name: str, sql: str) -> None:
        """Keep a query's rows as a table of that name, until the connection closes. sql may read an earlier table of that name."""
        ...

    def in_transaction(self, statements: Sequence[str]) -> None:
        """Run inserts, deletes and updates that all take effect together, or not at all if one fails.

        The caller reads what they depend on before, because a warehouse may send them as one script.
        """
        ...

    def has_table(self, schema: str, name: str) -> bool:
        """Whether there is a table of that name."""
        ...

    def describe(self, tables: Sequence[tuple[str, str]]) -> dict[tuple[str, str], TableDescription]:
        """(schema, table) -> its description. Missing tables have no entry."""
        ...

    def create_missing(self, table: TableLayout) -> None:
        """Create a table and its schema if they are missing."""
        ...


class Warehouse(Protocol):
    """Where the tables are. Open it late and close it early, because DuckDB has one user at a time."""

    @property
    def bills_reads(self) -> bool:
        """Whether each byte that a query reads costs money. If so, nothing is read only for display."""
        ...

    def connect(self) -> AbstractContextManager[Connection]:
        """Open a connection for writing."""
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """Open a connection that only reads."""
        ...

    def labelled(self, **labels: str) -> Self:
        """The same warehouse, which adds these labels to its jobs if it can. A bill then shows what caused each cost."""
        ...

    def local_date(self, at: str, timezone: str) -> str:
        """SQL for the date of a UTC timestamp (an SQL expression) in a timezone (IANA name)."""
        ...


def number(connection: Connection, sql: str) -> int:
    """The one number that a query returns."""
    (row,) = connection.query(sql).to_pylist()
    return int(next(iter(row.values())))
