"""Histories that once broke exactness, each by hand: they must go on equalling the oracle."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from sessionization_dagster.dbt.project import PROJECT_DIR
from tests.integration.thin_driver import ThinDriver, parsed_project
from tests.oracle.model import RawRow, Settings


def page(event_id: str, device: str, at: datetime) -> RawRow:
    return RawRow("tracks", event_id, device, timestamp=at, event="page")


def test_a_local_midnight_that_happens_twice_belongs_to_one_day(tmp_path: Path) -> None:
    """On the Azores the clock goes back from 01:00 to 00:00: the repeated hour is the new day's."""
    first, last = date(2024, 10, 26), date(2024, 10, 27)
    rows = [
        page("repeated", "a", datetime(2024, 10, 27, 0, 30)),
        page("before", "b", datetime(2024, 10, 26, 12)),
        page("after", "c", datetime(2024, 10, 27, 12)),
    ]
    settings = Settings(timezone="Atlantic/Azores")
    project = parsed_project(timezone=settings.timezone, families=("rudderstack",))
    driver = ThinDriver(tmp_path, settings, project)
    driver.land(rows)
    for day in (first, first, last, first):
        driver.run(day, day)
    assert not driver.differences(rows, first, last)


def test_an_alias_that_vanishes_while_settings_change_is_gone(tmp_path: Path) -> None:
    day = date(2024, 3, 10)
    stays, goes = page("e1", "stays", datetime(2024, 3, 10, 1)), page("e2", "goes", datetime(2024, 3, 10, 2))
    driver = ThinDriver(tmp_path, Settings())
    driver.land([stays, goes])
    driver.run(day, day)
    driver.settings = dataclasses.replace(driver.settings, identity_policy="merge")
    driver.land([stays])
    driver.run(day, day)
    assert not driver.differences([stays], day, day)


def test_a_range_half_done_is_not_forgotten_when_its_first_day_reruns(tmp_path: Path) -> None:
    first, middle, last = date(2024, 3, 10), date(2024, 3, 11), date(2024, 3, 12)
    known = [page(f"e{day}", "known", datetime(2024, 3, day, 1)) for day in (10, 11, 12)]
    early, late = page("early", "new", datetime(2024, 3, 10, 9)), page("late", "new", datetime(2024, 3, 12, 9))
    driver = ThinDriver(tmp_path, Settings())
    driver.land(known)
    driver.run(first, last)
    driver.land([*known, early, late])
    driver.run_events(first, last)
    driver.run_identity(first, last)
    driver.run_sessions(first, last, select="tag:sessions,config.materialized:date_overwrite")
    driver.land([*known, late])
    driver.run(first, first)
    driver.run_sessions(first, last, select="tag:sessions,config.materialized:frontier")
    driver.run_sessions(first, last, select="tag:sessions,config.materialized:rollup")
    assert middle < last
    assert not driver.differences([*known, late], first, last)


FIRST, LAST = date(2024, 3, 10), date(2024, 3, 12)


def three_days(folder: Path) -> tuple[ThinDriver, list[RawRow]]:
    """A warehouse with one event of one device on each day from FIRST to LAST."""
    rows = [page(f"e{day}", "a", datetime(2024, 3, day, 1)) for day in (10, 11, 12)]
    driver = ThinDriver(folder, Settings())
    driver.land(rows)
    driver.run(FIRST, LAST)
    return driver, rows


def test_the_first_ids_may_be_linked_after_the_roots_have_followed_their_days(tmp_path: Path) -> None:
    settings = Settings(sources=("rudderstack",))
    driver = ThinDriver(tmp_path, settings, parsed_project(families=("rudderstack",)))
    driver.land([])
    driver.run(FIRST, FIRST)
    rows = [page("e1", "d1", datetime(2024, 3, 10, 8)), page("e2", "d2", datetime(2024, 3, 10, 9))]
    driver.land(rows)
    driver.run_events(FIRST, FIRST, left_out=["identity_edges"])
    driver.run_sessions(FIRST, FIRST)
    driver.run(LAST, LAST)
    assert not driver.differences(rows, FIRST, LAST)


@pytest.mark.parametrize(
    "later_days", [(11, 12), (12,), (10, 12)], ids=["every later day", "the last day", "days around"]
)
def test_events_of_ids_that_the_graph_did_not_know_are_added_once_it_does(
    tmp_path: Path, later_days: tuple[int, ...]
) -> None:
    """On the second day the sessions are made without the graph, and some days of a new device after it with the graph."""
    driver = ThinDriver(tmp_path, Settings(), parsed_project(families=("rudderstack", "measure_js")))
    rows = [page(f"known {day}", "known", datetime(2024, 3, day, 8)) for day in (10, 11, 12)]
    rows += [page("new 11", "new", datetime(2024, 3, 11, 9)), page("joins", "new", datetime(2024, 3, 11, 9, 20))]
    driver.land(rows)
    driver.run(FIRST, FIRST)
    driver.run_events(date(2024, 3, 11), date(2024, 3, 11))
    driver.run_sessions(date(2024, 3, 11), date(2024, 3, 11))
    rows += [page(f"new {day} again", "new", datetime(2024, 3, day, 23, 50)) for day in later_days]
    driver.land(rows)
    for day in later_days[:-1]:
        driver.run_events(date(2024, 3, day), date(2024, 3, day))
    driver.run(date(2024, 3, later_days[-1]), date(2024, 3, later_days[-1]))
    driver.run(LAST, LAST)
    assert not driver.differences(rows, FIRST, LAST)


