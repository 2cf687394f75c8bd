"""Detects late data: in the landing folder and its journal, or in raw tables that a vendor's loader fills. No Dagster, no clock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from sessionization_dagster.landing.tables import RawTable
from sessionization_dagster.late_data.plan import Change, Cursor
from sessionization_dagster.late_data.preview import preview
from sessionization_dagster.settings.environment import RemovedFiles
from sessionization_dagster.warehouses.base import Connection, Warehouse
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse

# Reading 32 MiB of landed files takes seconds. A sensor's tick has a minute.
MAX_PREVIEW_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Arrived:
    """The raw rows that were added or removed since a cursor.

    Attributes:
        changes: the changes, by day.
        cursor: the cursor after these changes. The caller sets its pending changes.
        too_large: files that are too large to preview; only a run reads them.
        is_complete: False if the next call has more to read.
        observed: table -> day -> rows, for raw tables that a loader fills and that changed.
    """

    changes: tuple[Change, ...]
    cursor: Cursor
    too_large: tuple[str, ...] = ()
    is_complete: bool = True
    observed: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class Arrivals(Protocol):
    """A way to detect raw rows that arrive."""

    def since(self, cursor: Cursor, now: datetime, first_day: date) -> Arrived:
        """The rows that were added or removed since the cursor, as of now (naive UTC). Days before first_day may be left out.

        Raises:
            WarehouseError: the warehouse cannot be read at the moment.
            LandingError: the landing folder is missing or empty.
        """
        ...


@dataclass(frozen=True)
class LandedArrivals:
    """The landing folder: the rows that runs have landed (from the journal), and the files that the next run would land."""

    warehouse: DuckDBWarehouse
    landing: Path
    tables: Sequence[RawTable]
    timezone: str
    removed: RemovedFiles = RemovedFiles.KEEP
    max_preview_bytes: int = MAX_PREVIEW_BYTES

    def since(self, cursor: Cursor, now: datetime, first_day: date) -> Arrived:
        """See Arrivals."""
        with self.warehouse.read() as connection:
            landed, position = _landed_since(connection, int(cursor.position or 0))
            found = preview(
                connection,
                self.landing,
                self.tables,
                self.timezone,
                cursor.seen_files,
                now,
                self.max_preview_bytes,
                self.removed,
            )
        return Arrived(
            changes=landed + found.changes,
            cursor=replace(cursor, position=str(position), seen_files=found.seen),
            too_large=found.too_large,
            is_complete=found.is_complete,
        )


def _landed_since(connection: Connection, position: int) -> tuple[tuple[Change, ...], int]:
    """The journal's changes after the position, one per day and landing, and the position after them."""
    if not connection.has_table("raw", "landing_changes"):
        return (), 0
    (last,) = connection.query("select coalesce(max(change_id), 0) as change_id from raw.landing_changes").to_pylist()
    if last["change_id"] < position:
        position = 0  # a new warehouse: nothing of its journal has been read
    rows = connection.query(f"""
        select day, landed_at, sum(row_count)::bigint as row_count, max(change_id) as change_id
        from raw.landing_changes where change_id > {position} group by day, landed_at""").to_pylist()
    changes = (Change(row["day"], row["row_count"], row["landed_at"], f"landed {row['change_id']}") for row in rows)
    return tuple(changes), last["change_id"]


@dataclass(frozen=True)
class ReceivedArrivals:
    """Raw tables that a vendor's loader fills: the recently received rows, counted by day.

    Counts are compared, because the newest received_at alone is not enough: a loader may deliver older rows after newer ones.
    Rows of event_tables are counted too, but not observed, because these tables are not assets.
    """

    warehouse: Warehouse
    tables: Sequence[RawTable]
    timezone: str
    event_tables: Sequence[RawTable] = ()

    def since(self, cursor: Cursor, now: datetime, first_day: date) -> Arrived:
        """See Arrivals. The query is bounded by received_at, by which such tables are partitioned."""
        before: dict[str, dict[str, int]] = json.loads(cursor.position) if cursor.position else {}
        counts: dict[str, dict[str, int]] = {}
        changes = []
        with self.warehouse.read() as connection:
            for table in (*self.tables, *self.event_tables):
                # A loader creates a table only with the first call of its type.
                if connection.has_table("raw", table.name):
                    counts[table.name] = self._rows_by_day(connection, table, first_day)
                known, found = before.get(table.name, {}), counts.get(table.name, {})
                for day in sorted(found.keys() | known.keys()):
                    rows, previous = found.get(day, 0), known.get(day, 0)
                    if rows != previous and date.fromisoformat(day) >= first_day:
                        mark = f"{table.name} {day} {previous} {rows}"
                        changes.append(Change(date.fromisoformat(day), abs(rows - previous), now, mark))
        assets = {table.name for table in self.tables}
        observed = {name: found for name, found in counts.items() if name in assets and found != before.get(name)}
        return Arrived(tuple(changes), replace(cursor, position=json.dumps(counts)), observed=observed)

    def _rows_by_day(self, connection: Connection, table: RawTable, first_day: date) -> dict[str, int]:
        """Day -> rows received on or after the day before first_day. The extra day allows for the timezone."""
        if table.at is None or table.counts_time or not any(column.name == "received_at" for column in table.columns):
            return {}
        day = self.warehouse.local_date(table.at, self.timezone)
        rows = connection.query(f"""
            select {day} as day, count(*) as row_count from raw.{table.name}
            where received_at >= timestamp '{first_day} 00:00:00' - interval 1 day and {table.at} is not null
            group by 1""").to_pylist()
        return {row["day"].isoformat(): row["row_count"] for row in rows}
