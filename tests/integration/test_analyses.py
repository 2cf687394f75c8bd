"""The analyses, compiled by dbt and run on the sample, against the same questions asked of the oracle's tables in plain Python."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from statistics import fmean
from typing import Any

import pytest

from sessionization_dagster.cli.sample import FIRST_DAY, LAST_DAY
from sessionization_dagster.dbt.project import PROJECT_DIR
from tests.integration.real_job import OUTPUT_TABLES
from tests.integration.test_families import landed
from tests.integration.thin_driver import ThinDriver, parsed_project
from tests.oracle import model
from tests.oracle.inputs import RawRow, Settings

Rows = list[dict[str, Any]]
SAMPLE_COLUMNS = {
    "id": "id", "anonymous_id": "anonymous_id", "user_id": "user_id", "timestamp": "timestamp", "event": "event",
    "url": "context_page_url", "country": "context_location_country",
}  # fmt: skip


@pytest.fixture(scope="module")
def answers_and_tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Rows], dict[str, Rows]]:
    """Analysis -> its rows, and the oracle's tables of the same events."""
    driver = landed(tmp_path_factory.mktemp("analyses"), "rudderstack", project=parsed_project())
    driver.run(FIRST_DAY, LAST_DAY)
    compiled = driver.project.runner.invoke(["compile", "--select", "resource_type:analysis"], driver.variables).result
    with driver.warehouse.connect() as connection:
        answers = {
            result.node.name: connection.query(result.node.compiled_code).to_pylist() for result in compiled.results
        }
        raw = connection.query("select * from raw.rudderstack_tracks").to_pylist()
    rows = [RawRow("tracks", **{name: row[column] for name, column in SAMPLE_COLUMNS.items()}) for row in raw]
    return answers, model.tables(rows, Settings(), FIRST_DAY, LAST_DAY)


@pytest.fixture
def answers(answers_and_tables: tuple[dict[str, Rows], dict[str, Rows]]) -> dict[str, Rows]:
    return answers_and_tables[0]


@pytest.fixture
def tables(answers_and_tables: tuple[dict[str, Rows], dict[str, Rows]]) -> dict[str, Rows]:
    return answers_and_tables[1]


def near(rows: Rows, *columns: str) -> list[tuple[Any, ...]]:
    """The columns' values, floats without their last digits: averages depend on the order of summing."""
    return [
        tuple(f"{row[name]:.9g}" if isinstance(row[name], float) else row[name] for name in columns) for row in rows
    ]


def grouped(rows: Rows, *keys: str) -> dict[Any, Rows]:
    groups: dict[Any, Rows] = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return groups


def test_all_nine_are_there(answers: dict[str, Rows]) -> None:
    assert len(answers) == 9
    assert all(answers.values())


def test_top_users_by_session_duration(answers: dict[str, Rows], tables: dict[str, Rows]) -> None:
    groups = grouped(tables["rudderstack.dbt_session_duration"], "dbt_visitor_id")
    users = [(user, len(its), fmean(row["session_duration"] for row in its)) for (user,), its in groups.items()]
    top = sorted(users, key=lambda user: (-round(user[2], 9), user[0]))[:20]
    expected = [{"user": user, "n": n, "minutes": minutes} for user, n, minutes in top]
    found = near(answers["top_users_by_session_duration"], "dbt_visitor_id", "sessions", "avg_session_minutes")
    assert found == near(expected, "user", "n", "minutes")


def test_daily_active_users_growth(answers: dict[str, Rows], tables: dict[str, Rows]) -> None:
    clients: dict[Any, set[str]] = defaultdict(set)
    for event in tables["core.events"]:
        clients[event["event_date"]].add(event["anonymous_id"] or event["user_id"])
    counts = [(day, len(clients[day])) for day in sorted(clients)]
    expected: list[tuple[Any, ...]] = [(counts[0][0], counts[0][1], None, None)]
    for (_, before), (day, now) in itertools.pairwise(counts):
        expected.append((day, now, before, f"{100 * (now - before) / before:.9g}"))
    found = near(answers["daily_active_users_growth"], "date", "daily_active_users", "previous_day_users", "growth_pct")
    assert found == expected


def test_session_duration_distribution(answers: dict[str, Rows], tables: dict[str, Rows]) -> None:
    seconds = [row["session_duration"] for row in tables["measure_js.sessions"]]
    names = {60: "0-1 min", 300: "1-5 min", 900: "5-15 min", 3600: "15-60 min", float("inf"): "60+ min"}
    counts = Counter(next(name for limit, name in names.items() if value < limit) for value in seconds)
    expected = [
        (name, counts[name], f"{100 * counts[name] / len(seconds):.9g}") for name in names.values() if counts[name]
    ]
    found = near(answers["session_duration_distribution"], "duration_bucket", "session_count", "percentage")
    assert found == expected


