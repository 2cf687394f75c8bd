"""Small exports as vendors really write them, through the landing and all models: people, sessions, and what is warned of."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sessionization_dagster.dbt.runner import Event
from sessionization_dagster.landing import land
from sessionization_dagster.metadata.failed_rows import failed_rows
from sessionization_dagster.rebuild.visitor_sample import SampleRequest
from sessionization_dagster.window import Window
from tests.integration.recomputed import compare, problems
from tests.integration.thin_driver import ThinDriver, parsed_project
from tests.oracle.model import RawRow, Settings

CASES = Path(__file__).parents[1] / "data" / "vendor_cases"
SOURCES = ("rudderstack", "segment", "mixpanel")
FIRST, LAST = date(2024, 3, 4), date(2024, 3, 5)
WARNINGS = ("shared_devices", "users_of_many_devices", "ids_of_device_and_user", "ids_in_two_tables")


def landed(folder: Path, *cases: str, days: tuple[date, date] = (FIRST, LAST), files: str = "*") -> ThinDriver:
    """A warehouse in which the cases' files have landed and the days have run, with the project's own blocked_ids."""
    blocked = tuple(parsed_project(SOURCES).variables["blocked_ids"])
    driver = ThinDriver(folder, Settings(sources=SOURCES, blocked_ids=blocked))
    with driver.warehouse.connect() as connection:
        for table in (*(table.name for table in driver.tables), "landing_rejects"):
            connection.execute(f"drop table raw.{table}")
    for case in cases:
        add(driver, folder, case, files)
    driver.run(*days)
    return driver


def add(driver: ThinDriver, folder: Path, case: str, files: str = "*") -> None:
    """Put files of a case into the landing folder, and land it."""
    for file in (file for file in (CASES / case).rglob(files) if file.is_file()):
        target = folder / file.relative_to(CASES / case).with_name(f"{case}-{file.name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    with driver.warehouse.connect() as connection:
        land(connection.native, folder / "landing", driver.tables, datetime(2024, 7, 1))


def query(driver: ThinDriver, sql: str) -> list[tuple[Any, ...]]:
    with driver.warehouse.connect() as connection:
        return [tuple(row.values()) for row in connection.query(sql).to_pylist()]


def warned(driver: ThinDriver) -> dict[str, list[str]]:
    """Check -> the first cells of its rows."""
    events: list[Event] = []
    variables = {**driver.variables, **Window(FIRST, LAST + timedelta(days=1)).as_dbt_vars()}
    driver.project.runner.invoke(["test", "--select", *WARNINGS, "events_conserved"], variables, events.append)
    found = failed_rows(driver.warehouse, driver.project, events)
    rows = {name.split(".")[2]: entries["first_rows"].value.splitlines()[2:] for name, entries in found.items()}
    return {name: [line.strip("| ").split(" | ")[0] for line in lines] for name, lines in rows.items()}


def sessions(driver: ThinDriver, *visitors: str) -> list[tuple[Any, ...]]:
    """(visitor, start, number of events) of the visitors' sessions."""
    names = ", ".join(f"'{visitor}'" for visitor in visitors)
    return query(
        driver,
        f"""select dbt_visitor_id, strftime(session_start_at, '%d %H:%M'), num_pvs
        from rudderstack.dbt_session_tracks inner join rudderstack.dbt_session_track_facts using (session_id)
        where dbt_visitor_id in ({names}) order by all""",
    )


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> ThinDriver:
    """Six cases of different people in one landing folder."""
    cases = ("02-mixpanel-login-device-id", "03-placeholder-user-ids", "08-alias-anonymous-id")
    more = ("09-login-midsession-shared-device", "10-numeric-id-namespaces", "12-one-second-resolution")
    return landed(tmp_path_factory.mktemp("exports"), *cases, *more)


