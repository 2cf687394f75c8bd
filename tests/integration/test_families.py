"""Sources and table families beside each other: the same events in several vendor formats, one's own source, the cost of one more day."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sessionization_dagster.cli.sample import FIRST_DAY, LAST_DAY, land_sample
from sessionization_dagster.dbt.project import PROJECT_DIR, DbtProject
from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.dbt.staging_keys import require_known_keys
from sessionization_dagster.errors import DbtError
from sessionization_dagster.landing import land
from sessionization_dagster.settings.environment import Environment
from tests.integration.real_job import LOGS, ROOT
from tests.integration.recomputed import compare, problems
from tests.integration.thin_driver import ThinDriver, parsed_project
from tests.oracle.model import RawRow, Settings

DAY = date(2024, 3, 10)


def landed(folder: Path, *sources: str, project: DbtProject | None = None) -> ThinDriver:
    """A warehouse with the sample landed from real files, in the formats of the sources."""
    driver = ThinDriver(folder, Settings(sources=sources), project)
    land_sample(folder / "landing", sources)
    land_files(driver, folder / "landing", sources)
    return driver


def land_files(driver: ThinDriver, landing: Path, sources: tuple[str, ...]) -> None:
    """Fill the raw tables from the landing folder instead of the driver's own rows."""
    tables = raw_tables(driver.project.manifest, sources)
    with driver.warehouse.connect() as connection:
        for table in tables:
            connection.execute(f"drop table if exists raw.{table.name}")
        connection.execute("drop table raw.landing_rejects")
        land(connection.native, landing, tables, datetime(2024, 7, 1))


def query(driver: ThinDriver, sql: str) -> list[dict[str, Any]]:
    with driver.warehouse.connect() as connection:
        return connection.query(sql).to_pylist()


SAME_IN_EVERY_FORMAT = {
    "rudderstack.dbt_aliases_mapping": "*",
    "rudderstack.dbt_track_facts": "*",
    "rudderstack.dbt_session_tracks": "*",
    "rudderstack.dbt_tracks_flow": "*",
    "mixpanel.dim__sessions": "*",
    "mixpanel.fact__users_journey": "*",
    "core.funnel_stages": "*",
    "measure_js.users": "*",
    "segment.segment_sessions": "session_id, session_start_timestamp, session_end_timestamp, len(records)",
}


@pytest.fixture(scope="module")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ThinDriver]:
    """The sample in three vendors' formats; the first, with all families, is also the history that one more day is added to."""
    made = {source: landed(tmp_path_factory.mktemp(source), source) for source in ("segment", "mixpanel")}
    made["rudderstack"] = landed(
        tmp_path_factory.mktemp("rudderstack"), "rudderstack", project=parsed_project(("rudderstack",))
    )
    made["rudderstack"].run(FIRST_DAY, LAST_DAY - timedelta(days=1))
    made["rudderstack"].run(LAST_DAY, LAST_DAY)
    for source in ("segment", "mixpanel"):
        made[source].run(FIRST_DAY, LAST_DAY)
    return made


def test_the_same_events_give_the_same_people_and_sessions_in_every_format(drivers: dict[str, ThinDriver]) -> None:
    for table, columns in SAME_IN_EVERY_FORMAT.items():
        sql = f"select {columns} from {table} order by all"
        expected = query(drivers["rudderstack"], sql)
        assert len(expected) > 100, table
        for source in ("segment", "mixpanel"):
            assert query(drivers[source], sql) == expected, (table, source)


def test_all_sources_at_once_are_the_same_people_with_every_event_four_times(
    drivers: dict[str, ThinDriver], tmp_path: Path
) -> None:
    """More rows than a row group of DuckDB's in the first run, too: tables made empty and filled at once were read wrongly then."""
    driver = landed(tmp_path, "rudderstack", "segment", "mixpanel", "measure_js")
    driver.run(FIRST_DAY, LAST_DAY)
    (events,) = query(driver, "select count(*) as n, count(distinct (event_date, event_id)) as ids from core.events")
    assert events == {"n": 4 * 31106 + 812, "ids": 4 * 31106 + 812}
    for table in (
        "rudderstack.dbt_aliases_mapping",
        "rudderstack.dbt_session_tracks",
        "rudderstack.dbt_session_duration",
    ):
        sql = f"select * from {table} order by all"
        assert query(driver, sql) == query(drivers["rudderstack"], sql), table
    (facts,) = query(driver, "select count(*) as n from mixpanel.fact__users_journey")
    assert facts["n"] == 4 * 31106