def test_top_pages(answers: dict[str, Rows], tables: dict[str, Rows]) -> None:
    groups = grouped(tables["core.events"], "url")
    pages = [(url, len(its), len({row["anonymous_id"] for row in its})) for (url,), its in groups.items() if url]
    expected = sorted(pages, key=lambda page: (-page[1], page[0]))[:20]
    assert near(answers["top_pages"], "url", "views", "unique_visitors") == expected
    assert all(row["views_per_visitor"] == row["views"] / row["unique_visitors"] for row in answers["top_pages"])
    assert {row["pageviews"] for row in answers["top_pages"]} == {0}


def test_traffic_by_country(answers: dict[str, Rows], tables: dict[str, Rows]) -> None:
    groups = grouped(tables["measure_js.events_sessionated"], "country")
    expected = [
        (country, len(its), len({row["client_id"] for row in its}), len({row["session_id"] for row in its}))
        for (country,), its in groups.items()
    ]
    found = near(answers["traffic_by_country"], "country", "events", "unique_clients", "sessions")
    assert found == sorted(expected, key=lambda row: (-row[1], row[0]))
    assert len(found) == 6


def test_session_time_per_user_per_day(answers: dict[str, Rows], tables: dict[str, Rows]) -> None:
    groups = grouped(tables["rudderstack.dbt_session_duration"], "session_start_date", "dbt_visitor_id")
    expected = []
    for (day, user), its in sorted(groups.items()):
        minutes = [row["session_duration"] for row in its]
        expected.append((day, user, len(its), f"{sum(minutes):.9g}", f"{fmean(minutes):.9g}"))
    columns = ("session_start_date", "dbt_visitor_id", "sessions", "total_minutes", "avg_session_minutes")
    assert near(answers["session_time_per_user_per_day"], *columns) == expected


def test_first_visit_session_time(answers: dict[str, Rows], tables: dict[str, Rows]) -> None:
    first: list[float] = []
    later: list[float] = []
    for row in tables["rudderstack.dbt_session_duration"]:
        (first if row["session_id"].startswith("1 - ") else later).append(row["session_duration"])
    columns = ("visitors", "avg_first_session_minutes", "avg_later_session_minutes")
    found = near(answers["first_visit_session_time"], *columns)
    assert found == [(len(first), f"{fmean(first):.9g}", f"{fmean(later):.9g}")]


def test_data_freshness_report(answers: dict[str, Rows], tables: dict[str, Rows]) -> None:
    rows = answers["data_freshness_report"]
    hours = [row["hours_behind"] for row in rows]
    assert hours == sorted(hours, reverse=True)
    latest = {row["table_name"]: row["latest_record"] for row in rows}
    assert latest["core.events"] == max(row["timestamp"] for row in tables["core.events"])
    assert latest["measure_js.sessions"] == max(row["session_end"] for row in tables["measure_js.sessions"])
    # Names of stages and of people have no time, nor have the seeds and what user agents say. Of weeks there is no latest record.
    seeds = {f"core.{path.stem}" for path in (PROJECT_DIR / "seeds").rglob("*.csv")}
    assert set(latest) == set(OUTPUT_TABLES) - seeds - {
        "rudderstack.dbt_aliases_mapping",
        "core.user_agents",
        "analytics.retention_weekly",
    }


def test_model_run_times(answers: dict[str, Rows]) -> None:
    rows = {row["model_name"]: row for row in answers["model_run_times"]}
    assert rows["session_events"]["rows_affected"] == 31106
    assert all(row["runs"] == 1 and row["failures"] == 0 for row in rows.values())
    assert len(rows) > 25


