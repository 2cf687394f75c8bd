"""The made events: the same settings give the same bytes, and they hold what they are said to hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from benchmarks.columns import scrambled, user_names, uuids
from benchmarks.generator import FIRST_DAY, Settings, generate

SETTINGS = Settings(events=40_000, days=8, seed=3)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    generate(SETTINGS, folder)
    return folder


@pytest.fixture(scope="module")
def events(made: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(f"""
            create table events as
            select *, regexp_extract(filename, '(\\w+)/[^/]+$', 1) as kind, regexp_extract(filename, '([-0-9]+).parquet$', 1)::date as day
            from read_parquet('{made}/rudderstack/*/*.parquet', union_by_name = true, filename = true)""")
        yield connection


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row[0]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.parquet")}


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(made: Path, tmp_path: Path) -> None:
    generate(SETTINGS, tmp_path / "again")
    generate(Settings(events=40_000, days=8, seed=4), tmp_path / "other")
    assert contents(tmp_path / "again") == contents(made)
    assert not set(contents(tmp_path / "other").values()) & set(contents(made).values())


def test_a_day_is_the_same_however_many_days_follow(made: Path, tmp_path: Path) -> None:
    generate(Settings(events=20_000, days=4, seed=3), tmp_path)
    fewer = contents(tmp_path)
    assert fewer == {name: data for name, data in contents(made).items() if name in fewer}


def test_every_day_and_table_has_a_file_with_the_events_of_that_day_alone(events: duckdb.DuckDBPyConnection) -> None:
    assert one(events, "select count(distinct (kind, day)) from events") == 3 * SETTINGS.days
    assert one(events, "select count(*) from events where timestamp::date <> day") == 0
    assert one(events, "select max(day) from events") == FIRST_DAY + timedelta(days=SETTINGS.days - 1)


def test_there_are_about_as_many_events_as_asked_for(events: duckdb.DuckDBPyConnection) -> None:
    assert 0.9 < one(events, "select count(*) from events") / SETTINGS.events < 1.1


def test_some_events_come_twice_and_nothing_else_shares_an_id(events: duckdb.DuckDBPyConnection) -> None:
    twice = one(events, "select count(*) from (select id from events group by id having count(*) = 2)")
    assert 0 < twice < SETTINGS.events / 200
    assert (
        one(events, "select count(*) from (select id from events group by id having count(distinct timestamp) > 1)")
        == 0
    )


def test_few_people_make_many_events(events: duckdb.DuckDBPyConnection) -> None:
    shares = events.execute("""
        select count(*) / sum(count(*)) over () as share from events where user_id is not null group by user_id order by 1 desc
    """).fetchall()
    count = len(shares)
    assert sum(share for (share,) in shares[: count // 10]) > 0.3
    assert shares[0][0] < 0.05


def test_people_have_several_devices_and_some_devices_several_people(events: duckdb.DuckDBPyConnection) -> None:
    devices = "select user_id, count(distinct anonymous_id) as n from events where user_id is not null group by 1"
    assert one(events, f"select max(n) from ({devices})") >= 3
    people = "select anonymous_id, count(distinct user_id) as n from events group by 1"
    assert (
        0
        < one(events, f"select count(*) from ({people}) where n > 1")
        < one(events, f"select count(*) from ({people})") / 20
    )


def test_log_ins_happen_on_the_way_with_an_identify_call(events: duckdb.DuckDBPyConnection) -> None:
    assert one(events, "select count(*) from events where kind = 'identifies'") > 100
    assert one(events, "select count(*) from events where kind = 'identifies' and user_id is null") == 0
    both = "select anonymous_id from events group by 1 having count(user_id) between 1 and count(*) - 1"
    assert one(events, f"select count(*) from ({both})") > 100


def test_sessions_run_over_midnight_and_gaps_meet_the_timeout_exactly(events: duckdb.DuckDBPyConnection) -> None:
    gaps = """
        select distinct timestamp, lag(timestamp) over (partition by anonymous_id order by timestamp) as before from events"""
    over = f"select count(*) from ({gaps}) where timestamp - before < interval 5 minutes and timestamp::date <> before::date"
    assert one(events, over) > 10
    for microseconds in (0, 1):
        exact = f"interval 1800 seconds + interval {microseconds} microseconds"
        assert one(events, f"select count(*) from ({gaps}) where timestamp - before = {exact}") > 5


def test_ids_are_as_distinct_as_their_numbers() -> None:
    numbers = np.arange(-50_000, 50_000, dtype=np.int64)
    assert len(np.unique(scrambled(numbers, 7))) == len(numbers)
    texts = uuids(numbers, 7).to_pylist()
    assert len(set(texts)) == len(texts)
    assert {(len(text), text.count("-")) for text in texts} == {(36, 4)}


def test_nobody_is_null() -> None:
    assert user_names(np.array([12, -1, 0])).to_pylist() == ["user-00000012", None, "user-00000000"]
