"""What goes wrong on BigQuery: a transaction that breaks off, raw tables that are not as they should be, rows that come too late."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sessionization_dagster.errors import DbtError
from sessionization_dagster.window import Window
from tests.bigquery.driver import DATASET, BigQueryDriver, raw_dataset, recorded
from tests.bigquery.emulator import PROJECT
from tests.bigquery.pruning import Partitioning, Reference, Side, references
from tests.bigquery.test_equality import differences
from tests.integration.raw_fields import columns_of
from tests.integration.thin_driver import ThinDriver, parsed_project
from tests.oracle.model import RawRow, Settings
from tests.test_fingerprints import compiled as fingerprints_of
from tests.test_fingerprints import edited

NUMBERED = ("event_id", "anonymous_id", "user_id", "timestamp", "received_at", "properties")
FIRST, LAST = date(2024, 3, 9), date(2024, 3, 10)


def track(name: str, at: datetime, received_at: datetime | None = None) -> RawRow:
    return RawRow("tracks", name, "a", timestamp=at, received_at=received_at or at, event="login")


def visits(name: str, at: datetime) -> list[RawRow]:
    return [
        RawRow("events", f"{name}{n}", "c", "u", timestamp=at + timedelta(minutes=n), event="pageview", source="measure_js")
        for n in range(3)
    ]  # fmt: skip


def duckdb_driver(
    folder: Path, settings: Settings, family: str, rows: Sequence[RawRow], first: date, last: date
) -> ThinDriver:
    """The same rows on DuckDB, all in one run."""
    folder.mkdir()
    driver = ThinDriver(folder, settings, parsed_project(settings.sources, families=(family,)))
    driver.land(rows)
    driver.run(first, last)
    return driver


def internal(name: str) -> str:
    return f"`{PROJECT}.{DATASET}_internal.{name}`"


def test_a_transaction_that_breaks_off_leaves_all_as_it_was(endpoint: str, tmp_path: Path) -> None:
    settings = Settings(sources=("rudderstack", "measure_js"))
    driver = BigQueryDriver(endpoint, settings, families=("measure_js",))
    rows = [track("t1", datetime(2024, 3, 9, 8)), *visits("m", datetime(2024, 3, 9, 8))]
    driver.land(rows)
    driver.run(FIRST, LAST)
    # The progress of all models, and what their tables and notes hold.
    watched = {
        "events": f"select * from `{PROJECT}.{DATASET}_measure_js.client_events` order by event_id",
        "progress": f"select * from {internal('frontier_progress')} where model = 'client_events'",
        "notes": f"""select origin, sequence, entity from {internal("change_queue")}
            where origin in ('client_events', 'client_days', 'users') order by 1, 2, 3""",
        "state": f"select * from {internal('client_events__state')}",
    }

    def seen() -> dict[str, list[dict[str, Any]]]:
        return {name: driver.send(sql) for name, sql in watched.items()}

    before = seen()
    assert before["progress"]
    # The last statements but one of the model's script find a column that they give no value.
    driver.send(f"alter table {internal('client_events__state')} add column broken string")
    rows += [track("t2", datetime(2024, 3, 9, 9)), *visits("n", datetime(2024, 3, 9, 7, 50))]
    driver.land(rows)
    with recorded() as sent, pytest.raises(DbtError, match="client_events"):
        driver.run(FIRST, FIRST)
    (script,) = [sql for sql in sent if "begin transaction" in sql and "client_events__state" in sql]
    places = [
        script.index(text)
        for text in ("'client_days', cast(", "insert into `demo`.`shop_measure_js`.`client_events`", "__state`")
    ]
    assert places == sorted(places)
    assert {**seen(), "state": before["state"]} == before
    driver.send(
        f"create or replace table {internal('client_events__state')} as select * except (broken) from {internal('client_events__state')}"
    )
    assert seen() == before
    driver.run(FIRST, FIRST)
    assert not differences(
        duckdb_driver(tmp_path / "whole", settings, "measure_js", rows, FIRST, LAST), driver, rows, FIRST, LAST
    )


def test_raw_tables_that_are_not_as_declared_are_named_with_the_remedy(endpoint: str) -> None:
    driver = BigQueryDriver(endpoint, Settings(sources=("rudderstack", "measure_js")))
    driver.land([track("t1", datetime(2024, 3, 9, 8)), *visits("m", datetime(2024, 3, 9, 8))])
    tracks, screens = (f"`{PROJECT}.{raw_dataset('rudderstack')}.{name}`" for name in ("tracks", "screens"))
    # A kind of call that never came.
    driver.send(f"drop table {screens}")
    driver.run_events(FIRST, FIRST)
    assert [row["event_id"] for row in driver.rows("core.events", ["event_id"]) if row["event_id"] == "t1"] == ["t1"]

    # A loader that saw numbers first made columns of numbers, and of lists what they are.
    kept = "except (id, anonymous_id, user_id, timestamp, received_at)"
    driver.send(
        f"""create or replace table {tracks} as
        select * {kept}, 7 as id, 42.0 as anonymous_id, 1.5 as user_id, unix_millis(timestamp) as timestamp,
            unix_seconds(received_at) + 0.25 as received_at, json '[1, null]' as items from {tracks}"""
    )
    driver.run_sessions(FIRST, FIRST, select="stg_rudderstack__events")
    driver.run_events(FIRST, FIRST)
    (event,) = [row for row in driver.rows("core.events", NUMBERED) if row["event_id"] == "7"]
    assert {**event, "properties": json.loads(event["properties"])} == {
        "event_id": "7",
        "anonymous_id": "42",
        "user_id": "1.5",
        "timestamp": datetime(2024, 3, 9, 8),
        "received_at": datetime(2024, 3, 9, 8, 0, 0, 250000),
        "properties": {"items": [1, None]},
    }

    # Texts that say that there is no value, and an id that was a number once.
    driver.send(
        f"""create or replace table {tracks} as
        select * except (anonymous_id, user_id, context_os_name, event),
            ' 42.0 ' as anonymous_id, 'NULL' as user_id, ' None' as context_os_name, '' as event from {tracks}"""
    )
    driver.run_sessions(FIRST, FIRST, select="stg_rudderstack__events")
    driver.run_events(FIRST, FIRST)
    texts = ["event_id", "anonymous_id", "user_id", "os", "event"]
    (event,) = [row for row in driver.rows("core.events", texts) if row["event_id"] == "7"]
    assert list(event.values()) == ["7", "42", None, None, None]

    driver.send(f"create or replace table {tracks} as select * except (id) from {tracks}")
    with pytest.raises(DbtError, match=r"tracks`? has no column 'id'(?s:.*)SESSIONIZATION_RAW_DATASETS"):
        driver.run_sessions(FIRST, FIRST, select="stg_rudderstack__events")
    driver.send(
        f"create or replace table {tracks} as select * except (timestamp), 'x' as id, 'soon' as timestamp from {tracks}"
    )
    with pytest.raises(
        DbtError, match=r"tracks`? has 'timestamp' as STRING, not TIMESTAMP(?s:.*)SESSIONIZATION_RAW_DATASETS"
    ):
        driver.run_sessions(FIRST, FIRST, select="stg_rudderstack__events")

    driver.send(f"drop table `{PROJECT}.{raw_dataset('measure_js')}.events`")
    with pytest.raises(
        DbtError,
        match=r"Source measure_js has none of its raw tables: .*vendor_measure_js(?s:.*)SESSIONIZATION_RAW_DATASETS",
    ):
        driver.run_events(FIRST, FIRST)


def test_rows_that_come_too_late_are_warned_of_and_in_no_table(endpoint: str, tmp_path: Path) -> None:
    settings = Settings()
    driver = BigQueryDriver(endpoint, settings, max_lateness_days=7, is_divided=True, families=("rudderstack",))
    arrived = datetime(2024, 3, 17, 12)
    # The second comes seven days after its day.
    in_time = [
        track("t1", datetime(2024, 3, 9, 8)),
        track("t2", datetime(2024, 3, 9, 9), arrived - timedelta(days=1)),
    ]
    # An alias call of a device alone, in a column that the loader made.
    nobody = RawRow(
        "aliases",
        "nobody",
        timestamp=in_time[0].timestamp,
        received_at=in_time[0].timestamp,
        traits=(("anonymous_id", "a"),),
    )
    in_time.append(nobody)
    late = [track("late", datetime(2024, 3, 9, 8, 10), arrived), track("later", datetime(2024, 3, 8, 23), arrived)]
    days = date(2024, 3, 8), arrived.date()
    driver.land(in_time[:1])
    driver.run(FIRST, FIRST)
    driver.land([*in_time, *late])
    driver.run(*days)
    check = "rows_came_too_late"
    assert driver.run_tests(arrived.date(), arrived.date(), check) == {check: "warn"}
    assert driver.run_tests(FIRST, LAST, check) == {check: "pass"}
    expected = duckdb_driver(tmp_path / "in_time", settings, "rudderstack", in_time, *days)
    assert not differences(expected, driver, in_time, *days)
    rebuilt = BigQueryDriver(endpoint, settings, max_lateness_days=7, is_divided=True, families=("rudderstack",))
    rebuilt.land([*in_time, *late])
    rebuilt.run(*days)
    assert not differences(expected, rebuilt, in_time, *days)

    # History that was loaded on a date that is named is found by a run of its days, and by no run of later ones.
    rebuilt.replayed_loads = (arrived.date(),)
    with recorded() as sent:
        rebuilt.run_events(date(2024, 3, 8), FIRST)
    assert any(str(arrived.date()) in sql for sql in sent)
    found = {row["event_id"] for row in rebuilt.rows("core.events", ["event_id"])}
    assert found == {"t1", "t2", "nobody", "late", "later"}
    assert rebuilt.run_tests(arrived.date(), arrived.date(), check) == {check: "pass"}


_VIEW = re.compile(r"create or replace view (\S+)\s+options\(\)\s+as(.*)", re.I | re.S)


def reads(sent: Sequence[str], table: str, column: str, views: dict[str, str] | None = None) -> list[Reference]:
    """How statements read a table that is divided by a time, through views: those given and those that other statements make."""
    made = {name.replace("`", ""): query for text in sent for name, query in _VIEW.findall(text)}
    divided = {table: Partitioning(column, "TIMESTAMP")}
    asked = [text for text in sent if not _VIEW.search(text)]
    return [read for text in asked for read in references(text, divided, {**made, **(views or {})})]


def compiled(driver: BigQueryDriver, *models: str) -> dict[str, str]:
    """The SQL of models for the first day, by their tables."""
    variables = {**driver.variables, **Window(FIRST, LAST).as_dbt_vars()}
    command = ["compile", "--select", *models, "--indirect-selection", "empty", "--no-write-json"]
    nodes = [result.node for result in driver.project.runner.invoke(command, variables).result.results]
    return {node.relation_name.replace("`", ""): node.compiled_code for node in nodes}


def test_tables_that_a_devices_clock_divides_are_bounded_and_rows_of_wrong_clocks_counted(endpoint: str) -> None:
    driver = BigQueryDriver(endpoint, Settings(), max_lateness_days=7)
    eight = datetime(2024, 3, 9, 8)
    offline = track("offline", eight, eight + timedelta(days=6))
    driver.land([track("good", eight), offline, track("reset", eight), track("ahead", eight)])
    (table,) = [table for table in driver.tables if table.table == "tracks"]
    clock = (
        "case id when 'reset' then timestamp '1970-01-02' when 'ahead' then timestamp '2031-01-01' else received_at end"
    )
    tracks, loaded = driver.load_again(table, f"*, {clock} as sent_at", "sent_at")

    def events() -> set[str]:
        return {row["event_id"] for row in driver.rows("core.events", ["event_id"])}

    with recorded() as sent:
        driver.run_events(FIRST, FIRST)
    assert events() == {"good", "offline"}
    found = reads(sent, tracks, "sent_at")
    assert found
    assert not [read for read in found if read.is_open()]
    assert min(read.lower for read in found if read.lower) == FIRST - timedelta(days=3)
    # The arrival decides which run names them, though a clock does not: both came on the first day.
    check = "rows_came_too_late"
    assert driver.run_tests(FIRST, FIRST, check) == {check: "warn"}
    assert driver.run_tests(LAST, LAST, check) == {check: "pass"}

    # A bound reaches through a view that renames the column, which the setting names. One on the event's own time needs no setting.
    driver.send(f"drop table `{tracks}`")
    query = f"select {', '.join(columns_of('rudderstack', 'tracks'))}, sent_at as original_timestamp from `{loaded}`"
    driver.send(f"create view `{tracks}` as {query}")
    cases: list[tuple[dict[str, str], str, tuple[Side, ...]]] = [
        ({"rudderstack": "original_timestamp"}, "sent_at", ("lower", "upper")),
        ({"rudderstack": "timestamp"}, "timestamp", ("lower",)),
    ]
    for named, column, sides in cases:
        driver.raw_load_times = named
        views = {tracks: query, **compiled(driver, "stg_rudderstack__events")}
        found = reads(list(compiled(driver, "events", "rejected_events").values()), loaded, column, views)
        assert found
        assert not [read for read in found if read.is_open(sides)]

    driver.raw_load_times = {"rudderstack": "sent_on"}
    with pytest.raises(DbtError, match=r"SESSIONIZATION_RAW_LOAD_TIMES says that the column 'sent_on'(?s:.*)tracks"):
        driver.run_events(FIRST, FIRST)


def test_tables_that_are_divided_by_the_time_of_loading_are_bounded(endpoint: str) -> None:
    """By loaded_at. A table divided by _PARTITIONTIME is read in the same way, but the emulator lacks that column."""
    driver = BigQueryDriver(endpoint, Settings(), max_lateness_days=7, families=("rudderstack",))
    eight = datetime(2024, 3, 9, 8)
    driver.land([track("good", eight), track("later", eight, eight + timedelta(days=20))])
    (table,) = [table for table in driver.tables if table.table == "tracks"]
    kept = ", ".join(name for name in columns_of("rudderstack", "tracks") if name != "received_at")
    tracks, _ = driver.load_again(table, f"{kept}, received_at as loaded_at", "loaded_at")
    with recorded() as sent:
        driver.run_events(FIRST, FIRST)
    assert {row["event_id"] for row in driver.rows("core.events", ["event_id"])} == {"good"}
    found = reads(sent, tracks, "loaded_at")
    assert found
    assert not [read for read in found if read.is_open()]
    assert min(read.lower for read in found if read.lower) == FIRST - timedelta(days=3)


def test_a_row_that_was_loaded_before_its_own_time_is_rejected_by_the_day_it_came(endpoint: str) -> None:
    driver = BigQueryDriver(endpoint, Settings(sources=("rudderstack", "measure_js")), max_lateness_days=7)
    happened, loaded = datetime(2024, 3, 15, 8), datetime(2024, 3, 9, 12)
    driver.land(visits("m", happened))
    (table,) = [table for table in driver.tables if table.source == "measure_js"]
    driver.load_again(table, f"*, timestamp '{loaded}' as loaded_at", "loaded_at")
    on_arrival = {"reason": "future_timestamp", "event_date": loaded.date()}
    for day, rejected in ((happened.date(), []), (loaded.date(), [on_arrival] * 3)):
        driver.run_events(day, day)
        assert driver.rows("core.events", ["event_id"]) == []
        assert driver.rows("core.rejected_events", on_arrival) == rejected
    assert driver.run_tests(loaded.date(), loaded.date(), "events_conserved") == {"events_conserved": "pass"}


def test_reading_a_loaders_columns_otherwise_makes_the_events_anew(endpoint: str) -> None:
    """A fingerprint has the text for the declared columns and types, because no table is asked for its own."""
    driver = BigQueryDriver(endpoint, Settings())
    runner = driver.project.runner_in(driver.project.target_path)
    variables = {**driver.variables, "bigquery_endpoint": endpoint}
    before, _ = fingerprints_of(runner, variables)
    macros = {macro.name: macro for macro in runner._manifest.macros.values()}
    for name, old, new, concerned in (
        # Traits are read from the events' properties by the same words.
        ("null_words", "'nat'", "'nil'", {"events", "segment_user_calls"}),
        ("epoch_units", "1000000000, 1000000", "1000000000, 1", {"events"}),
        ("whole_with_fraction", "0+", "0*", {"events"}),
    ):
        macro = macros[name]
        assert old in macro.macro_sql
        with edited(macro, macro.macro_sql.replace(old, new)):
            after, _ = fingerprints_of(runner, variables)
        assert {model for model in before if after[model] != before[model]} == concerned, name
