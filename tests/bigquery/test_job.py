"""The real job on target bigquery: Dagster, in-process dbt and identity code, against the emulator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sessionization_dagster.dbt.project import PROJECT_DIR
from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.defs.source_freshness import SOURCE_IS_FRESH
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.window import RANGE_END, RANGE_START, Window
from tests.bigquery.driver import DATASET, BigQueryDriver, environment_variables, labels_recorded, raw_dataset
from tests.bigquery.emulator import PROJECT
from tests.bigquery.test_equality import differences
from tests.integration.real_job import Project
from tests.integration.thin_driver import ThinDriver, parsed_project
from tests.oracle.model import RawRow, Settings
from tests.report.reading import Report

FIRST, LAST = date(2024, 3, 9), date(2024, 3, 11)
SETTINGS = Settings(sources=("rudderstack", "measure_js"))
FAMILIES = ("rudderstack", "measure_js")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def driver(endpoint: str) -> BigQueryDriver:
    return BigQueryDriver(endpoint, SETTINGS, families=FAMILIES)


@pytest.fixture
def project(endpoint: str, instance: dg.DagsterInstance, tmp_path: Path) -> Project:
    environment = Environment.from_env(
        {
            **environment_variables(endpoint, SETTINGS.sources),
            "SESSIONIZATION_START_DATE": FIRST.isoformat(),
            "SESSIONIZATION_END_DATE": LAST.isoformat(),
            "SESSIONIZATION_FAMILIES": ",".join(FAMILIES),
            "SESSIONIZATION_REPORT": str(tmp_path / "reports"),
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
        RawRow("events", f"m{n}", "client", timestamp=at(10 * n), event="page", source="measure_js", country="DE")
        for n in range(6)
    ]
    return [*rows, RawRow("identifies", "i1", "b", "v", timestamp=at(50), received_at=at(50))]


@dataclass
class Ticks:
    """The sensor late_data, tick by tick."""

    project: Project
    cursor: str | None = None

    def tick(self) -> dg.SensorExecutionData:
        repository = self.project.definitions.get_repository_def()
        context = dg.build_sensor_context(self.project.instance, cursor=self.cursor, repository_def=repository)
        data = repository.get_sensor_def("late_data").evaluate_tick(context)
        self.cursor = data.cursor
        return data


def failed_checks(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """Asset and name -> metadata."""
    return {
        f"{check.asset_key.to_user_string()} {check.check_name}": {
            name: value.value for name, value in check.metadata.items()
        }
        for check in result.get_asset_check_evaluations()
        if not check.passed
    }


def observed(data: dg.SensorExecutionData) -> dict[str, int]:
    """Raw table -> rows that the sensor saw."""
    return {event.asset_key.path[-1]: event.metadata["rows"].value for event in data.asset_events}


def test_the_daily_job_and_late_data(driver: BigQueryDriver, project: Project, tmp_path: Path) -> None:
    rows = first_rows()
    driver.land(rows)
    ticks = Ticks(project)
    first_tick = ticks.tick()
    assert not first_tick.run_requests
    assert observed(first_tick) == {
        "rudderstack_tracks": 30, "rudderstack_pages": 30, "rudderstack_screens": 0, "rudderstack_identifies": 1,
        "rudderstack_aliases": 0, "measure_js_events": 0,
    }  # fmt: skip

    with labels_recorded() as jobs:
        result = project.run(FIRST, LAST)
    assert result.success
    assert_all_is_there(result, project)
    assert_all_is_reported(result, driver)
    strangers = {sql for sql, labels in jobs if labels.get("run_id") != result.dagster_run.run_id}
    # dbt gives the load of a seed no labels; loads cost nothing.
    seeds = {path.stem for path in (PROJECT_DIR / "seeds").glob("*.csv")}
    assert strangers == {f"load {PROJECT}.{DATASET}_core.{seed}" for seed in seeds}
    assert {"core_events", "core_identity_graph", "session_models", "reports_sessions_report"} <= {
        labels.get("asset") for _, labels in jobs
    }
    assert SOURCE_IS_FRESH in {labels.get("check") for _, labels in jobs}
    report = Report((tmp_path / "reports" / "latest.html").read_text(encoding="utf-8"))
    assert report.headlines["events"] == "67"
    assert "Not there yet: analytics.channels_daily" in report.texts["channels-1"]

    # A dbt test of severity error finds a row: it is shown, and tables below do not run.
    graph = f"`{PROJECT}.{DATASET}_core.identity_graph`"
    driver.send(
        f"insert into {graph} (alias, alias_type, dbt_visitor_id, first_seen_at, last_seen_at) "
        "values ('strange', 'phone', 'strange', timestamp '2024-03-11', timestamp '2024-03-11')"
    )
    failed = project.run(LAST, raise_on_error=False)
    assert not failed.success
    ((name, metadata),) = failed_checks(failed).items()
    assert name.startswith("core/identity_graph source_accepted_values_core_identity_graph_alias_type")
    assert metadata["rows"] == 1
    assert "phone" in metadata["first_rows"]
    driver.send(f"delete from {graph} where alias = 'strange'")

    # A row of the second day comes on the third: its day is asked for, and the tables are those that DuckDB has.
    late = RawRow(
        "tracks",
        "late",
        "a",
        "v",
        timestamp=datetime(2024, 3, 10, 12, 3),
        received_at=datetime(2024, 3, 11, 20),
        event="login",
    )
    driver.send(
        f"insert into `{PROJECT}.{raw_dataset('rudderstack')}.tracks` (id, anonymous_id, user_id, timestamp, received_at, event) "
        f"values ('late', 'a', 'v', timestamp '{late.timestamp}', timestamp '{late.received_at}', 'login')"
    )
    tick = ticks.tick()
    assert [request.partition_key for request in tick.run_requests or []] == ["2024-03-10"]
    assert observed(tick) == {"rudderstack_tracks": 31}
    again = project.run(date(2024, 3, 10))
    assert not failed_checks(again)
    assert_all_is_there(again, project)
    next_tick = ticks.tick()
    assert not next_tick.run_requests
    assert not next_tick.asset_events
    embedded = ThinDriver(tmp_path, SETTINGS, parsed_project(SETTINGS.sources, families=FAMILIES))
    embedded.land([*rows, late])
    embedded.run(FIRST, LAST)
    assert not differences(embedded, driver, [*rows, late], FIRST, LAST)


def assert_all_is_there(result: dg.ExecuteInProcessResult, project: Project) -> None:
    """Each asset was materialised for each of the run's days, and each check looked at; raw tables are only checked."""
    graph = project.definitions.resolve_asset_graph()
    tags = result.dagster_run.tags
    days = set(
        Window.through(*(date.fromisoformat(tags[name]) for name in (RANGE_START, RANGE_END))).as_partition_keys()
    )
    materialised: dict[dg.AssetKey, set[str | None]] = {}
    for event in result.get_asset_materialization_events():
        materialised.setdefault(event.materialization.asset_key, set()).add(event.materialization.partition)
    assert materialised == dict.fromkeys(graph.materializable_asset_keys, days)
    assert {key.path[0] for key in graph.external_asset_keys} == {"raw"}
    checks = {(check.asset_key, check.check_name) for check in result.get_asset_check_evaluations()}
    assert checks == {(key.asset_key, key.name) for key in graph.asset_check_keys}
    assert {(key, SOURCE_IS_FRESH) for key in graph.external_asset_keys} <= checks
    assert "rows_came_too_late" in {name for _, name in checks}
    assert not failed_checks(result)