def test_dropped_tables_are_made_again(tmp_path: Path) -> None:
    driver, rows = three_days(tmp_path)
    with driver.warehouse.connect() as connection:
        connection.execute("drop table core.identity_graph")
        connection.execute("drop table core.session_events")
        connection.execute("drop table core.sessions")
    driver.run(LAST, LAST)
    assert not driver.differences(rows, FIRST, LAST)


def test_a_full_refresh_of_one_day_keeps_the_others(tmp_path: Path) -> None:
    driver, rows = three_days(tmp_path)
    driver.run_events(LAST, LAST, "--full-refresh")
    driver.run_sessions(LAST, LAST)
    assert not driver.differences(rows, FIRST, LAST)


def test_columns_have_the_types_that_clients_expect(tmp_path: Path) -> None:
    driver = ThinDriver(tmp_path, Settings())
    driver.run(date(2024, 3, 10), date(2024, 3, 10))
    seeds = ", ".join(f"'{path.stem}'" for path in (PROJECT_DIR / "seeds").rglob("*.csv"))
    with driver.warehouse.connect() as connection:
        types = connection.query(f"""
            select distinct data_type from information_schema.columns
            where table_schema in ('core', 'rudderstack') and table_name not in ({seeds}) order by 1""").to_pylist()
    assert [row["data_type"] for row in types] == [
        "BIGINT",
        "BOOLEAN",
        "DATE",
        "DOUBLE",
        "JSON",
        "TIMESTAMP",
        "VARCHAR",
    ]


def test_a_day_of_rejected_rows_alone_is_made_anew_by_a_changed_rule(tmp_path: Path) -> None:
    rows = [page(f"e{day.day}", who, datetime.combine(day, time(1))) for day, who in ((FIRST, "a"), (LAST, "guest"))]
    driver = ThinDriver(tmp_path, Settings(blocked_ids=("guest",)))
    driver.land(rows)
    driver.run_events(FIRST, LAST)
    assert [row["reason"] for row in driver.rows("core.rejected_events", ["reason"])] == ["no_identity"]
    driver.settings = dataclasses.replace(driver.settings, blocked_ids=("nobody",))
    driver.run_events(FIRST, FIRST)
    assert sorted(row["event_id"] for row in driver.rows("core.events", ["event_id"])) == ["e10", "e12"]
    assert not driver.rows("core.rejected_events", ["reason"])


def test_sessions_over_midnight_late_rows_gone_rows_and_ids_in_days_that_run_one_by_one(tmp_path: Path) -> None:
    settings = Settings(sources=("rudderstack", "mixpanel", "measure_js"), blocked_ids=("nobody",))
    driver = ThinDriver(tmp_path, settings, parsed_project(settings.sources, families=settings.sources))
    sources = [("tracks", "rudderstack"), ("events", "mixpanel"), ("events", "measure_js")]

    def seen(name: str, at: datetime, who: str = "d", **fields: Any) -> list[RawRow]:
        """The same event in every source."""
        return [
            RawRow(table, f"{source}-{name}", f"{source}-{who}", timestamp=at, event="page", source=source, **fields)
            for table, source in sources
        ]

    rows = [
        *seen("first", datetime(2024, 3, 10, 12)),
        *seen("before midnight", datetime(2024, 3, 10, 23, 50)),
        *seen("after midnight", datetime(2024, 3, 11, 0, 10)),
        *seen("alone", datetime(2024, 3, 12, 0, 5)),
        *seen("of a day that never runs", datetime(2024, 3, 13)),
        *seen("one", datetime(2024, 3, 10, 9), who="one", user_id="NoBody"),
        *seen("other", datetime(2024, 3, 10, 9), who="other", user_id="nobody"),
        # Rejected, and of no day: every run reads it again.
        RawRow("tracks", "undated", "d", event="page"),
    ]
    # A distinct_id that is not the device's is the user's.
    rows += [
        RawRow("events", f"m{device}", "ann", timestamp=at, event="page", source="mixpanel", device_id=device)
        for device, at in (("m1", datetime(2024, 3, 10, 8)), ("m2", datetime(2024, 3, 10, 20)))
    ]
    driver.land(rows)
    for number in (10, 11, 12):
        driver.run(date(2024, 3, number), date(2024, 3, number))
        assert not driver.differences(rows, FIRST, date(2024, 3, number)), number
    # The day after is no part of the run: events_conserved would miss its rows.
    assert driver.run_tests(LAST, LAST, "events_conserved") == {"events_conserved": "pass"}

    # The last day's session begins on the day before now: a date loses its only session without a run of its own.
    rows += seen("late", datetime(2024, 3, 11, 23, 40))
    driver.land(rows)
    driver.run(date(2024, 3, 11), date(2024, 3, 11))
    assert not driver.differences(rows, FIRST, LAST)

    # What follows the root learns of two changes at once, the later one last.
    for number in (10, 12):
        rows += seen(f"late {number}", datetime(2024, 3, number, 15))
        driver.land(rows)
        driver.run_events(date(2024, 3, number), date(2024, 3, number))
        driver.run_identity(date(2024, 3, number), date(2024, 3, number))
        driver.run_sessions(date(2024, 3, number), date(2024, 3, number), select="session_events client_events")
    driver.run_sessions(LAST, LAST)
    assert not driver.differences(rows, FIRST, LAST)

    # Rollups delete the notes that they have followed.
    assert not driver.rows("internal.change_queue where origin in ('client_days', 'users')", ["entity"])

    rows = [row for row in rows if row.timestamp and row.timestamp.date() < LAST]
    driver.land(rows)
    driver.run(LAST, LAST)
    assert not driver.differences(rows, FIRST, LAST)
