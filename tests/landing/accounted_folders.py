"""What became of each row of a landing folder: loaded, rejected, or its file named by a check that is not green."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg

from sessionization_dagster.defs.landing_checks import (
    FILES_IN_TABLE_FOLDERS,
    FILES_READABLE,
    FILES_STILL_THERE,
    REJECTS,
    file_check_results,
    file_check_specs,
    unreadable,
)
from sessionization_dagster.landing import LandingError, LandingReport
from sessionization_dagster.warehouses.duckdb import DuckDBConnection
from tests.landing.conftest import Case
from tests.landing.fuzzed_folders import Folder, left_to_other_tools


@dataclass
class Landed:
    """What a landing left behind.

    Attributes:
        rows: (mark, file, table) -> how many rows.
        rejected: file -> its records among the rejects; whole files and folders are `aside`.
        aside: the files and folders that were set aside as a whole.
        statuses: (file, table) -> status in the ledger.
        red: the checks that are not green: (raw table or landing_rejects, check).
        named: the files and folders of which a red check says that they were not read.
        removed: (file, table) of those whose file a red check misses.
    """

    rows: Counter[tuple[str, str, str]]
    rejected: Counter[str]
    aside: set[str]
    statuses: dict[tuple[str, str], str]
    red: set[tuple[str, str]]
    named: set[str]
    removed: set[tuple[str, str]]


def looked_into(case: Case, report: LandingReport) -> Landed:
    """The raw tables, and the checks' results as a run gives them."""
    held = unreadable(DuckDBConnection(case.connection))
    keys = {dg.AssetKey(["raw", table.name]): table for table in case.tables}
    checks = [spec.key for spec in file_check_specs(keys, "folder")]
    red = {
        (result.asset_key.path[-1], str(result.check_name))
        for result in file_check_results(checks, keys, report, held)
        if result.asset_key and not result.passed
    }
    rejects = [(name, row) for name, rows in held.items() for row in rows if (name, FILES_READABLE) in red]
    misplaced = report.misplaced() if (REJECTS.path[-1], FILES_IN_TABLE_FOLDERS) in red else []
    return Landed(
        rows=raw_rows(case),
        rejected=Counter(row["source_file"] for _, row in rejects if row["source_line"] is not None),
        aside={row["source_file"] for _, row in rejects if row["source_line"] is None},
        statuses={(file, name): status for file, name, status in case.query(
            "select source_file, source || '_' || table_name, status from raw.landed_files")},
        red=red,
        named={text.split(": ")[0].rstrip("/") for text in misplaced}
        | {path for name in report.tables if (name, FILES_READABLE) in red for path, _ in report.unread(name)},
        removed={(path, name) for name, table in report.tables.items() if (name, FILES_STILL_THERE) in red for path in table.removed_now},
    )  # fmt: skip


def raw_rows(case: Case) -> Counter[tuple[str, str, str]]:
    """(mark, file, table) -> how many rows."""
    mark = "coalesce(properties ->> '$.mark', properties ->> '$.properties.mark')"
    parts = [f"select {mark}, source_file, '{table.name}' from raw.{table.name}" for table in case.tables]
    return Counter(case.query(" union all ".join(parts)))


def is_among(path: str, places: set[str]) -> bool:
    """Whether the file, or a folder that it lies in, is one of the places."""
    return any(path == place or path.startswith(f"{place}/") for place in places)


def lost_rows(folder: Folder, landed: Landed) -> Iterator[str]:
    """Sentences about rows of files that are there, and are neither loaded, nor rejected, nor named."""
    by_file = Counter[tuple[str, str]]()
    for (mark, path, _), count in landed.rows.items():
        by_file[mark, path] += count
    for file in folder.files:
        missing = [mark for mark in file.marks if not by_file[mark, file.path]]
        is_reported = is_among(file.path, landed.aside | landed.named) or left_to_other_tools(file.path)
        if len(missing) > landed.rejected[file.path] and not is_reported:
            yield f"{file.path}: of {len(file.rows)} rows {missing} are lost"


def doubled_rows(landed: Landed) -> Iterator[str]:
    """Sentences about rows that occur twice. Only rows of a removed file may have a copy."""
    files: dict[str, list[str]] = {}
    for (mark, file, table), count in landed.rows.items():
        files.setdefault(mark, []).extend([file] * count if landed.statuses.get((file, table)) == "loaded" else [])
    yield from (f"{mark} occurs twice, in {places}" for mark, places in files.items() if len(places) > 1)


def silently_gone(folder: Folder, before: Landed, landed: Landed) -> Iterator[str]:
    """Sentences about rows of files that are gone, where no check missed the file when it went."""
    there = {file.path for file in folder.files}
    marks = {mark for mark, _, _ in landed.rows}
    for (mark, file, table), _ in before.rows.items():
        if file in there or before.statuses.get((file, table)) == "removed" or is_among(file, landed.aside):
            continue
        kept = (file, table) in landed.removed
        if not kept and mark not in marks:
            yield f"{file} of {table} is gone with {mark}, and no check says so"


def problems_of(folder: Folder, before: Landed | None, landed: Landed) -> list[str]:
    """All that is wrong with a landing; before: what the one before it left behind."""
    problems = [*lost_rows(folder, landed), *doubled_rows(landed)]
    problems += silently_gone(folder, before, landed) if before else []
    is_loaded = any(landed.statuses.get((file, table)) == "loaded" for _, file, table in landed.rows)
    if any(file.rows for file in folder.files) and not is_loaded and not landed.red:
        problems.append("nothing was loaded, and all checks are green")
    return problems


def landings(case: Case, folder: Folder, count: int) -> Iterator[Landed]:
    """Change the folder and land it, that many times. Yields what each landing that was not refused left behind."""
    before: Landed | None = None
    for _ in range(count):
        for _ in range(folder.chance.choice((0, 1, 2, 3, 5, 8))):
            folder.change()
        folder.write(case.folder)
        folder.log.append(f"landed ({case.removed})")
        try:
            report = case.land()
        except LandingError as error:
            report, refusal = None, str(error)
        if report is None:
            assert str(case.folder) in refusal, folder.shown(refusal)
            assert before is None or raw_rows(case) == before.rows, folder.shown("a refused landing changed rows")
            continue
        landed = looked_into(case, report)
        problems = problems_of(folder, before, landed)
        assert not problems, folder.shown(*problems)
        yield landed
        before = landed
