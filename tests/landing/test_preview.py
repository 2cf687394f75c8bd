"""A preview says which days a landing would change, and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from sessionization_dagster.landing import RemovedFiles
from sessionization_dagster.late_data.preview import Preview, preview
from sessionization_dagster.warehouses.duckdb import DuckDBConnection
from tests.landing.conftest import HEADER, TRACKS, Case, csv_row

MANY = 10**9
NOW = datetime(2024, 2, 1)


@pytest.fixture
def case(case: Case) -> Case:
    case.tables = [replace(TRACKS, at="timestamp")]
    return case


def look(case: Case, seen: tuple[str, ...] = (), max_bytes: int = MANY) -> Preview:
    warehouse = DuckDBConnection(case.connection)
    return preview(warehouse, case.folder, case.tables, "UTC", seen, NOW, max_bytes, case.removed)


def days(found: Preview) -> dict[int, int]:
    result: dict[int, int] = {}
    for change in found.changes:
        result[change.day.day] = result.get(change.day.day, 0) + change.rows
    return result


def row(name: str, day: int) -> str:
    return csv_row(name, f"2024-01-{day:02}T00:00:00Z")


def test_a_preview_says_the_days_that_the_landing_then_notes(case: Case) -> None:
    case.write("landed.csv", HEADER + row("a", 1))
    assert days(look(case)) == {1: 1}
    case.land()
    assert look(case) == Preview((), (), (), True)
    case.write("new.csv", HEADER + row("b", 2) + row("c", 2) + row("d", 5) + "e,u,never,1\n")
    found = look(case)
    assert days(found) == {2: 2, 5: 1}
    assert case.rows() == ["a"]
    assert look(case, found.seen) == Preview((), found.seen, (), True)
    case.land()
    noted = case.query("select day, row_count from raw.landing_changes where change_id > 1 order by day")
    assert noted == [(date(2024, 1, 2), 2), (date(2024, 1, 5), 1)]
    assert look(case, found.seen) == Preview((), (), (), True)


def test_rows_that_a_change_takes_away_count_too(case: Case) -> None:
    changed = case.write("changed.csv", HEADER + row("a", 1) + row("b", 2))
    gone = case.write("gone.csv", HEADER + row("c", 3))
    case.land()
    changed.write_text(HEADER + row("a", 1) + row("b", 7))
    case.touch(changed)
    gone.unlink()
    assert days(look(case)) == {1: 2, 2: 1, 7: 1}
    case.removed = RemovedFiles.REMOVE
    found = look(case)
    assert days(found) == {1: 2, 2: 1, 3: 1, 7: 1}
    assert look(case, found.seen).changes == ()


def test_large_files_are_named_and_many_are_looked_into_one_after_the_other(case: Case) -> None:
    small = HEADER + row("a", 1)
    case.write("large.csv", HEADER + "".join(row(f"l{n}", 4) for n in range(20)))
    for name in ("b.csv", "c.csv", "d.csv"):
        case.write(name, small)
    first = look(case, max_bytes=2 * len(small) + 5)
    assert (days(first), first.is_complete, first.too_large) == ({1: 2}, False, ("shop/tracks/large.csv",))
    second = look(case, first.seen, max_bytes=2 * len(small) + 5)
    assert (days(second), second.is_complete, second.too_large) == ({1: 1}, True, ())


def test_without_a_warehouse_all_files_are_new(case: Case) -> None:
    case.write("a.csv", HEADER + row("a", 1))
    assert days(preview(None, case.folder, case.tables, "UTC", (), NOW, MANY)) == {1: 1}