def test_people_and_their_sessions(exports: ThinDriver) -> None:
    # Mixpanel: distinct_id is the device before login and the user after it; device_id joins the two.
    assert sessions(exports, "u-77", "D1", "D2", "D3") == [
        ("D3", "05 18:00", 1),
        ("u-77", "04 10:00", 3),
        ("u-77", "05 18:00", 3),
    ]
    assert query(exports, "select distinct country from core.events where user_id = 'u-77'") == [("DE",)]
    # Sixteen placeholders of six devices each, and Ann.
    (placeholders,) = query(
        exports,
        """select count(distinct dbt_visitor_id), count(*), count(case when dbt_visitor_id = 'ann' then 1 end)
        from rudderstack.dbt_session_tracks where dbt_visitor_id like 'dev%' or dbt_visitor_id = 'ann'""",
    )
    assert placeholders == (97, 97, 1)
    # An alias call of two devices.
    assert sessions(exports, "anon-phone", "anon-laptop") == [("anon-phone", "04 09:00", 2)]
    # The policy latest_user: what a tablet did without a login is its newest user's.
    assert sessions(exports, "will", "anna", "bert") == [
        ("anna", "04 08:04", 2),
        ("bert", "04 08:00", 2),
        ("bert", "04 17:00", 3),
        ("will", "04 09:00", 4),
    ]
    # Device 42 is the user of that name: ids are compared as text.
    assert sessions(exports, "42", "99") == [("42", "04 09:00", 4), ("99", "04 09:10", 1)]


def test_events_of_one_second_are_in_the_order_in_which_mixpanel_processed_them(exports: ThinDriver) -> None:
    steps = query(
        exports, "select event, step_number from mixpanel.fact__users_journey where user_id = 'u1' order by step_number"
    )
    assert steps == [("Open App", 1), ("View Item", 2), ("Sign Up", 3), ("Purchase", 4)]
    sequences = query(exports, "select event_sequence from core.events where user_id = 'u1' order by 1")
    assert sequences == [(1709546400900,), (1709546401900,)]


def test_a_number_that_is_a_device_and_another_user_is_warned_of(exports: ThinDriver) -> None:
    assert warned(exports) == {"ids_of_device_and_user": ["42"]}


def test_events_of_one_insert_id_are_recomputed_alike_for_a_sample_of_people(tmp_path: Path) -> None:
    """Which of them keeps the id depends on rows of people outside the sample; ids in rows may have blanks and prefixes."""
    at = datetime(2024, 3, 4, 10)
    driver = ThinDriver(tmp_path, Settings(sources=("mixpanel",)))
    driver.land(
        [
            RawRow("events", "i", "$device:first", timestamp=at, event="seen", source="mixpanel"),
            RawRow("events", "i", "$device:second ", timestamp=at, event="seen", source="mixpanel"),
            RawRow("events", "j", "second", timestamp=at, event="seen", source="mixpanel"),
        ]
    )
    driver.run(FIRST, LAST)
    ids = dict(query(driver, "select anonymous_id, event_id from core.events where event_id like 'i%'"))
    assert ids["first"] == "i"
    assert ids["second"].startswith("i-")
    for visitor in ("first", "second"):
        compared = compare(driver, SampleRequest(size=1, salt="", visitors=(visitor,)))
        assert compared.sample.visitors == (visitor,)
        assert not problems(compared)
        assert not compared.pending


