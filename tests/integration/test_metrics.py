"""The metrics, asked through MetricFlow, are what plain SQL over analytics.sessions gives."""

from __future__ import annotations

import json
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.settings.environment import Environment
from tests.integration.analytics_visits import START, land_visits, random_visits
from tests.integration.metrics import DIMENSIONS, Metrics
from tests.integration.thin_driver import ThinDriver, parsed_project
from tests.oracle.model import Settings

PLAIN = {
    "sessions": "count(*)",
    "visitors": "count(distinct dbt_visitor_id)",
    "new_visitors": "count(*) filter (is_new_visitor)",
    "engaged_sessions": "count(*) filter (is_engaged)",
    "engagement_rate": "count(*) filter (is_engaged) / count(*)",
    "bounces": "count(*) filter (is_bounce)",
    "sessions_with_pages": "count(is_bounce)",
    "bounce_rate": "count(*) filter (is_bounce) / nullif(count(is_bounce), 0)",
    "conversions": "sum(conversion_count)",
    "converting_sessions": "count(*) filter (conversion_count > 0)",
    "conversion_rate": "count(*) filter (conversion_count > 0) / count(*)",
    "conversion_value": "sum(conversion_value)",
    "session_seconds": "sum(session_duration_seconds)",
    "average_session_duration": "avg(session_duration_seconds)",
}


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> ThinDriver:
    made = ThinDriver(tmp_path_factory.mktemp("metrics"), Settings(), parsed_project())
    land_visits(made, random_visits(Random(3), 4))
    made.run(START.date() - timedelta(days=1), START.date() + timedelta(days=5))
    return made


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    return Metrics(parsed_project())


def test_metricflow_has_nothing_against_them(metrics: Metrics) -> None:
    assert metrics.problems == []
    assert set(metrics.names) == set(PLAIN)


@pytest.mark.parametrize("dimension", [*DIMENSIONS, None])
def test_a_metric_is_what_plain_sql_says(driver: ThinDriver, metrics: Metrics, dimension: str | None) -> None:
    is_date = dimension is not None and "time" in dimension
    column = "session_start_date" if is_date else dimension.split("__")[-1] if dimension else "1"
    answer = metrics.sql(list(PLAIN), [dimension] if dimension else [])
    asked = f"select {dimension or 1} as part, {', '.join(PLAIN)} from ({answer})"
    plain = ", ".join(f"{expression} as {name}" for name, expression in PLAIN.items())
    with driver.warehouse.connect() as connection:
        answered = {part_of(row, is_date): row for row in connection.query(asked).to_pylist()}
        expected = connection.query(f"select {column} as part, {plain} from analytics.sessions group by 1").to_pylist()
    assert len(expected) > (1 if dimension else 0)
    assert len(answered) == len(expected)
    for row in expected:
        for name in PLAIN:
            assert answered[part_of(row, is_date)][name] == pytest.approx(row[name]), (row["part"], name)


def part_of(row: dict[str, Any], is_date: bool) -> Any:
    """MetricFlow gives dates as moments."""
    return str(row["part"])[:10] if is_date else row["part"]


def test_families_that_are_left_out_have_no_metrics() -> None:
    project = DbtProject.of(Environment.from_env({"SESSIONIZATION_FAMILIES": "mixpanel"}))
    assert project.manifest
    found = json.loads((project.target_path / "semantic_manifest.json").read_text())
    assert (found["semantic_models"], found["metrics"]) == ([], [])
