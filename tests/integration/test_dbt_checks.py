"""The checks of events and devices that are dbt tests: what they find, what they leave alone, and how their rows reach people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from sessionization_dagster.dbt.runner import Event
from sessionization_dagster.metadata.failed_rows import failed_rows
from sessionization_dagster.window import Window
from tests.integration.thin_driver import ThinDriver
from tests.oracle.model import Settings

# Nine weeks of some 150 events a day, and the last of them looked at.
FIRST = date(2024, 3, 4)
WEEK = [FIRST + timedelta(days=56 + number) for number in range(7)]
A_THIRD, TRIPLE, NOTHING, A_KIOSK, MANY_BAD, FEW_BAD, USUAL = WEEK
EVENTS = {A_THIRD: 50, TRIPLE: 450, NOTHING: 0, FEW_BAD: 150, USUAL: 190}
BAD = {MANY_BAD: 12, FEW_BAD: 7}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ThinDriver:
    """Every day run, in one run."""
    driver = ThinDriver(tmp_path_factory.mktemp("shop"), Settings(max_users_per_alias=5))
    columns = "id, anonymous_id, user_id, timestamp, event"
    statements = []
    for day in (FIRST + timedelta(days=number) for number in range(63)):
        # Between 140 and 160.
        events = EVENTS.get(day, 140 + day.toordinal() * 7 % 21)
        at = f"timestamp '{day} 00:00:00' + to_seconds(n * 60)"
        statements.append(
            f"select '{day} ' || n, 'device ' || n % 30, null, {at}, 'seen' from range({events}) as numbers(n)"
        )
        statements.append(
            f"select '{day} bad ' || n, null, null, {at}, 'seen' from range({BAD.get(day, 0)}) as numbers(n)"
        )
    at = f"timestamp '{A_KIOSK} 12:00:00' + to_seconds(n)"
    for device, users in (("kiosk", 8), ("sofa", 6), ("tablet", 5)):
        statements.append(
            f"select '{device} ' || n, '{device}', 'user ' || n, {at}, 'seen' from range({users}) as numbers(n)"
        )
    # An account of more devices than max_aliases_per_user, and one of as many.
    for user, devices, day in (("clerk", 101, A_KIOSK), ("owner", 100, FEW_BAD)):
        statements.append(
            f"select '{user} ' || n, '{user} device ' || n, '{user}', timestamp '{day} 15:00:00', 'seen' "
            f"from range({devices}) as numbers(n)"
        )
    # A device and a customer of one number; an id that is its device's too, and nobody else's.
    for place, (device, customer) in enumerate([("42", "99"), ("7", "42"), ("same", "same"), ("same", None)]):
        named = "null" if customer is None else f"'{customer}'"
        statements.append(f"select 'number {place}', '{device}', {named}, timestamp '{A_KIOSK} 13:00:0{place}', 'seen'")
    # More users still, but nobody looks at a day on which it is not seen.
    at = f"timestamp '{FIRST} 12:00:00' + to_seconds(n)"
    statements.append(f"select 'old ' || n, 'old kiosk', 'user ' || n, {at}, 'seen' from range(9) as numbers(n)")
    # Ids on two dates: both in the week, one of them, neither. A third is twice on one date, so one of the two is rejected.
    for name, days in {
        "both": (FEW_BAD, USUAL),
        "one": (FIRST + timedelta(days=52), USUAL),
        "none": (FIRST, FIRST + timedelta(days=1)),
        "copies": (USUAL, USUAL),
    }.items():
        statements += [f"select 'id of {name}', 'device 1', null, timestamp '{day} 13:00:00', 'seen'" for day in days]
    execute(
        driver,
        *(f"insert into raw.rudderstack_tracks ({columns}) {statement}" for statement in statements),
        *(
            f"""insert into raw.rudderstack_aliases (id, previous_id, user_id, timestamp)
            select '{hub} ' || n, '{hub}', '{hub} user ' || n, timestamp '{A_KIOSK} 14:00:00' from range({others}) as numbers(n)"""
            for hub, others in (("counter", 6), ("family", 5))
        ),
        f"""insert into raw.rudderstack_pages (id, anonymous_id, timestamp)
            select id, anonymous_id, timestamp from raw.rudderstack_tracks where id = '{USUAL} 7'""",
    )
    driver.run(FIRST, WEEK[-1])
    return driver


def execute(driver: ThinDriver, *statements: str) -> None:
    with driver.warehouse.connect() as connection, connection.transaction():
        for statement in statements:
            connection.execute(statement)


def test_results(driver: ThinDriver, names: Iterable[str], first: date) -> list[Event]:
    """Dbt's events of the named tests for the days from the first to the end."""
    events: list[Event] = []
    variables = {**driver.variables, **Window(first, WEEK[-1] + timedelta(days=1)).as_dbt_vars()}
    driver.project.runner.invoke(["test", "--select", *names], variables, events.append)
    assert len(events) == len(list(names))
    return events