def test_browsers_and_vendors_sessions_are_kept_and_addresses_only_where_the_var_says_so(tmp_path: Path) -> None:
    driver = ThinDriver(tmp_path, Settings(sources=("rudderstack", "measure_js")))
    rows = [
        """raw.rudderstack_tracks (id, anonymous_id, timestamp, context_useragent, context_ip, context_session_id)
        values ('a', 'd', timestamp '2024-03-04 10:00:00', 'agent a', '192.0.2.1', '17')""",
        """raw.rudderstack_pages (id, anonymous_id, timestamp, context_user_agent)
        values ('b', 'd', timestamp '2024-03-04 10:01:00', 'agent b')""",
        """raw.measure_js_events (event_id, client_id, timestamp, user_agent)
        values ('c', 'd', timestamp '2024-03-04 10:02:00', 'agent c')""",
    ]
    with driver.warehouse.connect() as connection:
        for row in rows:
            connection.execute(f"insert into {row}")
    driver.run(FIRST, FIRST)
    sql = "select user_agent, vendor_session_id, ip, event_sequence from core.events order by timestamp"
    assert query(driver, sql) == [("agent a", "17", None, 0), ("agent b", None, None, 0), ("agent c", None, None, 0)]
    variables = {**driver.variables, **Window(FIRST, LAST).as_dbt_vars(), "keep_ip": True}
    driver.project.runner.invoke(["build", "--resource-type", "model", "--select", "tag:events"], variables)
    assert [row[2] for row in query(driver, sql)] == ["192.0.2.1", None, None]


def test_ids_that_two_tables_share_are_warned_of(tmp_path: Path) -> None:
    driver = landed(tmp_path, "18-ids-numbered-per-table")
    assert query(driver, "select event_type, count(*) from core.events group by 1") == [("page", 3)]
    assert warned(driver)["ids_in_two_tables"] == ["1", "2", "3"]


def test_clocks_of_devices_that_are_wrong(tmp_path: Path) -> None:
    """A day from before the first partition waits in raw; 20 hours ahead is within what a clock may be."""
    driver = landed(tmp_path, "13-device-clocks", days=(date(2024, 3, 1), date(2024, 3, 7)))
    rejected = query(
        driver, "select event_id, reason from core.rejected_events where reason <> 'unreadable' order by event_id"
    )
    assert rejected == [("y2031", "future_timestamp")]
    unreadable = query(driver, "select error from raw.landing_rejects")
    assert len(unreadable) == 1
    assert "'2024-02-30T00:00:00Z' is not a time" in unreadable[0][0]
    found = query(driver, "select event_id, event_date::varchar from core.events order by 1")
    assert found == [("f20h", "2024-03-05"), ("late6d", "2024-03-01"), ("ok1", "2024-03-04"), ("ok2", "2024-03-04")]
    assert sessions(driver, "d1", "d4") == [("d1", "04 10:00", 2), ("d1", "05 06:12", 1), ("d4", "01 10:00", 1)]


def test_late_events_and_a_login_nine_days_later_in_days_that_run_out_of_order(tmp_path: Path) -> None:
    case = "17-late-and-long-sessions"
    driver = landed(tmp_path, case, days=(date(2024, 3, 1), date(2024, 3, 2)), files="1_first.csv")
    assert sessions(driver, "d1", "zoe") == [("d1", "01 23:40", 1), ("d1", "02 00:35", 1)]
    add(driver, tmp_path, case)
    for first, last in ((10, 10), (2, 9)):
        driver.run(date(2024, 3, first), date(2024, 3, last))
    assert sessions(driver, "d1", "zoe", "bot") == [
        ("bot", "01 00:00", 2), ("bot", "09 00:00", 1), ("zoe", "01 23:40", 3), ("zoe", "10 12:00", 1),
    ]  # fmt: skip


def test_markup_in_names_is_kept_as_it_is(tmp_path: Path) -> None:
    driver = landed(tmp_path, "23-markup-in-names", days=(FIRST, FIRST))
    (names,) = query(
        driver,
        "select count(*), count(distinct user_id), max(length(event)) from core.events where user_id is not null",
    )
    raw = query(driver, "select count(*), count(distinct user_id), max(length(event)) from raw.rudderstack_tracks")
    assert [names] == raw
    lost = query(
        driver,
        "select user_id, event, context_page_url from raw.rudderstack_tracks except select user_id, event, url from core.events",
    )
    assert lost == []
    assert query(driver, "select count(*) from core.rejected_events") == [(0,)]
