"""core.user_agents after runs of some days, whatever their order."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from sessionization_dagster.user_agents import update_user_agents, user_agent_table
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse
from sessionization_dagster.window import Window

FIRST = date(2024, 3, 10)


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    found = DuckDBWarehouse(tmp_path / "shop.duckdb")
    with found.connect() as connection:
        connection.execute("create schema core")
        connection.execute("create table core.events (event_date date, user_agent varchar)")
    return found


def put(warehouse: DuckDBWarehouse, day: int, *texts: str | None) -> None:
    """A day's events, and a run of it."""
    date_ = FIRST + timedelta(days=day)
    with warehouse.connect() as connection:
        connection.execute(f"delete from core.events where event_date = date '{date_}'")
        for text in texts:
            connection.native.execute("insert into core.events values (?, ?)", [date_, text])


def run(warehouse: DuckDBWarehouse, day: int) -> user_agent_table.UserAgentsUpdate:
    return update_user_agents(warehouse, Window(FIRST + timedelta(days=day), FIRST + timedelta(days=day + 1)))


def known(warehouse: DuckDBWarehouse) -> list[str]:
    with warehouse.connect() as connection:
        rows = connection.query("select user_agent from core.user_agents order by 1").to_pylist()
    return [row["user_agent"] for row in rows]


def test_the_first_run_reads_all_days_and_others_their_own(warehouse: DuckDBWarehouse) -> None:
    put(warehouse, 0, "a", "b", None, "", " ")
    put(warehouse, 1, "b", "c", "c")
    assert run(warehouse, 1) == user_agent_table.UserAgentsUpdate(parsed=3, removed=0, user_agents=3)
    assert known(warehouse) == ["a", "b", "c"]
    put(warehouse, 0, "a", "d")
    put(warehouse, 1, "e")
    assert run(warehouse, 0) == user_agent_table.UserAgentsUpdate(parsed=1, removed=0, user_agents=4)
    assert known(warehouse) == ["a", "b", "c", "d"]


def test_a_user_agent_goes_with_its_last_day(warehouse: DuckDBWarehouse) -> None:
    put(warehouse, 0, "a", "b")
    put(warehouse, 1, "b")
    run(warehouse, 0)
    put(warehouse, 0)
    assert run(warehouse, 0).removed == 1
    assert known(warehouse) == ["b"]
    put(warehouse, 1, "c")
    assert run(warehouse, 1) == user_agent_table.UserAgentsUpdate(parsed=1, removed=1, user_agents=1)
    assert run(warehouse, 1) == user_agent_table.UserAgentsUpdate(parsed=0, removed=0, user_agents=1)


def test_other_lists_and_a_lost_table_read_all_again(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(warehouse, 0, "a")
    put(warehouse, 1, "b")
    run(warehouse, 0)
    monkeypatch.setattr(user_agent_table, "parser", lambda: "another")
    put(warehouse, 1, "c")
    assert run(warehouse, 1) == user_agent_table.UserAgentsUpdate(parsed=2, removed=1, user_agents=2)
    with warehouse.connect() as connection:
        connection.execute("drop table core.user_agents")
    assert run(warehouse, 0).user_agents == 2
    assert known(warehouse) == ["a", "c"]
