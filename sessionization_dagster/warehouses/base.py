"""What the Python assets ask of a warehouse: queries to Arrow, statements, writing Arrow, and all of it in one transaction."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import pyarrow as pa


class Connection(Protocol):
    """An open connection."""

    def query(self, sql: str) -> pa.Table:
        """Run a statement and return its rows."""
        ...

    def execute(self, sql: str) -> None:
        """Run a statement."""
        ...

    def bind(self, name: str, rows: pa.Table) -> None:
        """Make rows readable as a table of that name, until the connection closes."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All statements inside take effect together, or none of them where one fails."""
        ...


class Warehouse(Protocol):
    """Where the tables live. Opened late and closed early: the embedded warehouse has one user at a time."""

    def connect(self) -> AbstractContextManager[Connection]:
        """Open a connection for writing."""
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """Open a connection that only reads."""
        ...

    def local_date(self, at: str, timezone: str) -> str:
        """SQL for the date of a UTC timestamp, an expression, in a timezone (IANA name)."""
        ...
