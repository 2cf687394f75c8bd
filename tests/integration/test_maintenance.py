"""The seldom jobs, run for real: marked days repaired, and everything rebuilt beside the old tables and swapped in when it is right."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sessionization_dagster.defs.resources import build_warehouse
from sessionization_dagster.identity.store import update_identity_graph
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse
from tests.integration.real_job import QUIET, Project, oracle_differences
from tests.integration.test_job import BLOCKED, csv_project, first_rows, later_rows
from tests.oracle.model import RawRow, Settings

FIRST, LAST = date(2024, 3, 9), date(2024, 3, 12)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """With the pool as deployed: a job that runs days from within itself must not wait for itself."""
    home = tmp_path / "dagster"
    home.mkdir()
    settings = "concurrency: {pools: {default_limit: 1, granularity: run}}\ntelemetry: {enabled: false}\n"
    (home / "dagster.yaml").write_text(settings)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


def run(project: Project, job: str, **ops: dict[str, Any]) -> dg.ExecuteInProcessResult:
    config = {"ops": {name: {"config": config} for name, config in ops.items()}} if ops else {}
    return project.definitions.resolve_job_def(job).execute_in_process(
        instance=project.instance, run_config={**QUIET, **config}, raise_on_error=False
    )


def execute(project: Project, sql: str) -> None:
    with build_warehouse(project.environment).connect() as connection:
        connection.execute(sql)


def test_marked_days_are_repaired_and_a_rebuild_replaces_everything_or_nothing(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = csv_project(tmp_path, instance)
    rows = first_rows()
    project.land("tracks/first", rows)
    project.run(FIRST, date(2024, 3, 11))
    late = [
        *later_rows(date(2024, 3, 10)),
        RawRow("tracks", "moves", "mA", "zU", timestamp=datetime(2024, 3, 11, 23, 50), event="login"),
    ]
    rows += late
    project.land("tracks/late", late)
    project.run(date(2024, 3, 10), date(2024, 3, 11))
    right = project.digest()
    changes = project.query("select * from core.identity_changes order by alias")
    assert changes, "the late rows were to move somebody"

    # A row is wrong. The check says which day to run again, and that day is run.
    assert "rerun_marked_days" in str(run(project, "repair").all_node_events[0].step_key)
    before = len(instance.get_run_records())
    execute(project, """
        update core.sessions set event_count = event_count + 1
        where session_start_date = '2024-03-10' and dbt_visitor_id = 'lU'""")  # fmt: skip
    checks = run(project, "verify", matches_full_rebuild={"sample_size": 100}).get_asset_check_evaluations()
    (failed,) = [check for check in checks if not check.passed]
    assert failed.asset_key == dg.AssetKey(["core", "sessions"])
    assert "event_count" in str(failed.description)
    assert "lU" in str(failed.description)
    shown = run(project, "repair").output_for_node("rerun_marked_days")
    assert (shown["checks"], len(shown["runs"])) == (1, 1)
    assert set(shown["days"]) <= {"2024-03-10", "2024-03-11"}
    (repaired,) = [
        record.dagster_run for record in instance.get_run_records() if "started_by_run" in record.dagster_run.tags
    ]
    assert (repaired.job_name, repaired.status) == ("daily_sessionization", dg.DagsterRunStatus.SUCCESS)
    assert len(instance.get_run_records()) == before + 3
    assert project.digest() == right
    checks = run(project, "verify", matches_full_rebuild={"sample_size": 100}).get_asset_check_evaluations()
    assert all(check.passed for check in checks)
    assert run(project, "repair").output_for_node("rerun_marked_days") == {"checks": 0, "days": [], "runs": []}

    # Now the graph is wrong, which no run of a day mends; and rows of a day that never ran are in raw.
    rows.append(RawRow("tracks", "new", "newA", "lU", timestamp=datetime(2024, 3, 12, 9), event="page"))
    project.land("tracks/new", rows[-1:])
    project.run(date(2024, 3, 9))
    execute(project, "update core.identity_graph set dbt_visitor_id = 'nobody' where alias = 'gA'")
    result = run(project, "full_rebuild")
    assert result.success
    assert not oracle_differences(project, rows, Settings(blocked_ids=BLOCKED), FIRST, LAST)
    assert project.query("select * from core.identity_changes order by alias") == changes
    assert project.query(
        "select count(*) > 0 as has_history from monitoring.dbt_run_results where partition_end <= '2024-03-12'"
    )[0]["has_history"]
    folder = project.environment.duckdb_path.parent
    assert [path.name for path in folder.glob("rebuild-*")] == []
    # What only the rebuild has made counts as materialised too; a run on top changes nothing.
    tracks = dg.AssetKey(["rudderstack", "dbt_session_tracks"])
    partitions = project.definitions.resolve_asset_graph().get(tracks).partitions_def
    assert partitions is not None
    statuses = instance.get_status_by_partition(tracks, ["2024-03-12"], partitions)
    assert statuses is not None
    status = statuses["2024-03-12"]
    assert status is not None
    assert status.name == "MATERIALIZED"
    right = project.digest()
    project.run(FIRST, LAST)
    assert project.digest() == right

    # A test that must hold does not, for a graph without one of its ids: the old warehouse stays, the new one is left to be looked at.
    def forgetful(warehouse: DuckDBWarehouse, *arguments: Any) -> None:
        update_identity_graph(warehouse, *arguments)
        with warehouse.connect() as connection:
            connection.execute("delete from core.identity_graph where alias = 'gA'")

    monkeypatch.setattr("sessionization_dagster.rebuild.pipeline.update_identity_graph", forgetful)
    inode = os.stat(project.environment.duckdb_path).st_ino
    result = run(project, "full_rebuild")
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_key == "build_tables"
    assert "found rows that must not be" in str(failure.step_failure_data.error)
    assert os.stat(project.environment.duckdb_path).st_ino == inode
    assert project.digest() == right
    assert len(list(folder.glob("rebuild-*"))) == 1
