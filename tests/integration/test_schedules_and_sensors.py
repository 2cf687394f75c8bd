"""What the daemon asks for, evaluated in this process on a real warehouse: the day that ended, and late data, exactly once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from glob import glob
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.defs import retries
from sessionization_dagster.errors import is_transient
from sessionization_dagster.landing import RawColumn, RawTable
from sessionization_dagster.late_data.arrivals import ReceivedArrivals
from sessionization_dagster.late_data.plan import Cursor
from sessionization_dagster.publishing.published_tables import tables_to_publish
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse
from sessionization_dagster.window import Window
from tests.integration.real_job import QUIET, Project, oracle_differences
from tests.integration.services import PATIENCE_SECONDS
from tests.integration.test_job import BLOCKED, ROOT, first_rows
from tests.oracle.model import RawRow, Settings

FIRST, LAST = date(2024, 3, 9), date(2024, 3, 12)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def project(tmp_path: Path, instance: dg.DagsterInstance) -> Project:
    first, last = FIRST.isoformat(), LAST.isoformat()
    project = Project.create(
        tmp_path, instance, start_date=first, end_date=last, removed_files="remove", families="rudderstack"
    )
    project.land("tracks/first", first_rows())
    return project


class Ticks:
    """A sensor, tick by tick."""

    def __init__(self, project: Project, sensor: str = "late_data") -> None:
        """Start without a cursor."""
        self.project = project
        self.repository = project.definitions.get_repository_def()
        self.sensor = self.repository.get_sensor_def(sensor)
        self.cursor: str | None = None

    def tick(self) -> tuple[list[str], str]:
        """The days asked for, as "first...last", and why none are."""
        context = dg.build_sensor_context(
            instance=self.project.instance, cursor=self.cursor, repository_def=self.repository
        )
        data = self.sensor.evaluate_tick(context)
        self.cursor = data.cursor
        return [days_of(request) for request in data.run_requests or []], data.skip_message or ""

    def run(self, days: str) -> None:
        """Carry out a request."""
        first, _, last = days.partition("...")
        assert self.project.run(date.fromisoformat(first), date.fromisoformat(last or first)).success


def days_of(request: Any) -> str:
    if request.partition_key:
        return str(request.partition_key)
    tags = request.tags
    return f"{tags['dagster/asset_partition_range_start']}...{tags['dagster/asset_partition_range_end']}"


def track(name: str, day: int, hour: int = 12) -> RawRow:
    return RawRow("tracks", name, "late", timestamp=datetime(2024, 3, day, hour), event="page")


def test_changed_files_ask_for_exactly_their_days_and_the_tables_are_right(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = Ticks(project)
    days, why = ticks.tick()
    assert (days, why) == ([], "Rows came for 3 days that have never run: the schedule or a backfill sees to them.")
    project.run(FIRST, LAST)
    assert ticks.tick() == ([], "No late data.")
    rows = [track("l1", 9), track("l2", 10), track("l3", 12, 23)]
    project.land("tracks/late", rows)
    assert ticks.tick()[0] == ["2024-03-09...2024-03-10"]
    # What was asked for and has not run is not forgotten, nor asked for twice; the other range follows.
    assert ticks.tick()[0] == ["2024-03-12"]
    days, why = ticks.tick()
    assert days == []
    assert why.startswith("The run for 2024-03-09, 2024-03-10, 2024-03-12 was requested before and has not succeeded")
    ticks.run("2024-03-09...2024-03-10")
    # That run landed the file as a whole: the journal has the day that is still to run.
    assert ticks.tick()[0] == ["2024-03-12"]
    # A run of one day lands a file with rows of another.
    rows.append(track("l4", 11))
    more = project.land("tracks/more", [rows[-1]])
    ticks.run("2024-03-12")
    assert ticks.tick()[0] == ["2024-03-11"]
    ticks.run("2024-03-11")
    assert ticks.tick() == ([], "No late data.")
    assert not oracle_differences(project, first_rows() + rows, Settings(blocked_ids=BLOCKED), FIRST, LAST)
    more.unlink()
    assert ticks.tick()[0] == ["2024-03-11"]
    ticks.run("2024-03-11")
    # A file too large to look into is landed by a run of the newest day; then the journal shows its days.
    monkeypatch.setattr("sessionization_dagster.late_data.arrivals.LandedArrivals.since", small_budget())
    project.land("tracks/large", [track("l5", 9)])
    assert ticks.tick()[0] == ["2024-03-12"]
    ticks.run("2024-03-12")
    assert ticks.tick()[0] == ["2024-03-09"]
    ticks.run("2024-03-09")
    assert ticks.tick() == ([], "No late data.")
    rows[-1] = track("l5", 9)
    assert not oracle_differences(project, first_rows() + rows, Settings(blocked_ids=BLOCKED), FIRST, LAST)


def test_days_out_of_reach_are_counted_and_unfinished_runs_waited_for(
    tmp_path: Path, instance: dg.DagsterInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    project = Project.create(
        tmp_path, instance, {"max_lateness_days": 2},
        start_date="2024-03-09", end_date="2024-03-12", families="rudderstack",
    )  # fmt: skip
    project.land("tracks/first", first_rows())
    project.run(FIRST, LAST)
    ticks = Ticks(project)
    ticks.tick()
    project.land("tracks/late", [track("l1", 9), track("l2", 9, 13), track("l3", 10), track("l4", 11)])
    capfd.readouterr()
    assert ticks.tick()[0] == ["2024-03-11"]
    said = "".join(capfd.readouterr())
    assert "3 rows changed on 2 days before 2024-03-11, further back than max_lateness_days reaches" in said
    assert "materialise 2024-03-09, 2024-03-10" in said
    ticks.run("2024-03-11")
    # The run landed the file, and its journal names the old days once more; they are counted and left.
    assert ticks.tick()[0] == []
    assert ticks.tick() == ([], "No late data.")
    job = project.definitions.resolve_job_def("daily_sessionization")
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert ticks.tick()[1].endswith("is not finished. Its files and days are seen after it.")
    instance.delete_run(run.run_id)
    landing = project.environment.landing
    landing.rename(landing.with_name("away"))
    assert "does not exist" in ticks.tick()[1]


def small_budget() -> Any:
    from sessionization_dagster.late_data.arrivals import LandedArrivals

    since = LandedArrivals.since

    def limited(self: LandedArrivals, *arguments: Any) -> Any:
        return since(replace(self, max_preview_bytes=10), *arguments)

    return limited


def behind(project: Project) -> list[str]:
    """The tables of the warehouse whose files have other rows."""
    folder = project.environment.publish
    rows = "select cast(t as varchar) as line from {} as t order by 1"
    found = []
    for table in tables_to_publish(DbtProject.of(project.environment).manifest):
        schema, name = table.relation
        exists = f"select 1 from information_schema.tables where table_schema = '{schema}' and table_name = '{name}'"
        if not project.query(exists):
            continue
        files = f"{folder}/{schema}/{name}/*.parquet"
        if not glob(files) or project.query(rows.format(f"{schema}.{name}")) != project.query(
            rows.format(f"'{files}'")
        ):
            found.append(f"{schema}.{name}")
    return found


def test_every_run_is_published_however_it_was_started_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "start_date": FIRST.isoformat(), "end_date": LAST.isoformat(), "families": "rudderstack", "publish": str(tmp_path / "published")
    }  # fmt: skip
    home = tmp_path / "dagster"
    tables = '+key:"core/sessions"'
    with dg.DagsterInstance.ephemeral() as unused:
        project = Project.create(tmp_path, unused, None, **settings)
    project.land("tracks/first", first_rows())
    variables = {**project.variables, **{f"SESSIONIZATION_{name.upper()}": value for name, value in settings.items()}}
    done = subprocess.run(
        [sys.executable, "-m", "sessionization_dagster.cli", "run", "--from", str(FIRST), "--to", str(LAST), "--select", tables],
        env={**os.environ, **variables, "DAGSTER_HOME": str(home)}, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    # It also reads core.rejected_events, which the run does not make.
    assert "does not make: events_conserved of core/events\n" in done.stdout, done.stdout
    assert "did not yield" not in done.stdout
    assert project.query("select count(*) as n from core.sessions")[0]["n"]
    assert behind(project) == []

    with dg.DagsterInstance.from_config(str(home)) as project.instance:
        ticks = Ticks(project, "unpublished_tables")
        assert ticks.tick() == ([], "All tables are published.")

        def publish(days: str) -> None:
            first, _, last = days.partition("...")
            job = project.definitions.resolve_job_def(str(ticks.sensor.job_name))
            tags = Window.through(date.fromisoformat(first), date.fromisoformat(last or first)).as_run_tags()
            assert job.execute_in_process(instance=project.instance, tags=tags, run_config=QUIET).success
            assert behind(project) == []
            assert ticks.tick() == ([], "All tables are published.")

        # A run of chosen assets.
        project.land("tracks/late", [track("l1", 9), track("l2", 10)])
        chosen = replace(
            project, definitions=build_definitions(replace(project.environment, publish=None), select=tables)
        )
        assert chosen.run(FIRST, date(2024, 3, 10)).success
        assert "core.events" in behind(project)
        assert ticks.tick()[0] == ["2024-03-09...2024-03-10"]
        publish("2024-03-09...2024-03-10")

        # A run of everything that failed when it had written some tables.
        project.land("tracks/more", [track("l3", 11)])
        with monkeypatch.context() as patched:
            patched.setattr("sessionization_dagster.defs.assets.identity.update_identity_graph", broken)
            assert not project.run(date(2024, 3, 11), raise_on_error=False).success
        assert "core.events" in behind(project)
        assert ticks.tick()[0] == ["2024-03-11"]
        publish("2024-03-11")

        # A rebuild is recorded as a run of no table, and publishes by itself.
        shutil.rmtree(tmp_path / "published")
        rebuild = project.definitions.resolve_job_def("full_rebuild")
        assert rebuild.execute_in_process(instance=project.instance, run_config=QUIET).success
        assert behind(project) == []


def broken(*_: Any) -> None:
    raise ValueError("broken on purpose")


def test_loaders_tables_are_watched_by_what_they_received(tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "w.duckdb")
    columns = (RawColumn("id", "VARCHAR"), RawColumn("timestamp", "TIMESTAMP"), RawColumn("received_at", "TIMESTAMP"))
    table = RawTable("rudderstack", "tracks", columns, at="timestamp")
    with warehouse.connect() as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.rudderstack_tracks (id varchar, timestamp timestamp, received_at timestamp)"
        )
        connection.execute("""insert into raw.rudderstack_tracks values
            ('1', '2024-03-10 23:30', '2024-03-10 23:30'), ('2', '2024-03-11 12:00', '2024-03-11 12:00')""")
    arrivals = ReceivedArrivals(warehouse, [table], "Europe/Berlin")
    now, since = datetime(2024, 3, 13), date(2024, 3, 10)
    first = arrivals.since(Cursor(), now, since)
    assert [(change.day.day, change.rows) for change in first.changes] == [(11, 2)]
    assert arrivals.since(first.cursor, now, since).changes == ()
    with warehouse.connect() as connection:
        # Received before the newest, loaded after it.
        connection.execute("insert into raw.rudderstack_tracks values ('3', '2024-03-10 09:00', '2024-03-10 09:00')")
        connection.execute("insert into raw.rudderstack_tracks values ('4', '2024-03-11 09:00', '2024-03-12 09:00')")
        connection.execute("insert into raw.rudderstack_tracks values ('5', '2024-02-01 09:00', '2024-03-01 09:00')")
    second = arrivals.since(first.cursor, now, since)
    assert [(change.day.day, change.rows) for change in second.changes] == [(10, 1), (11, 1)]
    with warehouse.connect() as connection:
        connection.execute("delete from raw.rudderstack_tracks where id = '3'")
        # An event table, which is no asset: its rows are looked for and not observed.
        connection.execute("create table raw.rudderstack_login as select * from raw.rudderstack_tracks where id = '1'")
    watched = replace(arrivals, event_tables=[replace(table, table="login")])
    third = watched.since(second.cursor, now, since)
    assert [(change.day.day, change.rows) for change in third.changes] == [(10, 1), (11, 1)]
    assert list(third.observed) == ["rudderstack_tracks"]


def test_the_schedule_asks_for_the_day_that_ended_in_the_projects_timezone(tmp_path: Path) -> None:
    settings = {
        "SESSIONIZATION_START_DATE": "2024-03-09", "SESSIONIZATION_TIMEZONE": "America/New_York",
        "SESSIONIZATION_DUCKDB_PATH": str(tmp_path / "sessionization.duckdb"),
    }  # fmt: skip

    def tick(at: datetime, **more: str) -> Any:
        repository = build_definitions(Environment.from_env({**settings, **more})).get_repository_def()
        schedule = repository.get_schedule_def("daily_at_two")
        assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "America/New_York")
        assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
        return schedule.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=at, repository_def=repository))

    # 02:00 in New York on the day that its clocks change, and the day after: 7 and 6 hours behind.
    for at, day in (
        (datetime(2024, 3, 10, 7, tzinfo=UTC), "2024-03-09"),
        (datetime(2024, 3, 11, 6, tzinfo=UTC), "2024-03-10"),
    ):
        (request,) = tick(at).run_requests
        assert (request.partition_key, request.run_key) == (day, day)
    ended = tick(datetime(2024, 3, 20, 6, tzinfo=UTC), SESSIONIZATION_END_DATE="2024-03-18")
    assert not ended.run_requests
    assert ended.skip_message.startswith("2024-03-19 is no partition")


def test_a_locked_file_is_tried_again_and_an_error_in_the_data_is_not(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT_SECONDS", 1)
    # Somebody has the file open for longer than landing and dbt wait, and closes it when the step waits to try again.
    monkeypatch.setattr(DuckDBWarehouse, "_open", impatient(DuckDBWarehouse._open))
    path = project.environment.duckdb_path
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None
    holder.stdout.readline()

    def close_after(error: BaseException) -> bool:
        holder.communicate(b"\n", timeout=60)
        return is_transient(error)

    with monkeypatch.context() as patched:
        patched.setattr(retries, "is_transient", close_after)
        result = project.run(FIRST, LAST)
    assert result.success
    retried = [event.step_key for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]
    assert set(retried) == {"landing"}

    with project_warehouse(project) as connection:
        connection.execute("alter table core.events add column surprise integer")
    failed = project.run(FIRST, raise_on_error=False)
    assert not failed.success
    assert not [event for event in failed.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]
    (failure,) = [event for event in failed.all_events if event.is_step_failure]
    assert "Drop the table and backfill all partitions" in str(failure.step_failure_data.error)


def impatient(open_file: Any) -> Any:
    def opened(self: DuckDBWarehouse, **options: Any) -> Any:
        object.__setattr__(self, "lock_timeout_seconds", 0.2)
        return open_file(self, **options)

    return opened


def project_warehouse(project: Project) -> Any:
    from sessionization_dagster.defs.resources import build_warehouse

    return build_warehouse(project.environment).connect()
