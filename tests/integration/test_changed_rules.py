"""A setting, a seed, a macro or a model changes: the next run of any day rebuilds what depends on it, and nothing else."""

from __future__ import annotations

import dataclasses
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sessionization_dagster.dbt.project import PROJECT_DIR, DbtProject
from sessionization_dagster.errors import DbtError
from sessionization_dagster.settings.environment import Environment
from tests.integration.analytics_visits import START, Visit, land_visits
from tests.integration.test_exactness import assert_equals_oracle, landed_steps
from tests.integration.thin_driver import ThinDriver
from tests.oracle.histories import history
from tests.oracle.model import Settings

CHANGES: tuple[dict[str, Any], ...] = (
    {"blocked_ids": ("n/a", "d2", "u1")},
    {"session_timeout_seconds": 900},
    {"identity_policy": "first_user"},
    {"identity_policy": "merge", "max_users_per_alias": 3},
    {"blocked_ids": (), "flow_length": 3, "session_event_types": ("page", "track")},
    {"counted_events": {"cnt_login": "login"}, "segment_user_traits": ("plan",)},
)


@pytest.mark.parametrize("past_seed", [200, 201, 202])
def test_a_changed_setting_is_applied_by_the_next_run_of_any_day(past_seed: int, tmp_path: Path) -> None:
    past, draw = history(past_seed), random.Random(past_seed)
    driver = ThinDriver(tmp_path, past.settings, days=(past.dates[0], past.dates[-1]))
    compared = 0
    for rows, runs, is_settled in landed_steps(past, driver):
        for run in runs:
            driver.run(run.first, run.last)
        if not is_settled:
            continue
        for change in draw.sample(CHANGES, 2):
            driver.settings = dataclasses.replace(driver.settings, **change)
            if draw.random() < 0.5:
                # A run that ends before the sessions, and one that leaves out tables that follow the events.
                day = draw.choice(past.dates)
                driver.run_events(day, day, left_out=draw.choice(([], ["identity_edges"], ["rejected_events"])))
            day = draw.choice(past.dates)
            driver.run(day, day)
            changed = dataclasses.replace(past, settings=driver.settings)
            assert_equals_oracle(driver, rows, changed)
            compared += 1
    assert compared


VISITS = [
    Visit(f"e{n}", START.replace(hour=n), f"v{n % 3}", url=f"https://shop.example/p{n}", referrer="https://google.com/")
    for n in range(12)
] + [
    Visit("buy", START.replace(hour=4, minute=5), "v1", url="https://shop.example/done", event="purchase"),
    Visit("tea", START.replace(hour=5, minute=5), "v2", url="https://tea.example/", event="login"),
]  # fmt: skip
DAY = START.date()


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, dict[str, tuple[str, str]]], DbtProject]:
    """The project with texts of its files replaced (file -> old, new), in a folder of that name."""

    def project(name: str, edits: dict[str, tuple[str, str]]) -> DbtProject:
        project_dir = tmp_path_factory.mktemp(name) / "dbt_project"
        shutil.copytree(PROJECT_DIR, project_dir, ignore=shutil.ignore_patterns("target", "logs"))
        for file, (old, new) in edits.items():
            text = (project_dir / file).read_text()
            assert text.count(old) >= 1, file
            (project_dir / file).write_text(text.replace(old, new))
        made = DbtProject.of(Environment.from_env({}), {}, project_dir)
        assert made.manifest
        return made

    return project


def generations(driver: ThinDriver) -> dict[str, str]:
    rows = driver.rows("internal.frontier_progress where generation <> ''", ["model", "generation"])
    return {row["model"]: row["generation"] for row in rows}


def contents(driver: ThinDriver) -> dict[str, list[dict[str, Any]]]:
    """Every table that the promise is made for."""
    logs = {"core.identity_changes", "core.affected_visitors"}
    with driver.warehouse.connect() as connection:
        names = connection.query(
            "select table_schema || '.' || table_name as name from information_schema.tables "
            "where table_schema not in ('raw', 'internal', 'monitoring', 'staging') order by 1"
        ).to_pylist()
        tables = [row["name"] for row in names if row["name"] not in logs]
        return {table: connection.query(f"select * from {table} order by all").to_pylist() for table in tables}


def made(folder: Path, project: DbtProject) -> ThinDriver:
    folder.mkdir(exist_ok=True)
    driver = ThinDriver(folder, Settings(), project, days=(DAY, DAY))
    land_visits(driver, VISITS)
    driver.run(DAY, DAY)
    return driver