def test_segments_format_brings_pages_and_traits(drivers: dict[str, ThinDriver]) -> None:
    (users,) = query(
        drivers["segment"],
        """select count(*) as n, count(email) as emails, count(*) filter (where email <> user_id || '@shop.example') as wrong
        from segment.segment_users""",
    )
    assert users["n"] == 866
    columns = query(drivers["segment"], "select column_name from (describe segment.segment_users)")
    assert [row["column_name"] for row in columns] == ["user_id", "first_seen_at", "email", "name", "plan"]
    # Users of devices that several log in on are visitors too.
    assert users["emails"] == 562
    assert users["wrong"] == 0
    (sessions,) = query(
        drivers["segment"],
        """select sum(stats.total_pages) as pages, sum(stats.total_tracks) as tracks,
            count(*) filter (where first_page_values.first_url = 'https://shop.example/') as from_home
        from segment.segment_sessions""",
    )
    assert sessions["pages"] + sessions["tracks"] == 31106
    assert sessions["pages"] > 20000
    assert sessions["from_home"] > 100


def test_one_more_day_rewrites_only_what_the_day_touches(drivers: dict[str, ThinDriver]) -> None:
    driver = drivers["rudderstack"]
    touched = {
        row["model_name"]: row["rows_affected"]
        for row in query(
            driver,
            f"""select model_name, rows_affected from monitoring.dbt_run_results
            where partition_start = date '{LAST_DAY}' and rows_affected is not null""",
        )
    }
    models = {model.full_name: model.name for model in driver.project.manifest.models}
    shares = {}
    for table, name in models.items():
        if name in touched:
            (total,) = query(driver, f"select count(*) as n from {table}")
            shares[table] = touched[name] / max(total["n"], 1)
            print(f"{table}: {touched[name]} of {total['n']} rows")
    assert len(shares) > 15
    assert max(shares.values()) < 0.1, shares


def test_sources_with_the_same_ids_do_not_swallow_each_other(tmp_path: Path) -> None:
    driver = ThinDriver(tmp_path, Settings(sources=("segment", "mixpanel")))
    at = datetime(2024, 3, 10, 10)
    driver.land(
        [
            RawRow("tracks", "1", "a", timestamp=at, event="x", source="segment"),
            RawRow("events", "1", "a", timestamp=at, event="y", source="mixpanel"),
            RawRow("events", None, "a", timestamp=at, event="z", source="mixpanel"),
        ]
    )
    driver.run(DAY, DAY)
    events = query(driver, "select event_id, source from core.events order by 1")
    assert events == [{"event_id": "1", "source": "segment"}, {"event_id": "mixpanel:1", "source": "mixpanel"}]
    assert query(driver, "select event_id, reason from core.rejected_events") == [
        {"event_id": None, "reason": "no_event_id"}
    ]


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_measure_js_rows_without_an_id_get_one_from_their_content(tmp_path: Path) -> None:
    driver = ThinDriver(tmp_path, Settings(sources=("measure_js",)))
    view = {
        "timestamp": "2024-03-10T10:00:00Z", "event_name": "pageview", "client_id": "c", "user_id": None, "url": "/a",
        "device": {"type": "mobile", "os": "iOS", "browser": "Safari"}, "location": {"country": "Chile", "city": "Lota"},
    }  # fmt: skip
    rows = [view, view, {**view, "url": "/b"}, {**view, "event_id": "given"}, {**view, "event_name": "buy"}]
    coded = {**view, "event_id": "coded", "location": {"country": "", "country_code": "CL"}}
    files = tmp_path / "landing" / "measure_js" / "events"
    write_lines(files / "one.jsonl", rows)
    write_lines(files / "coded.jsonl", [coded])
    land_files(driver, tmp_path / "landing", ("measure_js",))
    driver.run(DAY, DAY)
    assert query(driver, "select country from core.events where event_id = 'coded'") == [{"country": "CL"}]
    found = query(driver, "select * from core.events where event_id <> 'coded' order by event_id")
    assert len(found) == 5
    assert sorted(row["event_type"] for row in found) == ["page", "page", "page", "page", "track"]
    assert {(row["device"], row["os"], row["country"]) for row in found} == {("mobile", "iOS", "Chile")}
    assert json.loads(found[0]["properties"]) == {name: view[name] for name in ("device", "location")}
    assert "given" in {row["event_id"] for row in found}

    # The same rows in another order and split over files have the same ids; one copy less is one event less.
    (files / "one.jsonl").unlink()
    write_lines(files / "two.jsonl", rows[:0:-1])
    write_lines(files / "three.jsonl", rows[:1])
    land_files(driver, tmp_path / "landing", ("measure_js",))
    driver.run(DAY, DAY)
    assert query(driver, "select * from core.events where event_id <> 'coded' order by event_id") == found
    (files / "three.jsonl").unlink()
    land_files(driver, tmp_path / "landing", ("measure_js",))
    driver.run(DAY, DAY)
    left = {row["event_id"] for row in query(driver, "select event_id from core.events where event_id <> 'coded'")}
    assert left < {row["event_id"] for row in found}
    assert len(left) == 4