test_results.__test__ = False  # type: ignore[attr-defined]


def found(driver: ThinDriver, *names: str, first: date = A_THIRD) -> dict[str, list[list[str]]]:
    """Test -> the cells of its first rows; no entry where it passed."""
    metadata = failed_rows(driver.warehouse, driver.project, test_results(driver, names, first))
    return {name.split(".")[2]: cells(entries) for name, entries in metadata.items()}


def cells(entries: dict[str, Any]) -> list[list[str]]:
    lines = entries["first_rows"].value.splitlines()[2:]
    assert entries["rows"] >= len(lines) > 0
    return [line.strip("| ").split(" | ") for line in lines]


def test_warnings_name_the_days_and_devices_that_are_odd_and_no_others(shop: ThinDriver) -> None:
    one_date = "assert_event_ids_stand_on_one_date"
    of_ids = ("shared_devices", "users_of_many_devices", "ids_of_device_and_user", "ids_in_two_tables")
    rows = found(shop, "volume_anomaly", "rejected_share", *of_ids, "events_conserved", one_date)
    assert set(rows) == {"volume_anomaly", "rejected_share", *of_ids, one_date}
    assert sorted(rows[one_date]) == [
        ["id of both", "2", str(FEW_BAD), str(USUAL)],
        ["id of one", "2", str(FIRST + timedelta(days=52)), str(USUAL)],
    ]
    (all_days,) = found(shop, one_date, first=FIRST).values()
    assert sorted(row[0] for row in all_days) == ["id of both", "id of none", "id of one"]
    assert [(row[0], row[2]) for row in rows["volume_anomaly"]] == [
        (str(A_THIRD), "50"),
        (str(TRIPLE), "450"),
        (str(NOTHING), "0"),
    ]
    assert [row[:4] for row in rows["rejected_share"]] == [[str(MANY_BAD), "no_identity", "12", "12"]]
    assert [(*row[:2], row[5]) for row in rows["shared_devices"]] == [
        ("kiosk", "8", "logins"),
        ("counter", "6", "alias calls"),
        ("sofa", "6", "logins"),
    ]
    assert [row[:2] for row in rows["users_of_many_devices"]] == [["clerk", "101"]]
    assert rows["ids_of_device_and_user"] == [["42", "1", "99", "7", "42"]]
    assert [row[:3] for row in rows["ids_in_two_tables"]] == [[f"{USUAL} 7", str(USUAL), "rudderstack"]]
    elsewhere = found(shop, *of_ids, first=USUAL)
    assert set(elsewhere) == {"ids_in_two_tables"}


@pytest.mark.parametrize(
    ("change", "day", "lost"),
    [
        ("delete from core.events where event_id = '{day} 7'", USUAL, 1),
        ("insert into core.events select * from core.events where event_id = '{day} 7'", USUAL, -1),
        ("delete from internal.events__set_aside where event_id = '{day} bad 3'", MANY_BAD, 1),
        ("insert into raw.rudderstack_tracks (id, anonymous_id) values ('no day', 'device 1')", None, 1),
    ],
)
def test_lost_and_doubled_rows_are_reported_by_day_until_it_is_run_again(
    change: str, day: date | None, lost: int, shop: ThinDriver
) -> None:
    execute(shop, change.format(day=day))
    (row,) = found(shop, "events_conserved")["events_conserved"]
    assert (row[1], row[5]) == (str(day or "null"), str(lost))
    shop.run_events(day or USUAL, day or USUAL)
    assert not found(shop, "events_conserved")


