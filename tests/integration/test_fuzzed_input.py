"""Thousands of flawed rows and hundreds of damaged files through the real job: the run succeeds, and nothing is lost or doubled."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from tests.integration.fuzzed_files import Damaged, damaged
from tests.integration.fuzzed_rows import ALL_TABLES, FLAWS, Line, csv_columns, csv_line, lines
from tests.integration.real_job import Project

SEED = 20240310
ROWS, FILES = 10_000, 200
#: The days have a change of clocks among them.
ZONE = ZoneInfo("America/New_York")
FIRST, LAST = date(2024, 3, 8), date(2024, 3, 13)
TIMES = {"mixpanel": ("time", "null"), "measure_js": ("timestamp", "null")}


@pytest.fixture(scope="module")
def chance() -> random.Random:
    return random.Random(SEED)


def write_rows(landing: Path, chance: random.Random) -> dict[tuple[str, int], Line]:
    """Row-wise flaws: every table as jsonl and csv, each with and without broken records. Returns records by file and line."""
    kinds = [(*table, ending, soft) for table in ALL_TABLES for ending in ("jsonl", "csv") for soft in (True, False)]
    written: dict[tuple[str, int], Line] = {}
    for place, (source, table, ending, soft) in enumerate(kinds):
        count = ROWS // len(kinds) + (place < ROWS % len(kinds))
        name = f"{source}/{table}/{'soft' if soft else 'hard'}.{ending}"
        header = [csv_line(list(csv_columns(source, table)))] if ending == "csv" else []
        records = list(lines(source, table, count, chance, ending, soft, start=place * 1_000))
        at = 1 + len(header)
        for record in records:
            written[name, at] = record
            at += 1 + record.text.count(b"\n")
        path = landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(text + b"\n" for text in [*header, *(record.text for record in records)]))
    return written


def write_files(landing: Path, chance: random.Random) -> dict[str, Damaged]:
    """Damaged files, by name."""
    files = {}
    for number in range(FILES):
        file = damaged(*chance.choice(ALL_TABLES), number, chance)
        (landing / file.name).write_bytes(file.content)
        files[file.name] = file
    return files


def raw_rows(project: Project) -> list[dict[str, Any]]:
    """What became raw rows, with whether a partition answers for them."""
    found = []
    for source, table in ALL_TABLES:
        at, received = TIMES.get(source, ("timestamp", "received_at"))
        for row in project.query(f"""
            select source_file, source_row, {at} as at, {received} as received_at, json_extract_string(properties, '$.mark') as mark
            from raw.{source}_{table}"""):
            found.append({**row, "table": f"{source}_{table}", "is_outside": is_outside(row["at"], row["received_at"])})
    return found


def is_outside(at: datetime | None, received_at: datetime | None) -> bool:
    """Whether it happened on a day that is no partition. A row whose time is missing, or cannot be true, is rejected whatever its day."""
    if at is None or (received_at is not None and at - received_at > timedelta(days=1)):
        return False
    start, end = (
        datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
        for day in (FIRST, LAST + timedelta(days=1))
    )
    return not start <= at < end


def outcomes(project: Project) -> tuple[Counter[str | None], dict[str, list[str]]]:
    """How often each mark is in the tables of events and of rejected rows, and as what."""
    rows = project.query("""
        select json_extract_string(properties, '$.mark') as mark, 'event' as outcome from core.events
        union all
        select json_extract_string(raw, '$.properties.mark'), reason from core.rejected_events where reason <> 'unreadable'""")
    by_mark: dict[str, list[str]] = {}
    for row in rows:
        by_mark.setdefault(row["mark"], []).append(row["outcome"])
    return Counter(row["mark"] for row in rows), by_mark


def test_no_flawed_input_fails_the_run_or_is_lost(tmp_path: Path, chance: random.Random) -> None:
    sources = ",".join(dict.fromkeys(source for source, _ in ALL_TABLES))
    with dg.DagsterInstance.ephemeral() as instance:
        project = Project.create(
            tmp_path,
            instance,
            start_date=FIRST.isoformat(),
            end_date=LAST.isoformat(),
            timezone=ZONE.key,
            sources=sources,
        )
        written = write_rows(project.environment.landing, chance)
        files = write_files(project.environment.landing, chance)
        result = project.run(FIRST, LAST, raise_on_error=False)
    checks = result.get_asset_check_evaluations()
    # A damaged file may have lost what makes events of its rows: the run says so, and fails.
    failed = {c.check_name for c in checks if not c.passed and c.severity == dg.AssetCheckSeverity.ERROR}
    assert failed <= {"assert_landed_files_became_events"}
    assert result.success == (not failed)
    unreadable = project.query("""
        select json_extract_string(raw, '$.source_file') as file, json_extract(raw, '$.source_line')::bigint as line
        from core.rejected_events where reason = 'unreadable'""")
    raw = raw_rows(project)
    counts, by_mark = outcomes(project)
    assert counts == Counter(row["mark"] for row in raw if not row["is_outside"])
    assert_rows_accounted(written, raw, by_mark, Counter((row["file"], row["line"]) for row in unreadable))
    assert_files_accounted(files, raw, unreadable)
    outside = Counter(row["table"] for row in raw if row["is_outside"])
    shown = {
        check.asset_key.path[-1]: sum(int(str(value.value)) for value in check.metadata.values())
        for check in checks
        if check.check_name == "rows_within_partitions"
    }
    assert {table: count for table, count in shown.items() if count} == outside


def assert_rows_accounted(
    written: dict[tuple[str, int], Line], raw: list[dict[str, Any]], by_mark: dict[str, list[str]], unread: Counter[Any]
) -> None:
    """Every record became one thing, and one that its flaw allows."""
    outside = {row["mark"] for row in raw if row["is_outside"]}
    unmarked = Counter(row["source_file"] for row in raw if row["mark"] is None)
    seen: Counter[str] = Counter()
    for (file, line), record in written.items():
        found = (
            by_mark.get(record.mark, []) + ["unreadable"] * unread[file, line] + ["outside"] * (record.mark in outside)
        )
        if not found and record.flaw == "broken" and unmarked[file]:
            unmarked[file] -= 1
            found = ["no_event_id"]
        assert len(found) == 1, (file, line, record.flaw, found, record.text[:2000])
        allowed = FLAWS[record.flaw][1] if record.flaw in FLAWS else set()
        assert not allowed or found[0] in allowed, (file, line, record.flaw, found, record.text[:2000])
        seen[found[0]] += 1
    assert sum(seen.values()) == ROWS
    assert min(seen[reason] for reason in ("event", "unreadable", "outside", "no_event_id", "no_timestamp", "no_identity",
                                           "future_timestamp", "duplicate_event_id")) > 10, seen  # fmt: skip


def assert_files_accounted(
    files: dict[str, Damaged], raw: list[dict[str, Any]], unreadable: list[dict[str, Any]]
) -> None:
    """Each file is set aside as a whole, or all of its records are rows or rejects."""
    rows = Counter(row["source_file"] for row in raw)
    rejects = Counter(row["file"] for row in unreadable if row["line"] is not None)
    aside = Counter(row["file"] for row in unreadable if row["line"] is None)
    for name, file in files.items():
        if aside[name]:
            assert (aside[name], rows[name], rejects[name]) == (1, 0, 0), name
        elif file.records is not None:
            assert rows[name] + rejects[name] == file.records, name
    loaded = [name for name in files if not aside[name]]
    assert min(len(aside), len(loaded)) > FILES // 5
