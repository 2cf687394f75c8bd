"""The real job on real files: the oracle agrees, reruns change nothing, killed runs mend, bad input is kept and reported."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from tests.integration.real_job import QUIET, Project, oracle_differences, sample_rows, write_jsonl
from tests.integration.services import PATIENCE_SECONDS
from tests.oracle.histories import history
from tests.oracle.model import RawRow, Settings

ROOT = Path(__file__).resolve().parents[2]
NASA = ROOT.parent / "shared" / "data" / "nasa_http_sample" / "events.parquet"
BLOCKED = ("00000000-0000-0000-0000-000000000000", "null", "NULL", "undefined", "None", "unknown", "anonymous", "guest")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def csv_project(
    tmp_path: Path, instance: dg.DagsterInstance, families: str = "rudderstack", **variables: object
) -> Project:
    """A project of four days and of one family: each family adds to the time of every run."""
    days = {"start_date": "2024-03-09", "end_date": "2024-03-12"}
    return Project.create(tmp_path, instance, variables, **days, families=families)


def test_random_histories_through_the_real_job_equal_the_oracle(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """One adversarial history end to end, landing files included; test_exactness.py drives many more, without Dagster."""
    past = history(10)
    assert len(past.settings.sources) == 4
    settings = past.settings
    variables = {
        "session_timeout_seconds": settings.session_timeout_seconds,
        "identity_policy": settings.identity_policy,
        "max_users_per_alias": settings.max_users_per_alias,
        "blocked_ids": list(settings.blocked_ids),
    }
    project = Project.create(
        tmp_path, instance, variables,
        start_date=past.dates[0].isoformat(), end_date=past.dates[-1].isoformat(), timezone=settings.timezone,
        sources=",".join(settings.sources), removed_files="remove",
    )  # fmt: skip
    landing = project.environment.landing
    for step, files, is_settled in zip(past.steps, past.landings(), past.settled(), strict=True):
        for gone in set(landing.rglob("*.jsonl")) - {landing / f"{name}.jsonl" for name in files}:
            gone.unlink()
        for name, rows in files.items():
            write_jsonl(landing / f"{name}.jsonl", rows)
        for run in step.runs:
            assert project.run(run.first, run.last).success
        if is_settled:
            delivered = [row for file_rows in files.values() for row in file_rows]
            found = oracle_differences(project, delivered, settings, past.dates[0], past.dates[-1])
            assert not found, "\n".join([*found, past.describe()])


@pytest.mark.skipif(not NASA.exists(), reason="the real web log is not shipped with the project")
def test_a_real_web_log_equals_the_oracle(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    import duckdb

    project = Project.create(tmp_path, instance, start_date="1995-07-01", end_date="1995-08-01")
    folder = project.environment.landing / "rudderstack" / "tracks"
    folder.mkdir(parents=True)
    duckdb.sql(f"""
        copy (select event_id as id, anonymous_id, user_id, timestamp, event, url as context_page_url from '{NASA}')
        to '{folder / "log.csv.gz"}' (format csv, header)""")
    result = project.run(date(1995, 7, 1), date(1995, 8, 1))
    assert all(check.passed for check in result.get_asset_check_evaluations())
    rows = sample_rows(NASA)
    assert not oracle_differences(project, rows, Settings(blocked_ids=BLOCKED), date(1995, 7, 1), date(1995, 8, 1))


def test_edge_cases_behave_as_the_contract_says(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """The boundary cases as a file, offsets and all; the expectations are in its own columns."""
    project = csv_project(tmp_path, instance, identity_policy="merge")
    folder = project.environment.landing / "rudderstack" / "tracks"
    folder.mkdir(parents=True)
    text = (ROOT / "tests" / "data" / "edge_cases.csv").read_text()
    header, rest = text.split("\n", 1)
    (folder / "edge_cases.csv").write_text(f"{header.replace('event_id', 'id', 1)}\n{rest}")
    project.run(date(2024, 3, 9), date(2024, 3, 12))
    events = project.query("""
        select facts.event_id, facts.dbt_visitor_id, first.event_id as first_event_id,
            json_extract_string(events.properties, '$.expect_visitor_id') as expect_visitor,
            json_extract_string(events.properties, '$.expect_session_first_event_id') as expect_first
        from rudderstack.dbt_track_facts as facts
        inner join rudderstack.dbt_track_facts as first
            on facts.session_id = first.session_id and first.track_sequence_number = 1
        inner join core.events as events on events.event_id = facts.event_id and events.event_date = facts.event_date""")
    assert len(events) == 31
    # Ids are compared as text: the anonymous_id "same" is the user "same", so n01 opens n02's session.
    overridden = {"n01": ("same", "n01"), "n02": ("same", "n01")}
    for event in events:
        visitor, first = overridden.get(event["event_id"], (event["expect_visitor"], event["expect_first"]))
        assert (event["dbt_visitor_id"], event["first_event_id"]) == (visitor, first), event
    rejected = project.query("""
        select event_id, reason, json_extract_string(raw, '$.properties.expect_session_first_event_id') as expected
        from core.rejected_events""")
    assert sorted(row["reason"] for row in rejected) == sorted(row["expected"].removeprefix("!") for row in rejected)
    assert len(rejected) == 4


def later_rows(day: date) -> list[RawRow]:
    """Late and merging rows for a day: they reach back into the days before."""
    noon = datetime(day.year, day.month, day.day, 12)
    return [
        RawRow("tracks", "late1", "lA", "lU", timestamp=noon, event="login"),
        RawRow("tracks", "late2", "gA", "gU", timestamp=noon + timedelta(minutes=5), event="login"),
        RawRow("tracks", "late3", "mA", None, timestamp=noon - timedelta(hours=12), event="page"),
        RawRow("tracks", "late4", "xB", "lU", timestamp=noon + timedelta(minutes=10), event="viewed_product"),
    ]


def first_rows() -> list[RawRow]:
    start = datetime(2024, 3, 9, 9)
    devices = ["lA", "lB", "gA", "mA", "xB"]

    def user(n: int) -> str | None:
        return "lU" if n % 17 == 0 else None

    return [
        RawRow("tracks", f"e{n:03}", devices[n % 5], user(n), timestamp=start + timedelta(minutes=23 * n), event="page")
        for n in range(150)
    ]


@pytest.mark.parametrize(
    ("moments", "families"),
    [((0.2, 0.5, 0.7), "rudderstack"), ((0.05, 0.35, 0.6, 0.8), "")],
    ids=["three moments", "more moments"],
)
def test_a_killed_run_then_run_again_leaves_what_an_unkilled_one_leaves(
    moments: tuple[float, ...], families: str, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    base = csv_project(tmp_path / "base", instance, families)
    base.land("tracks/first", first_rows())
    base.run(date(2024, 3, 9), date(2024, 3, 11))
    base.land("tracks/late", later_rows(date(2024, 3, 10)))
    base.land("tracks/first", first_rows()[3:])
    reference = copy_of(tmp_path, "reference", instance, families)
    statements = run_child(reference, kill_at=0)
    expected = reference.digest()
    assert expected != base.digest()
    rows = first_rows()[3:] + later_rows(date(2024, 3, 10))
    assert not oracle_differences(reference, rows, Settings(blocked_ids=BLOCKED), date(2024, 3, 9), date(2024, 3, 12))
    for part in moments:
        project = copy_of(tmp_path, f"killed-{part}", instance, families)
        run_child(project, kill_at=int(statements * part))
        project.run(date(2024, 3, 9), date(2024, 3, 12))
        assert project.digest() == expected, f"killed before statement {int(statements * part)} of {statements}"


def copy_of(tmp_path: Path, name: str, instance: dg.DagsterInstance, families: str) -> Project:
    shutil.copytree(tmp_path / "base", tmp_path / name)
    return csv_project(tmp_path / name, instance, families)


def run_child(project: Project, kill_at: int) -> int:
    """Run the job in a process that SIGKILLs itself before its kill_at-th statement (0: never); returns how many it sent."""
    child = subprocess.run(
        [sys.executable, "-m", "tests.integration.killed_child", str(kill_at), "2024-03-09", "2024-03-12"],
        env={**os.environ, **project.variables}, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert child.returncode == (-signal.SIGKILL if kill_at else 0), child.stdout + child.stderr
    return 0 if kill_at else int(child.stdout.split()[-1])


def test_bad_input_is_set_aside_and_reported_and_the_rest_goes_on(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    project = csv_project(tmp_path, instance)
    good = project.land("tracks/good", first_rows()[:10])
    folder = good.parent
    (folder / "empty.csv").write_bytes(b"")
    (folder / "no_event.csv").write_text("id,anonymous_id,timestamp\n1,a,2024-03-09T00:00:00Z\n")
    (folder / "not_parquet.parquet").write_bytes(b"PAR1 nonsense")
    (folder / "bad_rows.csv").write_text(
        "id,anonymous_id,user_id,timestamp,event\nb1,a,,yesterday,page\nb2,a,,2024-03-09T01:00:00Z,page,extra\n"
        "b3,badA,,2024-03-09T02:00:00Z,page\n,badA,,2024-03-09T03:00:00Z,page\n"
    )
    (project.environment.landing / "rudderstak").mkdir()
    result = project.run(date(2024, 3, 9))
    unreadable = project.query("""
        select json_extract_string(raw, '$.source_file') as file, json_extract(raw, '$.source_line')::int as line,
            json_extract_string(raw, '$.error') as error
        from core.rejected_events where reason = 'unreadable' order by file, line""")
    assert [(row["file"].rsplit("/", 1)[-1], row["line"]) for row in unreadable] == [
        ("bad_rows.csv", 2), ("bad_rows.csv", 3), ("empty.csv", None), ("no_event.csv", None), ("not_parquet.parquet", None),
    ]  # fmt: skip
    assert "'event'" in unreadable[3]["error"]
    assert project.query("select count(*) as n from core.events") == [{"n": 11}]
    assert project.query("select reason from core.rejected_events where reason <> 'unreadable'") == [
        {"reason": "no_event_id"}
    ]
    failed = {
        (check.asset_key.to_user_string(), check.check_name): check
        for check in result.get_asset_check_evaluations()
        if not check.passed
    }
    # The rows end days before the last partition does.
    assert set(failed) == {("raw/rudderstack_tracks", name) for name in ("files_readable", "source_is_fresh")}
    unread = failed["raw/rudderstack_tracks", "files_readable"]
    assert unread.metadata["unreadable"].value == 5
    first = unread.metadata["first"].value
    assert isinstance(first, str)
    assert "bad_rows.csv | 3" in first


def test_an_empty_landing_folder_is_a_clear_error_and_changes_nothing(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    project = csv_project(tmp_path, instance)
    project.land("tracks/good", first_rows()[:10])
    project.run(date(2024, 3, 9))
    before = project.digest()
    shutil.rmtree(project.environment.landing)
    result = project.run(date(2024, 3, 9), raise_on_error=False)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert str(project.environment.landing) in str(failure.step_failure_data.error)
    assert project.digest() == before


def test_rows_of_days_that_are_no_partition_are_counted(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    project = csv_project(tmp_path, instance)
    rows = [
        RawRow("tracks", "old", "a", timestamp=datetime(2024, 3, 8, 23, 59, 59, 999999), event="page"),
        RawRow("tracks", "first", "a", timestamp=datetime(2024, 3, 9), event="page"),
        RawRow("tracks", "new", "a", timestamp=datetime(2024, 3, 13), event="page"),
        RawRow("tracks", "undated", "a", received_at=datetime(2024, 3, 8), event="page"),
        RawRow(
            "tracks", "future", "a", timestamp=datetime(2024, 3, 14), received_at=datetime(2024, 3, 12), event="page"
        ),
    ]
    project.land("tracks/days", rows)
    result = project.run(date(2024, 3, 9), date(2024, 3, 12))
    (failed,) = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert failed.check_name == "rows_within_partitions"
    assert {name: value.value for name, value in failed.metadata.items()} == {
        "before_first_partition": 1,
        "after_last_partition": 1,
    }
    assert project.query("select event_id from core.events") == [{"event_id": "first"}]


def test_a_rejected_row_is_kept_whenever_it_arrived(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """Its own time says nothing of its day; where that of its arrival is no partition, every run answers for it."""
    project = csv_project(tmp_path, instance)
    first, last = datetime(2024, 3, 9), datetime(2024, 3, 13)
    rows = [
        RawRow("tracks", "sound", "a", timestamp=last - timedelta(hours=1), received_at=last, event="page"),
        RawRow("tracks", "future", "a", timestamp=first, received_at=first - timedelta(days=1, microseconds=1), event="page"),
        RawRow("tracks", "far future", "a", timestamp=last + timedelta(days=9), received_at=last, event="page"),
        RawRow("tracks", "undated", "a", received_at=first - timedelta(microseconds=1), event="page"),
        RawRow("tracks", "undated later", "a", received_at=last, event="page"),
        RawRow("tracks", "dated", "a", received_at=last - timedelta(microseconds=1), event="page"),
    ]  # fmt: skip
    project.land("tracks/days", rows)
    for day in (date(2024, 3, 12), date(2024, 3, 10)):
        assert not [check for check in project.run(day, day).get_asset_check_evaluations() if not check.passed]
        assert project.query("select event_id, reason, event_date from core.rejected_events order by event_id") == [
            {"event_id": "dated", "reason": "no_timestamp", "event_date": date(2024, 3, 12)},
            {"event_id": "far future", "reason": "future_timestamp", "event_date": None},
            {"event_id": "future", "reason": "future_timestamp", "event_date": None},
            {"event_id": "undated", "reason": "no_timestamp", "event_date": None},
            {"event_id": "undated later", "reason": "no_timestamp", "event_date": None},
        ]


def test_another_timezone_is_refused_on_a_filled_warehouse(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    project = csv_project(tmp_path, instance)
    project.land("tracks/first", first_rows())
    project.run(date(2024, 3, 9), date(2024, 3, 12))
    before = project.digest()
    moved = Project.create(
        tmp_path,
        instance,
        start_date="2024-03-09",
        end_date="2024-03-12",
        timezone="Asia/Tokyo",
        families="rudderstack",
    )
    result = moved.run(date(2024, 3, 10), raise_on_error=False)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "filled with days of UTC, and SESSIONIZATION_TIMEZONE is now Asia/Tokyo" in str(
        failure.step_failure_data.error
    )
    assert project.digest() == before


def test_any_subset_of_tables_in_any_order_converges(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """Tables left behind and caught up later, the lower ones before the upper ones, end as one run would leave them."""
    project = csv_project(tmp_path, instance, families="")
    project.land("tracks/first", first_rows())
    alone = project.definitions.resolve_job_def("daily_sessionization").get_subset(
        asset_selection={dg.AssetKey(["rudderstack", "dbt_session_duration"])}
    )
    result = alone.execute_in_process(
        instance=instance, partition_key="2024-03-10", raise_on_error=False, run_config=QUIET
    )
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "rudderstack.dbt_session_duration is a view of core.sessions, which has not had 2024-03-10" in str(
        failure.step_failure_data.error
    )
    project.run(date(2024, 3, 9), date(2024, 3, 12))
    project.land("tracks/late", later_rows(date(2024, 3, 10)))
    stream = ["raw/landing_rejects", "core/events", "core/rejected_events", "core/identity_edges", "core/identity_graph",
              "core/affected_visitors", "core/session_events"]  # fmt: skip
    below = ["rudderstack/dbt_session_duration", "core/sessions", "rudderstack/dbt_session_tracks", "core/sessions"]
    job = project.definitions.resolve_job_def("daily_sessionization")
    graph = job.asset_layer.asset_graph
    others = [
        name for key in graph.toposorted_asset_keys
        if key.path[0] in ("core", "segment", "mixpanel", "measure_js") and (name := key.to_user_string()) not in stream
    ]  # fmt: skip
    # First each table before all that it is made from, then after them.
    for name in [*stream, *below, *reversed(others), *others]:
        key = dg.AssetKey(name.split("/"))
        checks = {check for check in graph.asset_check_keys if check.asset_key == key}
        part = job.get_subset(asset_selection={key}, asset_check_selection=checks)
        part.execute_in_process(instance=instance, partition_key="2024-03-10", raise_on_error=False, run_config=QUIET)
    rows = first_rows() + later_rows(date(2024, 3, 10))
    assert not oracle_differences(project, rows, Settings(blocked_ids=BLOCKED), date(2024, 3, 9), date(2024, 3, 12))