def with_documented_source(folder: Path, source: str, place: int) -> tuple[Path, dict[str, str]]:
    """A copy of the dbt project with the source of docs/add-a-source.md's example at this place, and the example's texts by language."""
    text = (ROOT / "docs" / "add-a-source.md").read_text().split("\n## ")[place]
    copy = folder / "dbt_project"
    shutil.copytree(PROJECT_DIR, copy, ignore=shutil.ignore_patterns("target", "logs"))
    # The first block of each language.
    blocks = dict(reversed(re.findall(r"```(json|yaml|sql)\n(.*?)```", text, re.S)))
    models = copy / "models" / "staging" / source
    models.mkdir()
    for name, language in ((f"_{source}__sources.yml", "yaml"), (f"stg_{source}__events.sql", "sql")):
        assert f"models/staging/{source}/{name}" in text
        (models / name).write_text(blocks[language])
    return copy, blocks


@pytest.mark.parametrize("says_when", [True, False])
def test_the_export_of_google_analytics_is_such_a_source(says_when: bool, tmp_path: Path) -> None:
    """Its time is a number, or known to an expression alone."""
    copy, blocks = with_documented_source(tmp_path, "ga4", 1)
    if not says_when:
        yml = copy / "models" / "staging" / "ga4" / "_ga4__sources.yml"
        yml.write_text(blocks["yaml"].replace(", at: event_timestamp", ""))
    project = DbtProject.of(Environment.from_env({"SESSIONIZATION_SOURCES": "rudderstack,ga4"}), project_dir=copy)
    require_known_keys(project.manifest)
    driver = ThinDriver(tmp_path, Settings(), project)
    land_files(
        driver, ROOT / "tests" / "data" / "vendor_cases" / "16-ga4-own-source" / "landing", ("rudderstack", "ga4")
    )
    days = query(driver, "select day, row_count from raw.landing_changes")
    assert days == ([{"day": date(2021, 1, 31), "row_count": 4}] if says_when else [])
    driver.run(date(2021, 1, 31), date(2021, 1, 31))
    assert query(driver, "select event_type, count(*) as n from core.events group by 1 order by 1") == [
        {"event_type": "page", "n": 1}, {"event_type": "track", "n": 3},
    ]  # fmt: skip
    assert query(driver, "select dbt_visitor_id, session_start_at from rudderstack.dbt_session_tracks") == [
        {"dbt_visitor_id": "cust-9", "session_start_at": datetime(2021, 1, 31, 9, 45, 10, 766593)}
    ]
    assert query(driver, "select ended_at from rudderstack.dbt_session_track_facts") == [
        {"ended_at": datetime(2021, 1, 31, 9, 48, 10, 766593)}
    ]
    assert query(driver, "select distinct country, device from core.events") == [
        {"country": "Germany", "device": "mobile"}
    ]


def test_a_source_of_ones_own_takes_one_folder(tmp_path: Path) -> None:
    """The worked example of docs/add-a-source.md, taken from its text."""
    copy, blocks = with_documented_source(tmp_path, "support", 0)
    landing = tmp_path / "landing"
    write_lines(landing / "support" / "tickets" / "day.jsonl", [json.loads(blocks["json"]), {"ticket_id": "T-2"}])
    write_lines(
        landing / "rudderstack" / "tracks" / "day.jsonl",
        [
            {
                "id": "e1",
                "anonymous_id": "a",
                "user_id": "user_0428",
                "timestamp": "2024-01-05T09:20:00Z",
                "event": "home",
            }
        ],
    )
    sources = ("rudderstack", "support")
    project = DbtProject.of(Environment.from_env({"SESSIONIZATION_SOURCES": ",".join(sources)}), project_dir=copy)
    driver = ThinDriver(tmp_path, Settings(), project)
    land_files(driver, landing, sources)
    driver.run(date(2024, 1, 4), date(2024, 1, 6))
    facts = query(driver, "select event_id, event, session_id from rudderstack.dbt_track_facts order by timestamp")
    assert facts == [
        {"event_id": "e1", "event": "home", "session_id": "1 - user_0428"},
        {"event_id": "support:T-1", "event": "ticket_opened", "session_id": "1 - user_0428"},
    ]
    (event,) = query(driver, "select properties from core.events where source = 'support'")
    assert json.loads(event["properties"]) == {"channel": "chat", "subject": "Where is my parcel?"}
    (rejected,) = query(driver, "select event_id, source, reason from core.rejected_events")
    assert rejected == {"event_id": "support:T-2", "source": "support", "reason": "no_timestamp"}
    # Its rows are found by the identifiers that it declares.
    recomputed = compare(driver)
    assert recomputed.sample.raw_rows == 2
    assert not problems(recomputed)
    assert not recomputed.pending