EDGE_DAY = date(2024, 3, 10)
# Midnight in Tokyo: a day there begins on the evening before in UTC.
EDGE_START = datetime(2024, 3, 9, 15)
# Client, hours after the day began, table, url, country: the sample has no page event, no null and one session a day.
EDGES = [
    ("a", 1.0, "pages", "/x", "DE"), ("a", 1.1, "tracks", "/x", None), ("a", 5.0, "pages", "/y", "DE"), ("a", 5.4, "tracks", None, "FR"),
    ("b", 2.0, "tracks", "/x", "FR"), ("b", 2.2, "pages", "/x", "FR"), ("b", 9.0, "tracks", "/y", None), ("a", 30.0, "pages", "/x", "DE"),
]  # fmt: skip


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Rows], Rows]:
    """Analysis -> its rows, after two runs over the edges, and what the runs left in monitoring."""
    driver = ThinDriver(tmp_path_factory.mktemp("edges"), Settings(timezone="Asia/Tokyo"))
    rows = [
        RawRow(
            table, f"e{number}", anonymous_id=client, timestamp=EDGE_START + timedelta(hours=hours),
            event="seen", url=url, country=country,
        )
        for number, (client, hours, table, url, country) in enumerate(EDGES)
    ]  # fmt: skip
    rejected = RawRow("tracks", None, "a", timestamp=EDGE_START, received_at=EDGE_START + timedelta(hours=3))
    driver.land([*rows, rejected])
    for _ in range(2):
        driver.run(EDGE_DAY, EDGE_DAY + timedelta(days=1))
    compiled = driver.project.runner.invoke(["compile", "--select", "resource_type:analysis"], driver.variables).result
    with driver.warehouse.connect() as connection:
        answers = {
            result.node.name: connection.query(result.node.compiled_code).to_pylist() for result in compiled.results
        }
        return answers, connection.query("select * from monitoring.dbt_run_results").to_pylist()


def test_several_sessions_on_a_day(edges: tuple[dict[str, Rows], Rows]) -> None:
    columns = ("session_start_date", "dbt_visitor_id", "sessions", "total_minutes", "avg_session_minutes")
    assert near(edges[0]["session_time_per_user_per_day"], *columns) == [
        (EDGE_DAY, "a", 2, "30", "15"),
        (EDGE_DAY, "b", 2, "12", "6"),
        (EDGE_DAY + timedelta(days=1), "a", 1, "0", "0"),
    ]


def test_pageviews_and_events_without_a_url(edges: tuple[dict[str, Rows], Rows]) -> None:
    columns = ("url", "views", "pageviews", "unique_visitors", "views_per_visitor")
    assert near(edges[0]["top_pages"], *columns) == [("/x", 5, 3, 2, "2.5"), ("/y", 2, 1, 2, "1")]


def test_events_without_a_country(edges: tuple[dict[str, Rows], Rows]) -> None:
    columns = ("country", "events", "unique_clients", "sessions")
    assert near(edges[0]["traffic_by_country"], *columns) == [("DE", 3, 1, 3), ("FR", 3, 2, 2)]


def test_how_far_tables_have_come_that_have_dates_alone(edges: tuple[dict[str, Rows], Rows]) -> None:
    """A date is as far as its local day's start, in UTC."""
    latest = {row["table_name"]: row["latest_record"] for row in edges[0]["data_freshness_report"]}
    for table in ("measure_js.daily_performance", "rudderstack.dbt_session_duration"):
        assert latest[table] == EDGE_START + timedelta(days=1), table
    for table in ("core.identity_graph", "core.identity_edges", "rudderstack.dbt_track_facts"):
        assert latest[table] == EDGE_START + timedelta(hours=30), table
    assert latest["core.rejected_events"] == EDGE_START + timedelta(hours=3)
    assert (latest["core.funnel_daily"], latest["measure_js.user_map"]) == (None, None)
    # Tables without rows come last.
    hours = [row["hours_behind"] for row in edges[0]["data_freshness_report"]]
    known = [number for number in hours if number is not None]
    assert hours == [*sorted(known, reverse=True), *[None] * (len(hours) - len(known))]


def test_run_times_of_two_runs(edges: tuple[dict[str, Rows], Rows]) -> None:
    answers, results = edges
    expected = []
    for (model_name,), its in grouped(results, "model_name").items():
        seconds = [row["duration_seconds"] for row in its]
        last = max(its, key=lambda row: row["run_completed_at"])
        written = [row["rows_affected"] for row in its if row["rows_affected"] is not None]
        durations = (f"{fmean(seconds):.9g}", f"{max(seconds):.9g}", f"{last['duration_seconds']:.9g}")
        expected.append((model_name, len(its), *durations, sum(written) if written else None))
    columns = (
        "model_name",
        "runs",
        "avg_duration_seconds",
        "max_duration_seconds",
        "last_duration_seconds",
        "rows_affected",
    )
    assert sorted(near(answers["model_run_times"], *columns)) == sorted(expected)
    assert {row[0]: row[1] for row in expected}["session_events"] == 2
