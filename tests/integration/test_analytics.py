"""The analytics family: incremental runs equal a rebuild, and the rules of touches and channels on whole sessions."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sessionization_dagster.dbt.project import PROJECT_DIR, DbtProject
from sessionization_dagster.settings.environment import Environment
from tests.integration.analytics_visits import AMOUNT, START, Visit, changed, land_visits, random_visits
from tests.integration.thin_driver import ThinDriver
from tests.oracle.model import Settings

TABLES = (
    "core.user_agents", "analytics.session_facts", "analytics.sessions", "analytics.conversion_events", "analytics.attribution",
    "analytics.visitor_days", "analytics.visitors", "analytics.channels_daily", "analytics.retention_weekly",
)  # fmt: skip
DAYS = 3


# Shorter than the histories are, so that touches and returns fall out of them.
SHORT = {"attribution_lookback_days": 1, "returning_days": 1, "own_domains": ["blog.example"]}
_QUOTED = AMOUNT.replace('"', '""')
CONVERSIONS = f'conversion_name,event,value_property\npurchase,purchase,"{_QUOTED}"\nlead,signup,\nany,purchase,\n'


@cache
def family() -> DbtProject:
    """The family alone: others have tests of their own."""
    return DbtProject.of(Environment.from_env({"SESSIONIZATION_FAMILIES": "analytics"}))


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], DbtProject]:
    """The same with other settings and conversions, by timezone."""
    project_dir = tmp_path_factory.mktemp("project") / "dbt_project"
    shutil.copytree(PROJECT_DIR, project_dir, ignore=shutil.ignore_patterns("target", "logs"))
    (project_dir / "seeds" / "analytics" / "conversions.csv").write_text(CONVERSIONS)

    @cache
    def project(timezone: str) -> DbtProject:
        names = {"SESSIONIZATION_FAMILIES": "analytics", "SESSIONIZATION_TIMEZONE": timezone}
        return DbtProject.of(Environment.from_env(names), SHORT, project_dir)

    return project


def contents(driver: ThinDriver) -> dict[str, list[dict[str, Any]]]:
    with driver.warehouse.connect() as connection:
        return {table: connection.query(f"select * from {table} order by all").to_pylist() for table in TABLES}


def day(number: int) -> date:
    return START.date() + timedelta(days=number)


def rebuilt(
    folder: Path, settings: Settings, project: DbtProject, visits: list[Visit]
) -> dict[str, list[dict[str, Any]]]:
    folder.mkdir()
    driver = ThinDriver(folder, settings, project)
    land_visits(driver, visits)
    driver.run(day(-1), day(DAYS))
    return contents(driver)


@pytest.mark.parametrize(("seed", "timezone"), [(0, "UTC"), (1, "America/New_York")])
def test_any_order_of_runs_equals_a_rebuild(
    seed: int, timezone: str, strict: Callable[[str], DbtProject], tmp_path: Path
) -> None:
    rng = Random(seed)
    (tmp_path / "runs").mkdir()
    settings, project = Settings(timezone=timezone), strict(timezone)
    driver = ThinDriver(tmp_path / "runs", settings, project)
    visits = random_visits(rng, DAYS)
    for step in range(3):
        land_visits(driver, visits)
        order = list(range(-1, DAYS + 1))
        if step:
            rng.shuffle(order)
        for number in order:
            driver.run(day(number), day(number))
        expected, found = rebuilt(tmp_path / f"rebuilt{step}", settings, project, visits), contents(driver)
        for table in TABLES:
            assert found[table] == expected[table], (table, step)
        assert all(expected[table] for table in TABLES)
        assert any(row["touch_count"] > 1 for row in expected["analytics.attribution"])
        assert any(row["conversion_value"] % 1 for row in expected["analytics.visitors"])
        visits = changed(rng, visits, DAYS)


def test_every_case_of_the_published_rules_has_its_channel(tmp_path: Path) -> None:
    with (Path(__file__).parents[1] / "data" / "channel_cases.csv").open(newline="") as file:
        cases = list(csv.DictReader(file))
    assert len(cases) > 60
    driver = ThinDriver(tmp_path, Settings(), family())
    land_visits(
        driver,
        [
            Visit(f"e{n}", START, f"case {n}", url=case["landing_url"], referrer=case["referrer"] or None)
            for n, case in enumerate(cases)
        ],
    )
    driver.run(day(0), day(0))
    columns = ("dbt_visitor_id", "touch_source", "touch_medium", "channel_group")
    rows = {row["dbt_visitor_id"]: row for row in driver.rows("analytics.sessions", columns)}
    found = [tuple(rows[f"case {n}"][column] for column in columns[1:]) for n in range(len(cases))]
    wanted = [(case["source"], case["medium"], case["channel_group"]) for case in cases]
    wrong = [(case, is_) for case, is_, should in zip(cases, found, wanted, strict=True) if is_ != should]
    assert not wrong
