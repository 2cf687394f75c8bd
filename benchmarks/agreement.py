"""Whether two DuckDB files hold the same rows in the eight RudderStack tables: a figure measured for wrong rows says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

#: The columns that the tables are known for; the project's may have more.
TABLES: Mapping[str, tuple[str, ...]] = {
    "dbt_aliases_mapping": ("alias", "dbt_visitor_id"),
    "dbt_mapped_tracks": (
        "event_id", "anonymous_id", "dbt_visitor_id", "timestamp", "event", "idle_time_minutes", "event_date",
    ),
    "dbt_session_tracks": (
        "session_id", "dbt_visitor_id", "session_start_at", "session_sequence_number", "next_session_start_at", "session_start_date",
    ),
    "dbt_track_facts": (
        "anonymous_id", "timestamp", "event_id", "event", "session_id", "dbt_visitor_id", "track_sequence_number", "event_date",
    ),
    "dbt_session_track_facts": (
        "session_id", "ended_at", "num_pvs", "cnt_viewed_product", "cnt_signup", "session_start_date",
    ),
    "dbt_user_session_facts": ("dbt_visitor_id", "first_date", "last_date", "number_of_sessions"),
    "dbt_session_duration": ("dbt_visitor_id", "session_id", "session_duration", "session_start_date"),
    "dbt_tracks_flow": (
        "event_id", "session_id", "track_sequence_number", "event", "dbt_visitor_id", "timestamp",
        "event_2", "event_3", "event_4", "event_5", "event_date",
    ),
}  # fmt: skip


class TablesDiffer(AssertionError):
    """Two variants that must agree do not: names the table and shows rows of it."""


@dataclass(frozen=True)
class Digest:
    """A table's rows, whatever their order."""

    rows: int
    checksum: int


def digests(database: Path, schema: str = "main") -> dict[str, Digest]:
    """Rows and checksum of each of the eight tables."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return {table: _digest(connection, f"{schema}.{table}", columns) for table, columns in TABLES.items()}


def _digest(connection: duckdb.DuckDBPyConnection, table: str, columns: tuple[str, ...]) -> Digest:
    # A sum, so that a row too often shows; each row's hash is made of texts, as equal numbers of two types hash differently.
    row = connection.execute(f"""
        select count(*), coalesce(sum(cast(hash({_row(columns)}) as hugeint)), 0) from {table}""").fetchone()
    assert row is not None
    return Digest(int(row[0]), int(row[1]))


def _row(columns: tuple[str, ...]) -> str:
    return ", ".join(f'cast("{column}" as varchar)' for column in columns)


def require_equal(ours: Path, floor: Path) -> dict[str, int]:
    """Check that the project's tables and the floor's have the same rows; return how many each has.

    Raises:
        TablesDiffer: they do not.
    """
    one, other = digests(ours, "rudderstack"), digests(floor)
    for table in TABLES:
        if one[table] != other[table]:
            raise TablesDiffer(
                f"{table}: {one[table].rows} rows in {ours}, {other[table].rows} in {floor}. Rows of one only:\n"
                + "\n".join(map(str, _rows_of_one(ours, floor, table)))
            )
    return {table: digest.rows for table, digest in one.items()}


def _rows_of_one(ours: Path, floor: Path, table: str, most: int = 5) -> list[tuple[str, ...]]:
    """Some rows that the one or the other file has alone, headed by which."""
    columns = _row(TABLES[table])
    found: list[tuple[str, ...]] = []
    with duckdb.connect() as connection:
        connection.execute(f"attach '{ours}' as ours (read_only)")
        connection.execute(f"attach '{floor}' as other (read_only)")
        sides = {"ours": f"ours.rudderstack.{table}", "floor": f"other.main.{table}"}
        for name, without in (("ours", "floor"), ("floor", "ours")):
            found += connection.execute(f"""
                select '{name}', * from (select {columns} from {sides[name]} except all select {columns} from {sides[without]})
                order by all limit {most}""").fetchall()
    return found
