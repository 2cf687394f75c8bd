"""The analytics family: incremental runs equal a rebuild, and the rules of touches and channels on whole sessions."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.environment import Environment
from tests.integration.analytics_visits import START, Visit, changed, land_visits, random_visits
from tests.integration.thin_driver import ThinDriver
from tests.oracle.model import Settings

TABLES = (
    "core.user_agents", "analytics.session_facts", "analytics.sessions", "analytics.conversion_events", "analytics.attribution",
    "analytics.visitor_days", "analytics.visitors", "analytics.channels_daily", "analytics.retention_weekly",
)  # fmt: skip
DAYS = 3


@cache
def family() -> DbtProject:
    """The family alone: others have tests of their own."""
    return DbtProject.of(Environment.from_env({"SESSIONIZATION_FAMILIES": "analytics"}))


def contents(driver: ThinDriver) -> dict[str, list[dict[str, Any]]]:
    with driver.warehouse.connect() as connection:
        return {table: connection.query(f"select * from {table} order by all").to_pylist() for table in TABLES}


def day(number: int) -> date:
    return START.date() + timedelta(days=number)


def rebuilt(folder: Path, visits: list[Visit]) -> dict[str, list[dict[str, Any]]]:
    folder.mkdir()
    driver = ThinDriver(folder, Settings(), family())
    land_visits(driver, visits)
    driver.run(day(0), day(DAYS - 1))
    return contents(driver)


@pytest.mark.parametrize("seed", range(2))
def test_any_order_of_runs_equals_a_rebuild(seed: int, tmp_path: Path) -> None:
    rng = Random(seed)
    (tmp_path / "runs").mkdir()
    driver = ThinDriver(tmp_path / "runs", Settings(), family())
    visits = random_visits(rng, DAYS)
    for step in range(3):
        land_visits(driver, visits)
        order = list(range(DAYS))
        if step:
            rng.shuffle(order)
        for number in order:
            driver.run(day(number), day(number))
        expected, found = rebuilt(tmp_path / f"rebuilt{step}", visits), contents(driver)
        for table in TABLES:
            assert found[table] == expected[table], (table, step)
        assert all(expected[table] for table in TABLES)
        visits = changed(rng, visits, DAYS)
