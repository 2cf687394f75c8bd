"""The real job on target bigquery: Dagster, in-process dbt and identity code, against the emulator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from google.cloud import bigquery

from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.environment import Environment
from tests.bigquery.driver import BigQueryDriver, environment_variables
from tests.bigquery.test_equality import differences
from tests.integration.real_job import Project
from tests.integration.thin_driver import ThinDriver
from tests.oracle.model import RawRow, Settings

FIRST, LAST = date(2024, 3, 9), date(2024, 3, 11)
SETTINGS = Settings(sources=("rudderstack", "measure_js"))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def driver(endpoint: str) -> BigQueryDriver:
    return BigQueryDriver(endpoint, SETTINGS)


@pytest.fixture
def project(endpoint: str, instance: dg.DagsterInstance) -> Project:
    environment = Environment.from_env(
        {
            **environment_variables(endpoint, SETTINGS.sources),
            "SESSIONIZATION_START_DATE": FIRST.isoformat(),
            "SESSIONIZATION_END_DATE": LAST.isoformat(),
        }
    )
    return Project(environment, build_definitions(environment), instance)


def first_rows() -> list[RawRow]:
    start = datetime(2024, 3, 9, 9)

    def at(n: int) -> datetime:
        return start + timedelta(minutes=47 * n)

    rows = [
        RawRow(
            ("tracks", "pages")[n % 2], f"e{n:02}", "abc"[n % 3], "u" if n % 11 == 0 else None, timestamp=at(n),
            received_at=at(n) + timedelta(minutes=1), event="viewed_product", url="/",
        )
        for n in range(60)
    ]  # fmt: skip
    rows += [
        RawRow("events", f"m{n}", "client", timestamp=at(9 * n), event="page", source="measure_js", country="DE")
        for n in range(6)
    ]
    return [*rows, RawRow("identifies", "i1", "b", "v", timestamp=at(5), received_at=at(5))]


def jobs(driver: BigQueryDriver) -> dict[str, bigquery.QueryJob]:
    with driver.warehouse.connect() as connection:
        return {job.job_id: job for job in connection.native.list_jobs(timeout=60, max_results=10000)}


def test_x(driver: BigQueryDriver, project: Project, tmp_path: Path) -> None:
    rows = first_rows()
    driver.land(rows)
    before = jobs(driver)
    result = project.run(FIRST, LAST)
    assert result.success
    new = [j for i, j in jobs(driver).items() if i not in before]
    print(len(new))
    for j in new:
        print(j.labels, j.query[:80].replace("\n", " ") if hasattr(j, "query") else j.job_type)
    for c in result.get_asset_check_evaluations():
        print(c.asset_key.to_user_string(), c.check_name, c.passed, c.severity, {k: v.value for k, v in c.metadata.items()})
    for e in result.get_asset_materialization_events():
        m = e.materialization
        print(m.asset_key.to_user_string(), m.partition, {k: str(v.value)[:150] for k, v in m.metadata.items() })
    embedded = ThinDriver(tmp_path, SETTINGS)
    embedded.land(rows)
    embedded.run(FIRST, LAST)
    assert not differences(embedded, driver, rows, FIRST, LAST)
