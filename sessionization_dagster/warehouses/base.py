"""What the Python assets ask of a warehouse: queries to Arrow, statements, rows and results under a name, and several writes at once.

SQL is written once, in DuckDB's dialect, with tables as schema.table; timestamps are UTC and come back without a timezone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, Self

import pyarrow as pa


@dataclass(frozen=True)
class TableLayout:
    """A table, and how a warehouse that lays rows out by value should lay out these; others ignore that.

    Attributes:
        schema, name: of the table.
        columns: names and types, as in a create table statement.
        partitioned_by: a date column.
        clustered_by: a column that rows are looked up by.
    """

    schema: str
    name: str
    columns: str
    partitioned_by: str | None = None
    clustered_by: str | None = None


@dataclass(frozen=True)
class TableDescription:
    """What a warehouse knows of a table without reading it.

    Attributes:
        columns: (name, type in the warehouse's words), in the table's order.
        row_count: None for a view that is too large to be read for it, or that may not be read.
    """

    columns: list[tuple[str, str]]
    row_count: int | None


class Connection(Protocol):
    """An open connection."""

    def query(self, sql: str) -> pa.Table:
        """Run a query and return its rows."""
        ...

    def query_as_written(self, sql: str) -> pa.Table:
        """Run a query that is in the warehouse's own words already, as dbt compiles them, and return its rows."""
        ...

    def execute(self, sql: str) -> None:
        """Run a statement."""
        ...

    def bind(self, name: str, rows: pa.Table) -> None:
        """Make rows readable as a table of that name, until the connection closes."""
        ...

    def keep(self, name: str, sql: str) -> None:
        """Keep a query's rows as a table of that name, until the connection closes; sql may read what had the name before."""
        ...

    def atomically(self, statements: Sequence[str]) -> None:
        """Inserts, deletes and updates that take effect together, or none of them where one fails.

        What decides about them is read before: a warehouse may send them as one script.
        """
        ...

    def has_table(self, schema: str, name: str) -> bool:
        """Whether there is a table of that name."""
        ...

    def describe(self, tables: Sequence[tuple[str, str]]) -> dict[tuple[str, str], TableDescription]:
        """(schema, table) -> what is known of it; tables that are not there have no entry."""
        ...

    def create_missing(self, table: TableLayout) -> None:
        """Create a table, and its schema, where it is not there."""
        ...


class Warehouse(Protocol):
    """Where the tables live. Opened late and closed early: the embedded warehouse has one user at a time."""

    @property
    def bills_reads(self) -> bool:
        """Whether each byte that a query reads costs money: nothing is then read that is only nice to see."""
        ...

    def connect(self) -> AbstractContextManager[Connection]:
        """Open a connection for writing."""
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """Open a connection that only reads."""
        ...

    def labelled(self, **labels: str) -> Self:
        """The same warehouse, which marks what it runs with these labels where it can: a bill then tells who asked."""
        ...

    def local_date(self, at: str, timezone: str) -> str:
        """SQL for the date of a UTC timestamp, an expression, in a timezone (IANA name)."""
        ...


def number(connection: Connection, sql: str) -> int:
    """The one number that a query gives."""
    (row,) = connection.query(sql).to_pylist()
    return int(next(iter(row.values())))
