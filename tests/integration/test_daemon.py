"""Dagster's real daemon and webserver: killed in the middle, fed late files, with failing runs, woken by the clock."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from tests.integration.real_job import Project, oracle_differences
from tests.integration.services import PATIENCE_SECONDS, Services, days_of
from tests.integration.test_job import BLOCKED, csv_project, first_rows, later_rows
from tests.oracle.model import RawRow, Settings
from tests.test_notifications import Server, server, url

__all__ = ["server"]

FIRST, LAST = date(2024, 3, 9), date(2024, 3, 12)
ALL_DAYS = f"{FIRST}...{LAST}"
# Every process that finds this on its path has Dagster's clock set, and stopped until there is a file: from then on it ticks. Not the
# machine's clock: the programs talk to each other with moments of that one as the time to answer by.
SET_CLOCK = """
import os
import time
import dagster._time as clock
from datetime import datetime, timezone

def now():
    try:
        return {stopped_at} + max(0, time.time() - os.stat({start!r}).st_mtime)
    except FileNotFoundError:
        return {stopped_at}

clock._mockable_get_current_timestamp = now
clock._mockable_get_current_datetime = lambda: datetime.fromtimestamp(now(), tz=timezone.utc)
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with dg.DagsterInstance.ephemeral() as instance:
        project = csv_project(tmp_path / "project", instance)
        project.land("tracks/first", first_rows())
        yield project


@pytest.fixture
def services(tmp_path: Path, project: Project, server: Server) -> Iterator[Services]:
    variables = {**project.variables, "SESSIONIZATION_ALERT_WEBHOOK": url(server)}
    services = Services(tmp_path / "dagster", variables)
    services.start()
    try:
        yield services
    finally:
        services.stop()


def run_at(services: Services, number: int, step: str) -> dg.DagsterRun:
    """The run of that number (1 is the first), once it is at the step."""

    def found() -> dg.DagsterRun | None:
        runs = services.runs()
        at_step = len(runs) >= number and services.has_started_step(runs[number - 1].run_id, step)
        return runs[number - 1] if at_step else None

    run: dg.DagsterRun = services.wait_for(f"run {number} at {step}", found)
    return run


def test_killed_runs_and_daemons_end_with_the_tables_of_a_rebuild_and_late_files_are_repaired(
    tmp_path: Path, project: Project, services: Services, server: Server
) -> None:
    backfill = services.backfill(str(FIRST), str(LAST))

    # A run is killed: Dagster starts it again where it stood.
    first = run_at(services, 1, "event_models")
    pid = services.pid_of(first.run_id)
    assert pid is not None
    os.kill(pid, 9)

    # The daemon is killed under the second: `make ui` ends with it, and is started again.
    second = run_at(services, 2, "session_models")
    services.daemon().kill()
    assert services.process is not None
    services.process.wait(timeout=PATIENCE_SECONDS)
    services.start()

    def is_over() -> bool:
        run = services.instance.get_run_by_id(second.run_id)
        assert run is not None
        return run.is_finished

    services.wait_for("the second run", is_over)

    # Run, daemon, servers: all at once.
    late = later_rows(date(2024, 3, 10))
    project.land("tracks/late", late)
    another = services.backfill(str(FIRST), str(LAST))
    number = len(services.runs()) + 1
    run_at(services, number, "session_models")
    services.kill()
    services.start()
    services.wait_for(
        "both backfills",
        lambda: services.is_done(backfill) and services.is_done(another),
    )  # fmt: skip
    rows = first_rows() + late
    assert not oracle_differences(project, rows, Settings(blocked_ids=BLOCKED), FIRST, LAST)
    with dg.DagsterInstance.ephemeral() as instance:
        rebuilt = csv_project(tmp_path / "rebuilt", instance)
        rebuilt.land("tracks/first", first_rows())
        rebuilt.land("tracks/late", late)
        rebuilt.run(FIRST, LAST)
        assert rebuilt.digest() == project.digest()

    # The sensor is turned on, a late file lands: exactly its days run.
    before = len(services.runs())
    services.turn_on("Sensor", "late_data")
    more = [
        RawRow("tracks", f"more{day}", "mA", "lU", timestamp=datetime(2024, 3, day, 20), event="page") for day in (9, 11, 12)
    ]  # fmt: skip
    project.land("tracks/more", more)
    services.wait_for(
        "the sensor's runs",
        lambda: [run.status for run in services.runs()[before:]] == [dg.DagsterRunStatus.SUCCESS] * 2,
    )  # fmt: skip
    assert [days_of(run.tags) for run in services.runs()[before:]] == ["2024-03-09", "2024-03-11...2024-03-12"]
    assert not oracle_differences(project, rows + more, Settings(blocked_ids=BLOCKED), FIRST, LAST)

    # A model fails on its data: neither the step nor the run is repeated, and the failure is reported.
    from sessionization_dagster.defs.resources import build_warehouse

    with build_warehouse(project.environment).connect() as connection:
        connection.execute("alter table core.events add column surprise integer")
    shown = len(server.posts)
    services.backfill("2024-03-10", "2024-03-10")
    post = services.wait_for("the post", lambda: server.posts[shown:])[0]
    assert (post["job"], post["partitions"]) == ("__ASSET_JOB", "2024-03-10")
    assert "event_models: " in post["text"]
    assert "Drop the table and backfill all partitions" in post["text"]
    failed = services.runs()[-1]
    assert failed.run_id == post["run_id"]
    time.sleep(5)
    assert services.runs()[-1].run_id == failed.run_id, "a run that failed on its data was started again"


def test_at_two_oclock_the_day_that_ended_runs(tmp_path: Path) -> None:
    """All of Dagster's processes believe that it is a moment before two in Tokyo."""
    two = datetime(2031, 3, 11, 17, tzinfo=UTC)  # 02:00 on the 12th in Tokyo
    (tmp_path / "clock").mkdir()
    start = tmp_path / "start"
    clock = SET_CLOCK.format(stopped_at=two.timestamp() - 10, start=str(start))
    (tmp_path / "clock" / "sitecustomize.py").write_text(clock)
    with dg.DagsterInstance.ephemeral() as instance:
        project = Project.create(tmp_path / "project", instance, start_date="2031-03-09", timezone="Asia/Tokyo")
    # One on each side of both midnights.
    moments = [datetime(2031, 3, day, 14, 59) + timedelta(minutes=2 * after) for day in (10, 11) for after in (0, 1)]
    project.land("tracks/days", [RawRow("tracks", f"e{at:%d%H}", "a", timestamp=at, event="page") for at in moments])
    services = Services(tmp_path / "dagster", {**project.variables, "PYTHONPATH": str(tmp_path / "clock")})
    try:
        services.start()
        services.turn_on("Schedule", "daily_at_two")
        start.touch()
        (run,) = services.wait_for("the schedule's run", lambda: [run for run in services.runs() if run.is_finished])
        assert run.status == dg.DagsterRunStatus.SUCCESS
        assert (run.job_name, days_of(run.tags)) == ("daily_sessionization", "2031-03-11")
        assert run.tags["dagster/schedule_name"] == "daily_at_two"
        assert project.query("select event_id from core.events order by timestamp") == [
            {"event_id": "e1015"},
            {"event_id": "e1114"},
        ]
    finally:
        services.stop()