def assert_all_is_reported(result: dg.ExecuteInProcessResult, driver: BigQueryDriver) -> None:
    """What people see of a table: rows, in all and by day, columns and what they are made of; no rows, which would cost."""
    entries: dict[tuple[str, str | None], Mapping[str, Any]] = {
        (
            event.materialization.asset_key.to_user_string(),
            event.materialization.partition,
        ): event.materialization.metadata
        for event in result.get_asset_materialization_events()
    }
    days = ["2024-03-09", "2024-03-10", "2024-03-11"]
    counts = [entries["core/events", day]["dagster/partition_row_count"].value for day in days]
    (in_all,) = driver.send(f"select count(*) as n from `{PROJECT}.{DATASET}_core.events`")
    assert sum(counts) == in_all["n"] == 67
    assert all(counts)
    for table in ("core/events", "core/identity_graph", "core/sessions", "measure_js/sessions"):
        newest = entries[table, days[-1]]
        # The emulator knows how many rows a table had when it was made.
        assert newest["dagster/row_count"].value > 0 or table == "core/identity_graph", table
        assert len(newest["dagster/column_schema"].value.columns) > 3, table
        assert newest["dagster/column_lineage"].value.deps_by_column, table
        assert "preview" not in newest
    for view in ("core/rejected_events", "rudderstack/dbt_mapped_tracks"):
        assert entries[view, days[-1]]["dagster/partition_row_count"].value >= 0, view
        assert "partition_visitors" not in entries[view, days[-1]], view
