"""A landing folder and an empty warehouse, and short ways to fill the one and look into the other."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sessionization_dagster.landing import LandingReport, RawColumn, RawTable, RemovedFiles, TableReport, land

LANDED_AT = datetime(2024, 6, 1, 12)

TRACKS = RawTable(
    "shop",
    "tracks",
    (
        RawColumn("id", "VARCHAR", required=True),
        RawColumn("user_id", "VARCHAR", required=True),
        RawColumn("timestamp", "TIMESTAMP", required=True),
        RawColumn("price", "DOUBLE"),
        RawColumn("quantity", "BIGINT"),
        RawColumn("device", "JSON"),
    ),
)


@dataclass
class Case:
    """One landing folder and the warehouse that it is landed into."""

    folder: Path
    connection: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)
    tables: Sequence[RawTable] = (TRACKS,)
    messages: list[str] = field(default_factory=list)
    removed: RemovedFiles = RemovedFiles.KEEP

    def write(self, name: str, content: str | bytes | pa.Table, table: str = "shop/tracks") -> Path:
        """Writes a file of the table. Text for a name in .gz is compressed, bytes are written as they are."""
        path = self.folder / table / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pa.Table):
            pq.write_table(content, path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            text = content.encode()
            path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return path

    def touch(self, path: Path) -> None:
        """Makes a rewritten file look modified even where the clock is coarse."""
        status = path.stat()
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))

    def land(self) -> LandingReport:
        """Lands the folder."""
        return land(self.connection, self.folder, self.tables, LANDED_AT, self.messages.append, removed=self.removed)

    def land_tracks(self) -> TableReport:
        """Lands the folder. Returns what happened to the table shop_tracks."""
        return self.land().tables["shop_tracks"]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows."""
        return self.connection.execute(sql).fetchall()

    def rows(self, columns: str = "id") -> list[Any]:
        """The columns of shop_tracks in file order; bare values for one column."""
        rows = self.query(f"select {columns} from raw.shop_tracks order by source_file, source_row")
        return [row[0] if len(row) == 1 else row for row in rows]

    def rejects(self, columns: str = "source_line, content") -> list[Any]:
        """The columns of the rejects in file order; bare values for one column."""
        rows = self.query(f"select {columns} from raw.landing_rejects order by source_file, source_line")
        return [row[0] if len(row) == 1 else row for row in rows]

    def state(self) -> list[Any]:
        """Everything in the schema raw that must not depend on how it came about."""
        ledger = "select * exclude (landed_at, modified_ns) from raw.landed_files order by all"
        return [self.rows("*"), self.rejects("* exclude (landed_at)"), self.query(ledger)]


@pytest.fixture(scope="session")
def warehouse() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@pytest.fixture
def case(tmp_path: Path, warehouse: duckdb.DuckDBPyConnection) -> Iterator[Case]:
    # Starting an instance costs as much as a typical test: one is emptied for each.
    with warehouse.cursor() as connection:
        connection.execute("drop schema if exists raw cascade; reset threads; reset preserve_insertion_order")
        connection.execute("reset global TimeZone")
        yield Case(tmp_path / "landing", connection)


HEADER = "id,user_id,timestamp,price\n"


def csv_row(name: str, timestamp: str = "2024-01-01T00:00:00Z", price: str = "1.5") -> str:
    """One sound record."""
    return f"{name},u,{timestamp},{price}\n"


def parquet(**columns: Any) -> pa.Table:
    """A parquet table with the required columns, `id` giving the number of rows."""
    count = len(columns.get("id", ["a"]))
    defaults = {
        "id": ["a"],
        "user_id": ["u"] * count,
        "timestamp": pa.array([datetime(2024, 1, 1)] * count, pa.timestamp("us")),
    }
    return pa.table(defaults | columns)
