"""Checks as Dagster shows them: rows of failed dbt tests beside their results, and the job that recomputes a sample."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sessionization_dagster.defs.repair import marks
from tests.integration.real_job import QUIET, Project
from tests.oracle.model import RawRow

FIRST, LAST = date(2024, 3, 10), date(2024, 3, 12)
REBUILD = "matches_full_rebuild"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def rows() -> list[RawRow]:
    """Forty events of four devices and four users, a device of six users, and a dozen rows of nobody."""
    noon = datetime(2024, 3, 10, 12)
    events = [
        RawRow(
            "tracks", f"e{n}", anonymous_id=f"d{n % 4}", user_id=f"u{n % 4}" if n % 3 == 0 else None,
            timestamp=noon + timedelta(minutes=71 * n), event="seen",
        )
        for n in range(40)
    ]  # fmt: skip
    events += [
        RawRow("tracks", f"k{n}", anonymous_id="kiosk|1", user_id=f"v{n}", timestamp=noon, event="seen")
        for n in range(6)
    ]
    return events + [RawRow("tracks", f"n{n}", timestamp=noon, event="seen") for n in range(12)]


def verify(project: Project, **config: Any) -> dg.ExecuteInProcessResult:
    return project.definitions.resolve_job_def("verify").execute_in_process(
        instance=project.instance,
        run_config={**QUIET, "ops": {REBUILD: {"config": config}}},
        raise_on_error=False,
    )


def metadata_of(check: dg.AssetCheckEvaluation) -> dict[str, Any]:
    return {name: entry.value for name, entry in check.metadata.items()}


def test_failed_checks_show_their_rows_and_the_days_to_run_again(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    project = Project.create(tmp_path, instance, start_date=FIRST.isoformat(), end_date=LAST.isoformat())
    project.land("tracks/all", rows())
    evaluations = project.run(FIRST, LAST).get_asset_check_evaluations()
    assert not [check for check in evaluations if check.check_name == REBUILD]
    failed = {check.check_name: check for check in evaluations if not check.passed}
    assert set(failed) == {"rejected_share", "shared_devices"}
    assert failed["shared_devices"].severity is dg.AssetCheckSeverity.WARN
    shown = metadata_of(failed["shared_devices"])
    assert shown["rows"] == 1
    assert shown["first_rows"].splitlines()[2].startswith(r"| kiosk\|1 | 6 | ")
    assert (
        metadata_of(failed["rejected_share"])["first_rows"]
        .splitlines()[2]
        .startswith("| 2024-03-10 | no_identity | 12 | 12 | ")
    )

    right = verify(project, sample_size=5, salt="one")
    assert right.success
    checks = right.get_asset_check_evaluations()
    assert len(checks) > 12
    assert all(check.passed and check.check_name == REBUILD for check in checks)
    assert metadata_of(checks[0])["visitors"] == 5

    project.query("""
        update core.sessions set session_start_at = session_start_at + interval 1 second
        where dbt_visitor_id = 'u1' and session_sequence_number = 2 returning *""")
    wrong = verify(project, visitors=["u1"])
    # The sensor failed_runs notifies people of failed runs alone.
    (failure,) = [event for event in wrong.all_node_events if event.is_step_failure]
    assert "core_sessions (1 rows)" in str(failure.step_failure_data.error)
    (check,) = [check for check in wrong.get_asset_check_evaluations() if not check.passed]
    assert check.asset_key == dg.AssetKey(["core", "sessions"])
    assert check.severity is dg.AssetCheckSeverity.ERROR
    (session,) = project.query(
        "select * from core.sessions where dbt_visitor_id = 'u1' and session_sequence_number = 2"
    )
    said = metadata_of(check)
    assert said["rows_that_differ"] == 1
    assert said["partitions_to_rerun"] == [session["session_start_date"].isoformat()]
    assert "| session_start_at |" in said["differences"]
    before = session["session_start_at"] - timedelta(seconds=1)
    assert f"session_start_at is {session['session_start_at']}, recomputed {before}" in str(check.description)
    # What the job repair reads.
    (mark,) = marks(instance, [dg.AssetCheckKey(check.asset_key, check.check_name) for check in checks])
    assert mark.days == (session["session_start_date"],)
    project.run(mark.days[0])
    assert all(check.passed for check in verify(project, visitors=["u1"]).get_asset_check_evaluations())
    assert metadata_of(verify(project, visitors=["u1"], max_rows=1).get_asset_check_evaluations()[0])["skipped"] == [
        "u1"
    ]