@pytest.fixture
def driver(tmp_path: Path) -> ThinDriver:
    driver = ThinDriver(tmp_path, Settings())
    driver.land([RawRow("tracks", "e", "a", timestamp=datetime(2024, 3, 10, 10), event="product_view")])
    driver.run(DAY, DAY)
    return driver


def test_failed_and_skipped_models_are_in_the_run_results(driver: ThinDriver) -> None:
    with driver.warehouse.connect() as connection:
        connection.execute("drop table core.identity_graph cascade")
    with pytest.raises(DbtError, match="identity_graph"):
        driver.run_sessions(DAY, DAY)
    results = {
        row["model_name"]: row
        for row in query(driver, "select * from monitoring.dbt_run_results order by run_started_at nulls last")
    }
    assert results["session_events"]["status"] == "error"
    assert results["core_sessions"]["status"] == "skipped"
    assert results["client_events"]["status"] == "success"
    assert results["client_events"]["duration_seconds"] > 0
    assert (results["events"]["partition_start"], results["events"]["partition_end"]) == (DAY, DAY + timedelta(days=1))
    assert results["events"]["rows_affected"] == 1


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            {"segment_user_traits": ("email", "First_Seen_At")},
            r"segment_user_traits names 'First_Seen_At'.*take it out",
        ),
        # Not a column of segment_users itself, but of the table that it is made of.
        ({"segment_user_traits": ("timestamp",)}, r"segment_user_traits names 'timestamp'"),
        ({"segment_user_traits": ("plan", "Plan")}, r"segment_user_traits names 'Plan'"),
        ({"counted_events": {"num_pvs": "page"}}, r"counted_events names 'num_pvs'.*call it otherwise"),
    ],
)
def test_columns_asked_for_cannot_be_called_like_others(settings: dict[str, Any], problem: str, tmp_path: Path) -> None:
    driver = ThinDriver(tmp_path, Settings(**settings))
    with pytest.raises(DbtError, match=rf"(?s)The var {problem}"):
        driver.run_sessions(DAY, DAY, select="segment_user_calls dbt_session_track_facts")


def run_operation(driver: ThinDriver, **arguments: object) -> subprocess.CompletedProcess[str]:
    """The operation as people run it: plain dbt on the command line."""
    return subprocess.run(
        [Path(sys.executable).parent / "dbt", "run-operation", "check_nulls", "--args", json.dumps(arguments),
         "--project-dir", PROJECT_DIR, "--profiles-dir", PROJECT_DIR, "--target-path", driver.warehouse.path.parent / "target"],
        env={"SESSIONIZATION_DUCKDB_PATH": str(driver.warehouse.path), "PATH": "/usr/bin:/bin", "HOME": str(ROOT)},
        capture_output=True, text=True, cwd=driver.warehouse.path.parent,
    )  # fmt: skip


def test_check_nulls_counts_and_refuses(driver: ThinDriver) -> None:
    done = run_operation(driver, table_name="sessions")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "user_id: 1 null" in done.stdout
    assert "session_id: 0 null" in done.stdout
    done = run_operation(driver, table_name="sessions", columns=["client_id"], required=["user_id"])
    assert done.returncode != 0
    assert "has nulls in user_id (1)" in done.stdout
    assert "no model, seed or source is named 'nosuch'" in run_operation(driver, table_name="nosuch").stdout


def test_every_model_and_column_is_described(driver: ThinDriver) -> None:
    tables = [table for table in driver.project.manifest.tables.values() if table.resource_type != "source"]
    for table in tables:
        assert table.description.startswith("One row per"), table.name
        described = {name for name, column in table.columns.items() if column.description}
        with driver.warehouse.connect() as connection:
            has = {
                row["column_name"]
                for row in connection.query(
                    f"""select column_name from information_schema.columns
                    where (table_schema, table_name) = {table.place}"""
                ).to_pylist()
            }
        assert has == described, table.name
    assert len(tables) > 30
    assert {f"{table.place[0]}.{table.name}" for table in tables} | {"core.identity_changes"} > LOGS


def test_dbts_docs_are_generated(driver: ThinDriver) -> None:
    variables = {**driver.variables, "partition_start": "2024-03-10", "partition_end": "2024-03-11"}
    catalog = driver.project.runner.invoke(["docs", "generate"], variables).result
    assert not catalog.errors
    assert len(catalog.nodes) > 30
