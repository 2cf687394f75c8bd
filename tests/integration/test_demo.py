"""What a newcomer does: the demo's command, the UI on its instance, and Dagster's own command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from sessionization_dagster.cli.sample import FIRST_DAY, LAST_DAY
from sessionization_dagster.dbt.project import PROJECT_DIR
from tests.integration.real_job import PROMISED, Project, oracle_differences, sample_rows
from tests.integration.services import PATIENCE_SECONDS, free_port
from tests.integration.test_job import BLOCKED, ROOT
from tests.oracle.model import Settings
from tests.report.reading import Report


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def variables(home: Path) -> dict[str, str]:
    return {
        "DAGSTER_HOME": str(home / "dagster"),
        "SESSIONIZATION_DUCKDB_PATH": str(home / "sessionization.duckdb"),
        "SESSIONIZATION_LANDING": str(home / "landing"),
    }


@pytest.fixture(scope="module")
def demo_output(variables: dict[str, str]) -> str:
    """The demo, run once for all tests of this file."""
    done = subprocess.run(
        [sys.executable, "-m", "sessionization_dagster.cli", "demo"],
        env={**os.environ, **variables}, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stderr
    return done.stdout


@pytest.fixture
def project(home: Path, demo_output: str) -> Iterator[Project]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Project.create(home, instance, start_date=FIRST_DAY.isoformat(), end_date=LAST_DAY.isoformat())


KINDS = {
    "VARCHAR": "text", "TIMESTAMP": "timestamp", "DATE": "date", "BIGINT": "integer", "INTEGER": "integer", "DOUBLE": "number",
    "DECIMAL(38,6)": "number", "JSON": "json", "VARCHAR[]": "texts", "BOOLEAN": "boolean",
}  # fmt: skip


def kind_of(data_type: str) -> str:
    """The name that docs/tables.yml has for a DuckDB type."""
    if data_type.startswith("STRUCT"):
        return "structs" if data_type.endswith("[]") else "struct"
    return KINDS[data_type]


def test_every_promised_table_and_column_is_there(project: Project) -> None:
    found: dict[str, dict[str, dict[str, str]]] = {}
    for row in project.query(
        "select table_schema, table_name, column_name, data_type from information_schema.columns order by ordinal_position"
    ):
        if row["table_schema"] in PROMISED:
            table = found.setdefault(row["table_schema"], {}).setdefault(row["table_name"], {})
            table[row["column_name"]] = kind_of(row["data_type"])
    for schema, tables in PROMISED.items():
        for table, columns in tables.items():
            assert found[schema].get(table) == columns, f"{schema}.{table}"


def test_the_demo_shows_its_progress_and_what_came_out(demo_output: str) -> None:
    assert "core.sessions: INSERT 3607" in demo_output
    assert "31,106 events, 14 rejected, 866 visitors, 3,607 sessions" in demo_output
    assert "make ui" in demo_output


def test_the_status_after_the_demo_is_that_of_its_days(demo_output: str, variables: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sessionization_dagster.cli", "status"],
        env={**os.environ, **variables}, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"178 days, {FIRST_DAY} to {LAST_DAY}" in done.stdout
    assert "with all days" in done.stdout


def test_the_sample_has_something_for_every_table_and_check(project: Project) -> None:
    reasons = project.query("select reason, count(*) as n from core.rejected_events group by 1 order by 1")
    assert [tuple(row.values()) for row in reasons] == [
        ("duplicate_event_id", 4), ("no_identity", 5), ("no_timestamp", 5),
    ]  # fmt: skip
    (found,) = project.query("""
        select
            (select count(*) from core.sessions where cast(session_end_at as date) > session_start_date) as over_midnight,
            (select count(*) from (
                select anonymous_id from core.events group by 1
                having min(timestamp) filter (where user_id is not null) > min(timestamp) + interval 14 day)) as late_logins""")
    assert found == {"over_midnight": 49, "late_logins": 220}
    empty = [
        f"{schema}.{table}"
        for schema, tables in PROMISED.items()
        for table in tables
        if not project.query(f"select 1 from {schema}.{table} limit 1")
    ]
    # What a first run has no occasion for.
    assert empty == ["core.affected_visitors", "core.identity_changes", "monitoring.erasures"]


def test_the_report_is_linked_and_shows_the_samples_numbers(home: Path, demo_output: str) -> None:
    """What it shows is worked out here once more from the landed file: latest user of a device, gaps of more than 30 minutes."""
    latest = home / "reports" / "latest.html"
    assert demo_output.splitlines()[-1] == f"Report   {latest}"
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["reports", "sessions_report"]))
    assert event is not None
    assert event.asset_materialization is not None
    metadata = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    path = Path(str(metadata["path"]))
    assert path.name == f"sessions_2024-04-01_2024-06-29_{event.run_id[:8]}.html"
    assert metadata["url"] == path.as_uri()
    assert metadata["size_bytes"] == path.stat().st_size
    report = Report(path.read_text(encoding="utf-8"))
    with duckdb.connect() as sample:
        sample.execute(SAMPLE_SESSIONS.format(path=home / "landing" / "rudderstack" / "tracks" / "ecom_login.parquet"))
        days = sample.sql("""
            select cast(day as varchar), count(distinct visitor), count(*) filter (where starts) from moments
            where day >= '2024-04-01' group by day""").fetchall()
        assert report.numbers("activity-1") == {day: (users, sessions) for day, users, sessions in days}
        ((users, sessions, events),) = sample.sql("""
            select count(distinct visitor), count(*) filter (where starts), count(*) from moments where day >= '2024-04-01'
            """).fetchall()
        assert (metadata["active_users"], metadata["sessions"], metadata["events"]) == (users, sessions, events)
        assert f"| Sessions | {sessions:,} | " in str(metadata["headlines"])
        pages = sample.sql("""
            select split_part(context_page_url, '?', 1) as url, count(*), count(distinct anonymous_id)
            from moments where day >= '2024-04-01'
            group by url order by count(*) desc, url limit 15""").fetchall()
        assert {url: numbers[:2] for url, numbers in report.numbers("traffic-1").items()} == {
            url: (views, devices) for url, views, devices in pages
        }
        ((median,),) = sample.sql("""
            select median(minutes) from (
                select date_diff('microsecond', min(timestamp), max(timestamp)) / 6e7 as minutes
                from moments group by visitor, session having min(day) >= '2024-04-01')""").fetchall()
        assert metadata["median_session_minutes"] == pytest.approx(median)
        linked = sample.sql("""
            select count(distinct anonymous_id) filter (where anonymous_id in (select anonymous_id from owners)),
                count(distinct anonymous_id) from moments""").fetchall()
        assert list(report.numbers("identity-1").values()) == [linked[0][0], linked[0][1] - linked[0][0]]
    with duckdb.connect(str(home / "sessionization.duckdb"), read_only=True) as warehouse:
        cohorts = warehouse.sql("""
            select cast(cohort_week as varchar), week_number, sum(visitors) from analytics.retention_weekly
            where cohort_week >= '2024-04-01' group by all""").fetchall()
    shown = [
        (row[0], number, int(cell)) for row in report.tables["channels-6"][1:] for number, cell in enumerate(row[1:])
    ]
    assert {cell for cell in shown if cell[2]} == set(cohorts)


SAMPLE_SESSIONS = """
    create table sent as
    select distinct * from '{path}' where timestamp is not null and coalesce(anonymous_id, user_id) is not null;
    create table owners as
    select anonymous_id, arg_max(user_id, (timestamp, id)) as user_id from sent where user_id is not null group by all;
    create table moments as
    with named as (
        select sent.*, coalesce(sent.user_id, owners.user_id, anonymous_id) as visitor
        from sent left join owners using (anonymous_id)
    ),
    gaps as (
        select *, timestamp - lag(timestamp) over (partition by visitor order by timestamp, id) as gap from named
    )
    select *, cast(timestamp as date) as day, gap is null or gap > interval 30 minutes as starts,
        count(case when gap is null or gap > interval 30 minutes then 1 end)
            over (partition by visitor order by timestamp, id) as session
    from gaps"""


def test_the_sample_equals_the_oracle_and_a_rerun_changes_no_row(project: Project) -> None:
    settings = Settings(blocked_ids=BLOCKED)
    assert not oracle_differences(
        project,
        sample_rows(project.environment.landing / "rudderstack" / "tracks" / "ecom_login.parquet"),
        settings,
        FIRST_DAY,
        LAST_DAY,
    )
    before = project.digest()
    result = project.run(date(2024, 3, 10))
    assert all(check.passed for check in result.get_asset_check_evaluations())
    assert project.digest() == before
    project.run(date(2024, 2, 1), date(2024, 2, 20))
    assert project.digest() == before


# A range of one day is what --partition means too; the day by its own option is in the long suite.
@pytest.mark.parametrize(
    "partitions",
    [["--partition", "2024-01-04"], ["--partition-range", "2024-01-04...2024-01-10"]],
    ids=["a day", "a range"],
)
def test_dagsters_command_line_materialises_days(
    partitions: list[str], project: Project, variables: dict[str, str]
) -> None:
    before = project.digest()
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "sessionization_dagster.definitions",
         "--select", "*", *partitions],
        env={**os.environ, **variables, "DAGSTER_HOME": ""}, cwd=ROOT, capture_output=True, text=True,
        timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.digest() == before


def test_the_run_command_reports_a_mistake_in_one_line(variables: dict[str, str]) -> None:
    for arguments, extra, says in (
        (["--from", "2023-12-31"], {}, "2023-12-31 is no partition: they go from 2024-01-04"),
        (
            ["--from", "2024-01-04"],
            {"SESSIONIZATION_TARGET": "duckbd"},
            "SESSIONIZATION_TARGET is 'duckbd'. Allowed: duckdb",
        ),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "sessionization_dagster.cli", "run", *arguments],
            env={**os.environ, **variables, **extra}, cwd=ROOT, capture_output=True, text=True,
            timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        assert done.returncode == 2
        assert done.stderr.startswith(says), done.stderr


def test_a_bad_setting_ends_the_command_with_the_remedy(variables: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "asset", "list", "-m", "sessionization_dagster.definitions"],
        env={**os.environ, **variables, "SESSIONIZATION_TIMEZONE": "Mars/Olympus"}, cwd=ROOT, capture_output=True, text=True,
        timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert done.returncode != 0
    assert "SESSIONIZATION_TIMEZONE is 'Mars/Olympus'. Give an IANA name" in done.stdout + done.stderr


@pytest.fixture
def port(variables: dict[str, str], demo_output: str) -> Iterator[int]:
    """The UI's webserver, with its daemon, as `make ui` starts them."""
    number = free_port()
    ui = subprocess.Popen(
        [sys.executable, "-m", "sessionization_dagster.cli", "ui", "--port", str(number)],
        env={**os.environ, **variables}, cwd=ROOT, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield number
    finally:
        os.killpg(ui.pid, signal.SIGINT)
        try:
            ui.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(ui.pid, signal.SIGKILL)
            ui.wait()


def graphql(port: int, query: str, give_up_after: float = PATIENCE_SECONDS) -> Any:
    """Ask the webserver, waiting until it has started and loaded the definitions."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    )
    deadline = time.monotonic() + give_up_after
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = json.load(response)["data"]
                if answer.get("assetNodes"):
                    return answer
        except (urllib.error.URLError, ConnectionError):
            pass
        assert time.monotonic() < deadline, "the webserver did not answer in time"
        time.sleep(1)


def assert_lineage_is_whole(lineage: dict[str, dict[str, set[str]]]) -> None:
    """Each column leads to others, except constants, counts of rows and what landing and the logs write."""
    assert lineage["staging/stg_rudderstack__events"]["event_id"] == {
        f"raw/rudderstack_{table}.id" for table in ("tracks", "pages", "screens", "identifies", "aliases")
    }
    assert lineage["core/events"]["user_id"] == {"staging/stg_rudderstack__events.user_id"}
    assert "core/identity_edges.user_id" in lineage["core/identity_graph"]["dbt_visitor_id"]
    assert lineage["rudderstack/dbt_aliases_mapping"]["dbt_visitor_id"] == {"core/identity_graph.dbt_visitor_id"}
    assert lineage["rudderstack/dbt_session_tracks"]["session_start_at"] == {"core/sessions.session_start_at"}
    assert lineage["rudderstack/dbt_user_session_facts"]["first_date"] >= {"core/session_events.session_start_at"}
    without = {name for name, columns in lineage.items() if not columns}
    seeds = {f"core/{path.stem}" for path in (PROJECT_DIR / "seeds").rglob("*.csv")}
    logs = {"monitoring/dbt_run_results", "monitoring/erasures"}
    assert {name for name in without if not name.startswith("raw/")} == seeds | logs | {"analytics/calendar"}


def test_the_ui_opens_on_the_demos_instance_with_its_partitions_and_checks(port: int, project: Project) -> None:
    nodes = graphql(
        port,
        """{ assetNodes {
        assetKey { path } groupName description kinds owners { ... on TeamAssetOwner { team } }
        tags { key value } freshnessPolicy: internalFreshnessPolicy { __typename }
        metadataEntries { label ... on CodeReferencesMetadataEntry { codeReferences { ... on LocalFileCodeReference { filePath } } } }
        partitionStats { numPartitions numMaterialized }
        assetMaterializations(limit: 2) { partition metadataEntries {
            label
            ... on IntMetadataEntry { intValue }
            ... on MarkdownMetadataEntry { mdStr }
            ... on TableSchemaMetadataEntry { schema { columns { name description } } }
            ... on TableColumnLineageMetadataEntry { lineage { columnName columnDeps { assetKey { path } columnName } } }
        } }
        assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization { status } } } } } }""",
    )["assetNodes"]
    assert {"core/events", "core/identity_graph", "rudderstack/dbt_session_tracks", "raw/rudderstack_tracks"} <= {
        "/".join(node["assetKey"]["path"]) for node in nodes
    }
    statuses = []
    lineage: dict[str, dict[str, set[str]]] = {}
    numbers: dict[str, dict[str, int]] = {}
    for node in nodes:
        name = "/".join(node["assetKey"]["path"])
        assert node["partitionStats"] == {"numPartitions": 178, "numMaterialized": 178}, name
        assert node["groupName"] == node["assetKey"]["path"][0], name
        assert node["description"], name
        assert node["owners"], name
        assert "duckdb" in node["kinds"], name
        assert {"layer", "grain"} <= {tag["key"] for tag in node["tags"]}, name
        assert node["freshnessPolicy"], name
        defined = {entry["label"]: entry for entry in node["metadataEntries"]}
        files = defined["dagster/code_references"]["codeReferences"]
        assert files, name
        assert all(Path(file["filePath"]).is_file() for file in files), name
        newest, before = node["assetMaterializations"]
        assert newest["partition"] == LAST_DAY.isoformat(), name
        entries = {entry["label"]: entry for entry in newest["metadataEntries"]}
        if not {"table", "view"} & set(node["kinds"]):
            assert {"path", "url"} <= set(entries), name
            continue
        assert {"dagster/row_count", "dagster/column_schema"} <= set(entries), name
        columns = {
            column["name"]: column["description"] for column in entries["dagster/column_schema"]["schema"]["columns"]
        }
        assert all(columns.values()), (name, columns)
        if entries["dagster/row_count"]["intValue"]:
            assert "preview" in entries, name
        if name == "core/events":
            preview = entries["preview"]["mdStr"]
            assert "| track |" in preview
            assert "user_0" not in preview  # as the sample names users
        # What is long is not repeated for each day.
        assert not {"preview", "dagster/column_lineage"} & {entry["label"] for entry in before["metadataEntries"]}, name
        lineage[name] = {
            one["columnName"]: {f"{'/'.join(dep['assetKey']['path'])}.{dep['columnName']}" for dep in one["columnDeps"]}
            for one in entries.get("dagster/column_lineage", {"lineage": []})["lineage"]
        }
        assert set(lineage[name]) <= set(columns), name
        numbers[name] = {
            entry["label"]: entry["intValue"]
            for entry in newest["metadataEntries"]
            if entry.get("intValue") is not None
        }
        checks = node["assetChecksOrError"]["checks"]
        # The job verify has its checks to itself.
        run = [check for check in checks if check["name"] != "matches_full_rebuild"]
        statuses += [check["executionForLatestMaterialization"]["status"] for check in run]
    assert len(statuses) > 40
    assert set(statuses) == {"SUCCEEDED"}
    (sessions,) = project.query("""
        select count(*) as rows, count(distinct dbt_visitor_id) as visitors from rudderstack.dbt_session_tracks
        where session_start_date = (select max(session_start_date) from rudderstack.dbt_session_tracks)""")
    of_last_day = numbers["rudderstack/dbt_session_tracks"]
    assert of_last_day["partition_sessions"] == of_last_day["dagster/partition_row_count"] == sessions["rows"]
    assert of_last_day["partition_visitors"] == sessions["visitors"]
    assert_lineage_is_whole(lineage)
