"""Which days a landing would change: the journal's entries once a run lands the files. Does not write the warehouse."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from sessionization_dagster.landing import ledger
from sessionization_dagster.landing.data_file import LandedFile
from sessionization_dagster.landing.files import discover
from sessionization_dagster.landing.load import land
from sessionization_dagster.landing.tables import RawTable
from sessionization_dagster.late_data.plan import Change
from sessionization_dagster.settings.environment import RemovedFiles
from sessionization_dagster.warehouses.duckdb import DuckDBConnection


@dataclass(frozen=True)
class Preview:
    """The changes that a landing would make.

    Attributes:
        changes: of the files that this call read.
        seen: marks of all waiting files that this call or an earlier one has read or found too large, and of removed files.
        too_large: paths of waiting files larger than max_bytes, which were not read.
        is_complete: False if files were left for the next call.
    """

    changes: tuple[Change, ...]
    seen: tuple[str, ...]
    too_large: tuple[str, ...]
    is_complete: bool


def preview(
    warehouse: DuckDBConnection | None,
    landing: Path,
    tables: Sequence[RawTable],
    timezone: str,
    seen: Collection[str],
    now: datetime,
    max_bytes: int,
    removed: RemovedFiles = RemovedFiles.KEEP,
) -> Preview:
    """Read the files that the next landing would load, up to max_bytes, and find the files whose rows it would remove.

    warehouse: a connection that reads; None if there is no warehouse yet. removed: whether the rows of removed files are kept.
    seen: marks from an earlier call; those files are not opened again. now: seen_at of the changes; a change's mark is its file's state.

    Raises:
        LandingError: the folder is missing or holds no data file.
    """
    found = discover(landing, tables).files
    known = {table.name: _entries(warehouse, table) for table in tables}
    waiting = {
        table.name: {_mark(file): file for file in found[table.name] if not _is_landed(file, known[table.name])}
        for table in tables
    }
    gone = {
        table.name: _removed(known[table.name], {file.source_file for file in found[table.name]}, removed)
        for table in tables
    }
    too_large = {
        mark: file for files in waiting.values() for mark, file in files.items() if file.size_bytes > max_bytes
    }
    unseen = {
        mark: file
        for files in waiting.values()
        for mark, file in files.items()
        if mark not in seen and mark not in too_large
    }
    chosen = _within(unseen, max_bytes)
    changes = _days_of_files(found, landing, tables, timezone, now, chosen) if chosen else []
    gone_marks = set()
    for table in tables:
        files = {path: f"gone {path}" for path in gone[table.name]}
        gone_marks |= set(files.values())
        # A changed file's old rows are removed too.
        files |= {
            file.source_file: mark for mark, file in waiting[table.name].items() if mark in chosen or mark in too_large
        }
        unread = {path: mark for path, mark in files.items() if path in known[table.name] and mark not in seen}
        changes += _days_in_warehouse(warehouse, table, timezone, now, unread)
    looked_into = {mark for files in waiting.values() for mark in files if mark in seen or mark in chosen}
    return Preview(
        changes=tuple(changes),
        seen=tuple(sorted(looked_into | gone_marks | too_large.keys())),
        too_large=tuple(sorted(file.source_file for mark, file in too_large.items() if mark not in seen)),
        is_complete=len(chosen) == len(unseen),
    )


def _entries(warehouse: DuckDBConnection | None, table: RawTable) -> dict[str, ledger.Entry]:
    """The landed files of the warehouse; empty if it has no ledger yet."""
    if warehouse is None:
        return {}
    return ledger.entries(warehouse.native, table) if warehouse.has_table("raw", "landed_files") else {}


def _is_landed(file: LandedFile, known: dict[str, ledger.Entry]) -> bool:
    entry = known.get(file.source_file)
    return entry is not None and entry.describes(file)


def _removed(known: dict[str, ledger.Entry], present: set[str], removed: RemovedFiles) -> set[str]:
    """The landed files whose rows the next landing would remove, because the files were removed."""
    return set() if removed is RemovedFiles.KEEP else known.keys() - present


def _mark(file: LandedFile) -> str:
    state = f"{file.source_file}\0{file.size_bytes}\0{file.modified_ns}"
    return hashlib.sha256(state.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _within(files: dict[str, LandedFile], max_bytes: int) -> dict[str, LandedFile]:
    """The first files, ordered by path, that together have at most max_bytes."""
    chosen = {}
    left = max_bytes
    for mark, file in sorted(files.items(), key=lambda item: item[1].source_file):
        left -= file.size_bytes
        if left < 0:
            break
        chosen[mark] = file
    return chosen


def _days_of_files(
    found: dict[str, list[LandedFile]],
    landing: Path,
    tables: Sequence[RawTable],
    timezone: str,
    now: datetime,
    chosen: dict[str, LandedFile],
) -> list[Change]:
    """Land only the chosen files, into a scratch warehouse, and read its journal."""
    marks = {file.source_file: mark for mark, file in chosen.items()}
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "preview.duckdb")) as scratch:
        ledger.prepare(scratch, tables)
        for table in tables:
            _pretend_landed(scratch, table, (file for file in found[table.name] if file.source_file not in marks))
        land(scratch, landing, tables, datetime.min, timezone=timezone)
        rows = scratch.execute("select source_file, day, row_count from raw.landing_changes").fetchall()
    return [Change(day, count, now, marks[source_file]) for source_file, day, count in rows if source_file in marks]


def _pretend_landed(scratch: duckdb.DuckDBPyConnection, table: RawTable, files: Iterable[LandedFile]) -> None:
    for file in files:
        entry = ledger.Entry(file.size_bytes, file.modified_ns, ledger.LOADED)
        ledger.record(scratch, table, file, entry, (0, 0), datetime.min)


def _days_in_warehouse(
    warehouse: DuckDBConnection | None, table: RawTable, timezone: str, now: datetime, marks: dict[str, str]
) -> list[Change]:
    """The days on which the files (path -> mark) have rows in the warehouse."""
    day = ledger.day_of(table, timezone)
    if warehouse is None or day is None or not marks:
        return []
    rows = warehouse.native.execute(
        f"""select source_file, {day} as day, count(*) from {ledger.qualified(table)}
        where source_file in (select unnest($files)) group by all having day is not null""",
        {"files": list(marks)},
    ).fetchall()
    return [Change(day, count, now, marks[source_file]) for source_file, day, count in rows]
