"""The journal of the landing: which days' raw rows came and went, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from sessionization_dagster.landing import RawColumn, RawTable, RemovedFiles, land
from tests.landing.conftest import HEADER, LANDED_AT, TRACKS, Case, csv_row

DAY = date(2024, 1, 1)


@pytest.fixture
def case(case: Case) -> Case:
    case.tables = [replace(TRACKS, at="timestamp")]
    return case


def journal(case: Case, after: int = 0) -> list[tuple[str, str, date, int]]:
    return [
        (source_file.rsplit("/", 1)[-1], change, day, rows)
        for source_file, change, day, rows in case.query(
            f"select source_file, change, day, row_count from raw.landing_changes where change_id > {after} order by change_id"
        )
    ]


def test_loaded_changed_and_vanished_files_are_noted_by_day(case: Case) -> None:
    two_days = HEADER + csv_row("a") + csv_row("b") + csv_row("c", "2024-01-02T00:00:00Z")
    first = case.write("first.csv", two_days)
    second = case.write("second.csv", HEADER + csv_row("d"))
    case.land()
    assert journal(case) == [
        ("first.csv", "loaded", DAY, 2),
        ("first.csv", "loaded", date(2024, 1, 2), 1),
        ("second.csv", "loaded", DAY, 1),
    ]
    case.removed = RemovedFiles.REMOVE
    case.land()
    assert journal(case, after=3) == []
    second.unlink()
    first.write_text(HEADER + csv_row("a", "2024-01-05T00:00:00Z"))
    case.touch(first)
    case.land()
    assert sorted(journal(case, after=3)) == [
        ("first.csv", "loaded", date(2024, 1, 5), 1),
        ("first.csv", "withdrawn", DAY, 2),
        ("first.csv", "withdrawn", date(2024, 1, 2), 1),
        ("second.csv", "withdrawn", DAY, 1),
    ]
    assert case.query("select count(distinct change_id), max(change_id) from raw.landing_changes") == [(7, 7)]


def test_a_file_that_becomes_unreadable_notes_its_days(case: Case) -> None:
    path = case.write("first.csv", HEADER + csv_row("a"))
    case.land()
    path.write_bytes(b"")
    case.land()
    assert journal(case, after=1) == [("first.csv", "withdrawn", DAY, 1)]


def test_days_are_those_of_the_timezone_and_of_arrival_where_the_time_cannot_be_true(case: Case) -> None:
    columns = (
        RawColumn("id", "VARCHAR", True),
        RawColumn("timestamp", "TIMESTAMP"),
        RawColumn("received_at", "TIMESTAMP"),
    )
    case.tables = [RawTable("shop", "calls", columns, at="timestamp")]
    rows = [
        "late,2024-01-01T23:30:00Z,2024-01-08T00:00:00Z",
        "no time,,2024-01-03T12:00:00Z",
        "future,2031-01-01T00:00:00Z,2024-01-04T12:00:00Z",
        "a day ahead,2024-01-06T12:00:00Z,2024-01-05T12:00:00Z",
        "of no day,,",
    ]
    case.write("calls.csv", "id,timestamp,received_at\n" + "\n".join(rows) + "\n", table="shop/calls")
    land(case.connection, case.folder, case.tables, LANDED_AT, timezone="Europe/Berlin")
    days = {day.day: rows for _, _, day, rows in journal(case)}
    assert days == {2: 1, 3: 1, 4: 1, 6: 1}


@pytest.mark.parametrize("timezone", ["America/New_York", "Asia/Tokyo"])
def test_days_that_python_does_not_have_are_not_noted(case: Case, timezone: str) -> None:
    times = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-01-01T06:00:00Z")
    case.write("first.csv", HEADER + "".join(csv_row("a", at) for at in times))
    land(case.connection, case.folder, case.tables, LANDED_AT, timezone=timezone)
    assert len(case.rows()) == 3
    assert journal(case) == [("first.csv", "loaded", DAY, 1)]


def test_a_number_gives_the_day_by_its_size(case: Case) -> None:
    case.tables = [RawTable("shop", "calls", (RawColumn("at", "BIGINT"),), at="at")]
    for number in (1612083910, 1612083910766, 1612083910766593, -5, 2**63 - 1):
        case.write(f"{number}.csv", f"at\n{number}\n", table="shop/calls")
    case.land()
    days = {name: day for name, _, day, _ in journal(case)}
    assert days == {
        "-5.csv": date(1969, 12, 31), **{f"{n}.csv": date(2021, 1, 31) for n in (1612083910, 1612083910766, 1612083910766593)},
    }  # fmt: skip