def test_a_run_makes_anew_what_a_change_can_change_and_nothing_else(
    copied: Callable[[str, dict[str, tuple[str, str]]], DbtProject], tmp_path: Path
) -> None:
    driver = made(tmp_path / "runs", copied("first", {}))
    before = generations(driver)
    stored = {
        "core_sessions",
        "session_events",
        "events",
        "session_facts",
        "channels_daily",
        "users",
    }
    assert stored <= set(before)

    # Nothing, and comments: of a macro's, and in its SQL.
    driver.run(DAY, DAY)
    remarks = {
        "macros/staging/stage_events.sql": ("when event_id is null then", "when event_id is null -- no id\n   then"),
        "macros/sessions/in_sessions.sql": ("{% macro in_sessions", "{#- A remark. -#}\n{% macro in_sessions"),
    }
    driver = driver.with_project(copied("remarks", remarks))
    driver.run(DAY, DAY)
    assert generations(driver) == before

    # A seed that this run does not load changes nothing; the next one, which does, has its readers follow.
    seed = {"seeds/analytics/conversions.csv": ("\n", "\nvisit,login,\n")}
    project = copied("seed", {**remarks, "seeds/analytics/conversions.csv": seed["seeds/analytics/conversions.csv"]})
    text = (project.project_dir / "seeds/analytics/conversions.csv").read_text().splitlines()
    (project.project_dir / "seeds/analytics/conversions.csv").write_text("\n".join([*text[:1], "tea,login,"]) + "\n")
    project = DbtProject.of(Environment.from_env({}), {}, project.project_dir)
    assert project.manifest
    driver = driver.with_project(project)
    driver.run_events(DAY, DAY)
    driver.run_sessions(DAY, DAY, left_out=["resource_type:seed"])
    assert generations(driver) == before
    driver.run(DAY, DAY)
    changed = {name for name, generation in generations(driver).items() if generation != before[name]}
    assert {"conversion_events", "attribution"} <= changed
    assert not changed & {"events", "session_events", "core_sessions", "users"}
    assert contents(driver) == contents(made(tmp_path / "with_seed", project))

    # A macro of staging, which is the text of views: the tables above them, and all that these made.
    before = generations(driver)
    shouted = {"macros/staging/identifiers.sql": ("then {{ id }} end", "then upper({{ id }}) end")}
    project = copied("macro", shouted)
    driver = driver.with_project(project)
    driver.run(DAY.replace(day=DAY.day - 1), DAY.replace(day=DAY.day - 1))
    changed = {name for name, generation in generations(driver).items() if generation != before[name]}
    assert changed >= {"events", "session_events", "core_sessions", "users", "session_facts"}
    assert "V1" in {row["dbt_visitor_id"] for row in contents(driver)["core.sessions"]}
    assert contents(driver) == contents(made(tmp_path / "with_macro", project))


def test_a_table_that_was_dropped_is_made_anew_once(tmp_path: Path) -> None:
    driver = made(tmp_path / "runs", DbtProject.of(Environment.from_env({})))
    before, progress = contents(driver), generations(driver)
    with driver.warehouse.connect() as connection:
        connection.execute("drop table core.events")
    driver.run(DAY.replace(day=DAY.day - 1), DAY.replace(day=DAY.day - 1))
    assert contents(driver) == before
    remade = generations(driver)
    assert remade["events"] != progress["events"]
    driver.run(DAY, DAY)
    assert generations(driver) == remade


def test_a_run_that_is_to_ask_lists_what_it_would_make_anew_and_writes_nothing(tmp_path: Path) -> None:
    driver = made(tmp_path / "runs", DbtProject.of(Environment.from_env({})))
    driver.rebuild = "ask"
    driver.run(DAY, DAY)
    # What an earlier version kept for a model that is no longer stored.
    with driver.warehouse.connect() as connection:
        connection.execute("create table internal.gone__state as select 1 as one")
        connection.execute(
            "insert into internal.frontier_progress (model, sequence, generation, parents_generation, fingerprint) "
            "values ('gone', 0, '', '', '')"
        )
    before, progress = contents(driver), generations(driver)

    driver.settings = dataclasses.replace(driver.settings, session_timeout_seconds=60, blocked_ids=("v1",))
    with pytest.raises(DbtError) as refused:
        driver.run(DAY, DAY)
    said = str(refused.value)
    assert "core.events: its SQL has changed" in said
    assert "SESSIONIZATION_REBUILD=auto" in said
    assert (generations(driver), contents(driver)) == (progress, before)
    with driver.warehouse.connect() as connection:
        assert connection.has_table("internal", "gone__state")

    driver.settings = dataclasses.replace(driver.settings, blocked_ids=())
    driver.run_events(DAY, DAY)
    with pytest.raises(
        DbtError, match=r"(?s)core.session_events: its SQL has changed.*core.sessions: core.session_events is rebuilt"
    ):
        driver.run_sessions(DAY, DAY)
    driver.rebuild = "auto"
    driver.run_sessions(DAY, DAY)
    assert generations(driver)["core_sessions"] != progress["core_sessions"]
    with driver.warehouse.connect() as connection:
        assert not connection.has_table("internal", "gone__state")