def test_events_that_are_in_no_session_and_rows_of_no_event_are_named(shop: ThinDriver) -> None:
    check = "assert_every_event_is_in_exactly_one_session"
    table, lost = "core.session_events", f"{USUAL} 7"
    missing, strange = [str(USUAL), lost, "1", "0"], [str(USUAL), "nobody's", "0", "1"]
    execute(shop, f"create table internal.kept as select * from {table} where event_id = '{lost}'")
    assert not found(shop, check)
    execute(shop, f"update {table} set event_id = 'nobody''s' where event_id = '{lost}'")
    assert sorted(found(shop, check)[check]) == sorted([missing, strange])
    execute(shop, f"delete from {table} where event_id = 'nobody''s'")
    assert found(shop, check)[check] == [missing]
    execute(shop, f"insert into {table} select * from internal.kept", "drop table internal.kept")
    assert not found(shop, check)


FILE_CHECK = "assert_landed_files_became_events"
LEDGER = """create table raw.landed_files (source varchar, table_name varchar, source_file varchar, status varchar, row_count bigint,
    reject_count bigint)"""
#: File -> the days of its sound rows, of its rows of nobody, and (None) of its rows without a time. In a file of copies, the sound rows are
#: those of the file "sound" once more, an hour later.
FILES: dict[str, tuple[list[date], list[date | None]]] = {
    "sound": ([USUAL], []),
    "half": ([USUAL], [USUAL]),
    "nobody": ([], [FIRST, USUAL]),
    "undated": ([], [None]),
    "copies": ([USUAL], []),
    "copies, more nobody": ([USUAL], [USUAL, USUAL]),
    "copies and nobody": ([USUAL, USUAL], [USUAL]),
    "removed": ([], [USUAL]),
}


def filled(folder: Path, files: Iterable[str]) -> ThinDriver:
    """A warehouse with the rows of those files, all days run."""
    folder.mkdir(exist_ok=True)
    driver = ThinDriver(folder, Settings())
    statements = [LEDGER]
    for name in files:
        sound, bad = FILES[name]
        is_copied = name.startswith("copies")
        rows = [(f"{day} {'sound' if is_copied else name}", "'a'", day) for day in sound] + [
            (f"{name} {n}", "null", day) for n, day in enumerate(bad)
        ]
        for event_id, device, day in rows:
            at = f"timestamp '{day} {13 if is_copied else 12}:00:00'" if day else "null"
            statements.append(
                "insert into raw.rudderstack_tracks (id, anonymous_id, timestamp, event, source_file) "
                f"values ('{event_id}', {device}, {at}, 'seen', '{name}.csv')"
            )
        status = "removed" if name == "removed" else "loaded"
        statements.append(
            f"insert into raw.landed_files values ('rudderstack', 'tracks', '{name}.csv', '{status}', {len(rows)}, 0)"
        )
    execute(driver, *statements)
    driver.run_events(FIRST, WEEK[-1])
    return driver


def status(driver: ThinDriver, check: str) -> str:
    """Dbt's status of a test for the last week's days: pass, warn or fail."""
    (event,) = test_results(driver, [check], USUAL)
    return str(event["data"]["node_info"]["node_status"])


def test_a_landed_file_of_which_no_row_became_an_event_is_named(tmp_path: Path) -> None:
    """However few its rows are, on whichever of its days, and though they are copies; not a file that was taken out."""
    driver = filled(tmp_path, FILES)
    execute(
        driver,
        "insert into raw.landing_rejects values ('rudderstack', 'tracks', 'lines.csv', 2, 'torn', 'x', null)",
        "insert into raw.landed_files values ('rudderstack', 'tracks', 'lines.csv', 'loaded', 0, 1)",
        "insert into raw.landing_rejects values ('rudderstack', 'tracks', 'aside.csv', null, 'torn', null, null)",
        "insert into raw.landed_files values ('rudderstack', 'tracks', 'aside.csv', 'unreadable', 0, 1)",
    )
    driver.run_events(USUAL, USUAL)
    assert [row[1:4] for row in found(driver, FILE_CHECK, first=USUAL)[FILE_CHECK]] == [
        ["copies and nobody.csv", "3", "no_identity"], ["copies, more nobody.csv", "3", "no_identity"],
        ["copies.csv", "1", "duplicate_event_id"], ["lines.csv", "1", "unreadable"], ["nobody.csv", "2", "no_identity"],
        ["undated.csv", "1", "no_timestamp"],
    ]  # fmt: skip


