"""After any runs in any order, every table equals what one run over all days of an empty warehouse gives, and what the oracle says."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pytest

from sessionization_dagster.dbt.project import PROJECT_DIR, DbtProject
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.user_agents.parse import parse
from tests.integration.thin_driver import ThinDriver
from tests.oracle import model
from tests.oracle.histories import History, Run, history
from tests.oracle.seeds import read_seeds


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per seed; --histories asks for more."""
    if "seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--first-history")
        metafunc.parametrize("seed", range(first, first + metafunc.config.getoption("--histories")))


def test_any_order_of_runs_equals_the_oracle(seed: int, tmp_path: Path) -> None:
    past = history(seed)
    driver = ThinDriver(tmp_path, past.settings, days=(past.dates[0], past.dates[-1]))
    for rows, runs, is_settled in landed_steps(past, driver):
        for run in runs:
            driver.run(run.first, run.last)
        if is_settled:
            assert_equals_oracle(driver, rows, past)


@pytest.mark.parametrize("past_seed", [100, 101, 102])
def test_no_run_is_owed(past_seed: int, tmp_path: Path) -> None:
    """Runs stop anywhere and leave tables out, the edges, the graph and the roots too: the next run of any day makes up for it.

    So it is where views are stored as tables (the second history), and where they are views again.
    """
    past, draw = history(past_seed), random.Random(past_seed - 100)
    driver = ThinDriver(tmp_path, past.settings, days=(past.dates[0], past.dates[-1]))
    plain = driver.project
    if past_seed == 101:
        driver = driver.with_project(with_stored_views(plain, past))
    driver.run(past.dates[0], past.dates[0])
    stored = [model.name for model in driver.project.manifest.models if model.materialized in ("frontier", "rollup")]
    for rows, runs, is_settled in landed_steps(past, driver):
        for run in runs:
            driver.run_events(run.first, run.last, left_out=["identity_edges"] if draw.random() < 0.3 else [])
            if draw.random() < 0.6:
                driver.run_identity(run.first, run.last)
            if draw.random() < 0.7:
                driver.run_sessions(
                    run.first, run.last, left_out=draw.sample(stored, draw.randint(0, len(stored) // 2))
                )
        if is_settled:
            day = draw.choice(past.dates)
            driver.run(day, day)
            assert_equals_oracle(driver, rows, past)
    if driver.project is not plain:
        for project in (plain, driver.project):
            driver = driver.with_project(project)
            driver.run(day, day)
            assert_equals_oracle(driver, rows, past)


def with_stored_views(project: DbtProject, past: History) -> DbtProject:
    """The project with every view stored that can be."""
    names = [model.name for model in project.manifest.models if model.is_storable]
    assert len(names) == 8
    variables = {
        "SESSIONIZATION_SOURCES": ",".join(past.settings.sources),
        "SESSIONIZATION_TIMEZONE": past.settings.timezone,
    }
    return DbtProject.of(Environment.from_env(variables), {"stored_views": names})


@pytest.mark.parametrize("past_seed", range(4))
def test_analytics_equal_the_oracle(past_seed: int, tmp_path: Path) -> None:
    """The family analytics, with the seeds that the project ships and its reading of user agents."""
    past = history(past_seed, read_seeds(PROJECT_DIR / "seeds" / "analytics"))
    past = dataclasses.replace(past, settings=dataclasses.replace(past.settings, parse_user_agent=as_oracle_reads))
    names = {
        "SESSIONIZATION_FAMILIES": "analytics",
        "SESSIONIZATION_SOURCES": ",".join(past.settings.sources),
        "SESSIONIZATION_TIMEZONE": past.settings.timezone,
    }
    project = DbtProject.of(Environment.from_env(names))
    driver = ThinDriver(tmp_path, past.settings, project, days=(past.dates[0], past.dates[-1]))
    for rows, runs, is_settled in landed_steps(past, driver):
        for run in runs:
            driver.run(run.first, run.last)
        if is_settled:
            assert_equals_oracle(driver, rows, past, ("core", "analytics"))


def landed_steps(past: History, driver: ThinDriver) -> Iterator[tuple[list[model.RawRow], Sequence[Run], bool]]:
    """The steps of a history, each once its files are landed: all raw rows then, the runs to make, and whether they leave nothing to do."""
    for landing, step, is_settled in zip(past.landings(), past.steps, past.settled(), strict=True):
        rows = [row for file_rows in landing.values() for row in file_rows]
        driver.land(rows)
        yield rows, step.runs, is_settled


def as_oracle_reads(user_agent: str) -> tuple[str | None, str | None, str | None, bool]:
    """What the project reads from a user agent: the oracle knows the tables, and nothing of browsers."""
    read = parse(user_agent)
    return read.browser, read.os, read.device_type, read.is_bot


def assert_equals_oracle(
    driver: ThinDriver, rows: list[model.RawRow], past: History, schemas: Collection[str] | None = None
) -> None:
    """Compare every table (of these schemas) with the oracle's, and say which rows differ in which."""
    differences = driver.differences(rows, past.dates[0], past.dates[-1], schemas)
    assert not differences, "\n".join([*differences, past.describe()])
