"""Identity merges of known size: devices that nobody had logged in on, first seen N days ago, turn out in pairs to be one person's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.warehouse import BenchmarkWarehouse


@dataclass(frozen=True)
class Merges:
    """What a merge takes.

    Attributes:
        devices: how many turned out to be of people.
        later_events: how many events they have had: those that must be looked at again.
    """

    devices: int
    later_events: int


def write_merges(warehouse: BenchmarkWarehouse, day: date, since: date, devices: int) -> Merges:
    """Write the day's file of identify calls for devices first seen on `since`, those seen last first."""
    with duckdb.connect(str(warehouse.database), read_only=True) as connection:
        rows = connection.execute(
            """
            with devices as (
                select alias from core.identity_graph
                where alias_type = 'anonymous_id' and alias = dbt_visitor_id and cast(first_seen_at as date) = ?
                order by last_seen_at desc, alias
                limit ?
            )
            select events.alias, count(*) from core.events inner join devices on events.alias = devices.alias
            group by 1 order by 1""",
            [since, devices],
        ).fetchall()
    noon = datetime.combine(day, time(12))
    names = [f"merged-{day}-{number // 2}" for number in range(len(rows))]
    # A day without any row would be no run of a merge, but an empty table has its columns.
    table = pa.table(
        {
            "id": pa.array([f"identify-{day}-{number}" for number in range(len(rows))], pa.string()),
            "anonymous_id": pa.array([alias for alias, _ in rows], pa.string()),
            "user_id": pa.array(names, pa.string()),
            "timestamp": pa.array([noon] * len(rows), pa.timestamp("us")),
            "received_at": pa.array([noon] * len(rows), pa.timestamp("us")),
        }
    )
    folder = warehouse.landing / "rudderstack" / "identifies"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / f"{day}.parquet")
    return Merges(len(rows), sum(count for _, count in rows))