def test_a_run_that_loses_all_of_its_rows_is_reported_however_few_they_are(tmp_path: Path) -> None:
    lost = filled(tmp_path / "lost", ["removed", "undated"])
    rows = found(lost, "rejected_share")["rejected_share"]
    assert sorted(row[:2] for row in rows) == [[str(USUAL), "no_identity"], ["null", "no_timestamp"]]
    assert status(lost, FILE_CHECK) == "fail"
    rest = filled(tmp_path / "rest", ["sound", "undated"])
    assert not found(rest, "rejected_share")
    assert status(rest, FILE_CHECK) == "warn"
    execute(
        rest, "insert into raw.rudderstack_tracks (id, anonymous_id) select 'n' || n, 'a' from range(11) as numbers(n)"
    )
    rest.run_events(USUAL, USUAL)
    assert [row[:5] for row in found(rest, "rejected_share")["rejected_share"]] == [
        ["null", "no_timestamp", "12", "12", "1"]
    ]


def test_a_local_date_that_a_clock_change_turns_back_fails_no_check(tmp_path: Path) -> None:
    """Newfoundland's clocks went from 00:01 back to 23:01 of the day before, until 2011: a later moment has an earlier date."""
    saturday, sunday = date(2010, 11, 6), date(2010, 11, 7)
    driver = ThinDriver(tmp_path, Settings(timezone="America/St_Johns"))
    back, twice = "2010-11-07 02:{}", "2010-11-07 03:{}"
    of_one_session = [back.format(at) for at in ("20:00", "30:30", "40:00")] + [
        twice.format(at) for at in ("00:00", "29:00", "40:00")
    ]
    of_three = [back.format("30:20"), twice.format("05:00"), twice.format("40:00")]
    execute(
        driver,
        *(
            f"insert into raw.rudderstack_tracks (id, anonymous_id, timestamp, event) values ('{name} {at}', '{name}', '{at}', 'seen')"
            for name, moments in (("a", of_one_session), ("b", of_three))
            for at in moments
        ),
    )
    driver.run(saturday, sunday)
    dates = "select event_date, count(*) as n from core.events group by 1 order by 1"
    with driver.warehouse.connect() as connection:
        assert connection.query(dates).to_pylist() == [{"event_date": saturday, "n": 5}, {"event_date": sunday, "n": 4}]
    checks = [
        "assert_track_numbers_have_no_holes", "assert_session_numbers_have_no_holes", "assert_no_session_overlaps",
        "assert_dim_sessions_over_midnight_are_dbt_sessions", "assert_segment_sessions_are_dbt_sessions",
        "assert_funnel_stages_follow_each_other",
    ]  # fmt: skip

    def failed(first: date, last: date) -> set[str]:
        events: list[Event] = []
        window = Window(first, last + timedelta(days=1)).as_dbt_vars()
        driver.project.runner.invoke(["test", "--select", *checks], {**driver.variables, **window}, events.append)
        assert len(events) == len(checks)
        states = [event["data"]["node_info"] for event in events]
        return {state["node_name"] for state in states if state["node_status"] != "pass"}

    for days in ((saturday, saturday), (sunday, sunday), (saturday, sunday)):
        assert failed(*days) == set()
    execute(
        driver,
        f"update core.session_events set track_sequence_number = 9 where event_id = 'a {twice.format('40:00')}'",
    )
    execute(
        driver,
        "update core.sessions set session_sequence_number = 5 where dbt_visitor_id = 'b' and session_sequence_number = 3",
    )
    assert {"assert_track_numbers_have_no_holes", "assert_session_numbers_have_no_holes"} <= failed(sunday, sunday)
