"""Properties that a loader writes into one table per event: into core.events, by day, bounded, the same in steps and rebuilt."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from sessionization_dagster.dbt.column_lineage import lineage_of
from sessionization_dagster.errors import DbtError
from sessionization_dagster.landing import RawTable
from sessionization_dagster.window import Window
from tests.bigquery.driver import BigQueryDriver, raw_dataset, recorded
from tests.bigquery.emulator import PROJECT
from tests.bigquery.pruning import Partitioning, references
from tests.oracle.model import RawRow, Settings

SETTINGS = Settings(sources=("rudderstack", "segment"))
NAMED = "rudderstack=order_completed,product_viewed;segment=order_completed"
TABLES = (("rudderstack", "order_completed"), ("rudderstack", "product_viewed"), ("segment", "order_completed"))
FIRST, LAST = date(2024, 3, 9), date(2024, 3, 10)
NINTH, TENTH = datetime(2024, 3, 9, 8), datetime(2024, 3, 10, 8)
CHECK, TOO_LATE = "event_tables_match_tracks", "rows_came_too_late"
# Beside the columns that every event table has: numbers, an array, and names that canonical columns and SQL have too.
PROPERTIES = {"revenue": "float64", "quantity": "int64", "items": "json", "url": "string", "order": "string"}


@dataclass(frozen=True)
class EventRow:
    """A row of an event table; values are SQL of its properties."""

    table: tuple[str, str]
    id: str | None
    at: datetime
    values: dict[str, str]
    received_at: datetime | None = None


def track(name: str, at: datetime, event: str, source: str = "rudderstack", **fields: Any) -> RawRow:
    values = {"anonymous_id": "a", "received_at": at, **fields}
    return RawRow("tracks", name, timestamp=at, event=event, source=source, **values)


ORDER, VIEW, SEGMENT_ORDER = TABLES
# The emulator makes a text of JSON if it knows how a table is divided.
DIVIDED = (ORDER, VIEW)
CALLS = [
    track("order", NINTH, "order_completed"),
    # The same id on the next day is another event, and in the other source too.
    track("order", TENTH, "order_completed"),
    track("order", NINTH, "order_completed", "segment"),
    track("view", NINTH, "product_viewed"),
    track("login", NINTH, "login", traits=(("plan", "pro"),)),
    track("waits", NINTH, "product_viewed"),
    track("alone", NINTH, "product_viewed", traits=(("plan", "pro"),)),
    track("nobody", NINTH, "product_viewed", anonymous_id=None),
    track("far", NINTH, "order_completed"),
]
ROWS = [
    # Of copies the earliest: here the one that was received first, and is not the first that was written.
    EventRow(ORDER, "order", NINTH, {"revenue": "3.5"}, NINTH + timedelta(hours=1)),
    EventRow(ORDER, "order", NINTH, {"revenue": "2.5", "`order`": "'o-1'", "url": "'/thanks'"}),
    EventRow(ORDER, "order", TENTH, {"quantity": "7"}),
    EventRow(SEGMENT_ORDER, "order", NINTH, {"revenue": "9.0", "items": "json '[1, null]'"}),
    EventRow(VIEW, "view", NINTH, {"url": "'/shoe'"}),
    EventRow(VIEW, "nobody", NINTH, {"url": "'/hat'"}),
    # A clock that is wrong: its day is that of its arrival, and the clock does not give the event's day.
    EventRow(VIEW, "alone", NINTH + timedelta(hours=26), {"url": "'/future'"}, NINTH),
    EventRow(ORDER, "ghost", NINTH, {"revenue": "1.0"}),
    EventRow(ORDER, None, TENTH, {"revenue": "1.0"}),
]  # fmt: skip
# Loaded after the day had run: in time, and when the day does not look for it any more.
LATE = EventRow(VIEW, "waits", NINTH, {"url": "'/late'"}, NINTH + timedelta(days=6))
FAR = EventRow(ORDER, "far", NINTH, {"revenue": "4.0"}, NINTH + timedelta(days=9))


def place(table: tuple[str, str]) -> str:
    return f"{PROJECT}.{raw_dataset(table[0])}.{table[1]}"


def make(driver: BigQueryDriver, rows: Iterable[EventRow]) -> None:
    """The event tables as a loader leaves them, all but one divided by arrival."""
    columns = {"id": "string", "anonymous_id": "string", "event": "string", "context_ip": "string"}
    times = {"timestamp": "timestamp", "received_at": "timestamp"}
    for table in TABLES:
        kinds = ", ".join(f"`{name}` {kind}" for name, kind in {**columns, **times, **PROPERTIES}.items())
        driver.send(f"create or replace table `{place(table)}` ({kinds})")
        if table in DIVIDED:
            driver.divide(RawTable(*table, ()), "received_at")
    insert(driver, rows)


def insert(driver: BigQueryDriver, rows: Iterable[EventRow]) -> None:
    for row in rows:
        names = ", ".join(["id", "anonymous_id", "event", "context_ip", "timestamp", "received_at", *row.values])
        name = "null" if row.id is None else f"'{row.id}'"
        times = f"timestamp '{row.at}', timestamp '{row.received_at or row.at}'"
        values = ", ".join([name, "'a'", f"'{row.table[1]}'", "'1.2.3.4'", times, *row.values.values()])
        driver.send(f"insert into `{place(row.table)}` ({names}) values ({values})")


def properties(driver: BigQueryDriver) -> dict[tuple[str, int], Any]:
    """Event id and day of the month -> properties; each event once."""
    rows = driver.rows("core.events", ["event_id", "event_date", "properties"])
    found = {
        (row["event_id"], row["event_date"].day): json.loads(row["properties"]) if row["properties"] else {}
        for row in rows
    }
    assert len(rows) == len(found)
    return found


def rows_of_check(driver: BigQueryDriver, name: str, first: date, last: date) -> list[tuple[Any, ...]]:
    """What a check that warns finds."""
    variables = {**driver.variables, **Window(first, last + timedelta(days=1)).as_dbt_vars()}
    results = driver.project.runner.invoke(["test", "--select", name], variables).result.results
    (result,) = [result for result in results if result.node.resource_type == "test"]
    rows = driver.send(result.node.compiled_code)
    assert result.status.value == ("warn" if rows else "pass")
    return [tuple(row.values()) for row in rows]


def test_event_tables_give_events_their_properties(endpoint: str) -> None:
    driver = BigQueryDriver(endpoint, SETTINGS, max_lateness_days=7, is_divided=True, event_tables=NAMED)
    driver.land(CALLS)
    make(driver, ROWS)
    driver.run_events(FIRST, FIRST)
    with recorded() as sent:
        run_again(driver, LAST)
    expected = {
        ("order", 9): {"revenue": 2.5, "order": "o-1", "url": "/thanks"},
        ("order", 10): {"quantity": 7},
        ("segment:order", 9): {"revenue": 9.0, "items": [1, None]},
        ("view", 9): {"url": "/shoe"},
        # What tracks itself has stays where no event table says more.
        ("login", 9): {"plan": "pro"},
        ("alone", 9): {"plan": "pro"},
        ("waits", 9): {},
        ("far", 9): {},
    }
    assert properties(driver) == expected
    assert rows_of_check(driver, CHECK, FIRST, LAST) == [
        ("rudderstack", "order_completed", FIRST, 1, 1),
        ("rudderstack", "product_viewed", FIRST, 0, 1),
        ("rudderstack", "order_completed", LAST, 1, 0),
    ]
    assert_bounded(sent)
    command = ["compile", "--select", "events", "--indirect-selection", "empty", "--no-write-json"]
    results = driver.project.runner.invoke(command, driver.variables).result.results
    (compiled,) = [result for result in results if result.node.resource_type == "model"]
    lineage = lineage_of(driver.project.manifest, {compiled.node.unique_id: compiled.node.compiled_code})
    assert lineage[compiled.node.unique_id]["properties"] == [
        (f"model.sessionization.stg_{source}__events", "properties") for source in SETTINGS.sources
    ]

    # A row that comes later is found when its day runs again, unless it came too late.
    insert(driver, [LATE, FAR])
    run_again(driver, LAST)
    assert properties(driver) == expected
    run_again(driver, FIRST)
    expected["waits", 9] = {"url": "/late"}
    assert properties(driver) == expected
    arrived = (NINTH + timedelta(days=9)).date()
    assert rows_of_check(driver, TOO_LATE, arrived, arrived) == [("rudderstack", "order_completed", FIRST, 1)]
    rebuilt = BigQueryDriver(endpoint, SETTINGS, max_lateness_days=7, is_divided=True, event_tables=NAMED)
    rebuilt.land(CALLS)
    make(rebuilt, [FAR, LATE, *reversed(ROWS)])
    rebuilt.run_events(FIRST, LAST)
    assert properties(rebuilt) == expected

    # A table that cannot be read is named with the setting, before a model runs.
    for change, says in (
        ("drop table {}", "there is no such table"),
        ("create table {} as select 'x' as id, 'soon' as timestamp", "its 'timestamp' is STRING, not TIMESTAMP"),
        (
            "create or replace table {} as select 1 as revenue",
            "it has no column 'id', and it has no column 'timestamp'",
        ),
    ):
        rebuilt.send(change.format(f"`{place(VIEW)}`"))
        with pytest.raises(
            DbtError, match=rf"SESSIONIZATION_RAW_EVENT_TABLES names product_viewed of source rudderstack.*{says}"
        ):
            run_again(rebuilt, FIRST)


def run_again(driver: BigQueryDriver, day: date) -> None:
    """The tables that depend on event tables, without those that follow from them."""
    driver.run_sessions(day, day, select="events rejected_events")


def assert_bounded(sent: list[str]) -> None:
    """Each statement bounds the event tables by literals: to the days from which a row of the run's days may have come."""
    tables = {place(table): Partitioning("received_at", "TIMESTAMP") for table in DIVIDED}
    found = [read for sql in sent for read in references(sql, tables, {})]
    assert {read.table for read in found} == set(tables)
    for read in found:
        assert read.lower is not None, read.snippet
        assert read.upper is not None, read.snippet
        assert read.lower >= LAST - timedelta(days=3), read.snippet
        assert read.upper <= LAST + timedelta(days=10), read.snippet
