"""How late raw rows may be: in Dagster by the newest row, in dbt by when files arrived."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.defs.source_freshness import due_time, is_fresh_result, newest_row_at
from sessionization_dagster.errors import DbtError
from sessionization_dagster.landing import RawColumn, RawTable
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.warehouses.duckdb import DuckDBConnection
from tests.manifests import manifest_of

KEY = dg.AssetKey(["raw", "shop_orders"])
FRESHNESS = {
    "warn_after": {"count": 26, "period": "hour"},
    "error_after": {"count": 3, "period": "day"},
    "filter": None,
}
NOW = datetime(2024, 6, 1, 2)


def check(newest: datetime | None, freshness: Any = FRESHNESS) -> dg.AssetCheckResult:
    (source,) = manifest_of({}, {"shop_orders": {"freshness": freshness}}).sources
    result = is_fresh_result(KEY, source, newest, NOW)
    assert result.severity is dg.AssetCheckSeverity.WARN
    return result


def test_a_newest_row_within_the_limit_passes_and_shows_how_far_behind_it_is() -> None:
    result = check(NOW - timedelta(hours=26))
    assert result.passed
    assert {label: value.value for label, value in result.metadata.items()} == {
        "newest_row": "2024-05-31 00:00:00",
        "hours_behind": 26.0,
        "warn_after_hours": 26.0,
        "error_after_hours": 72.0,
    }


@pytest.mark.parametrize(
    ("hours", "limit"), [(26.5, "warn_after is 26.0 h"), (72, "warn_after"), (73, "error_after is 72.0 h")]
)
def test_an_older_one_warns_and_names_the_limit(hours: float, limit: str) -> None:
    result = check(NOW - timedelta(hours=hours))
    assert not result.passed
    assert result.description is not None
    assert limit in result.description


def test_a_table_without_rows_is_not_late() -> None:
    result = check(None)
    assert result.passed
    assert result.description == "no rows"


def test_a_source_without_limits_is_never_late() -> None:
    for freshness in (None, {"warn_after": {"count": None, "period": None}}):
        assert check(datetime(1995, 7, 1), freshness).passed


def test_a_sample_that_ended_is_judged_by_its_own_end() -> None:
    assert due_time(NOW, datetime(2024, 3, 1)) == datetime(2024, 3, 1)
    assert due_time(NOW, datetime(2025, 3, 1)) == due_time(NOW, None) == NOW


def test_rows_of_a_clock_that_is_ahead_and_rows_before_the_time_looked_at_do_not_count() -> None:
    table = RawTable("shop", "orders", (RawColumn("at", "TIMESTAMP"),), at="at")
    with duckdb.connect() as native:
        native.execute("create schema raw")
        native.execute('create table raw.shop_orders ("at" timestamp)')
        connection = DuckDBConnection(native)
        assert newest_row_at(connection, table, NOW) is None
        assert newest_row_at(connection, table, NOW, since=datetime(2024, 5, 1)) is None
        native.execute(
            "insert into raw.shop_orders values ('2024-05-30 10:00'), ('2024-06-01 02:00:00.5'), ('2030-01-01'), (null)"
        )
        assert newest_row_at(connection, table, NOW) == datetime(2024, 5, 30, 10)
        for since, newest in ((29, 30), (31, 31)):
            day = datetime(2024, 5, since, 10)
            assert newest_row_at(connection, table, NOW, day) == datetime(2024, 5, newest, 10)
        assert newest_row_at(connection, RawTable("shop", "orders", table.columns), NOW) is None


def test_dbt_judges_by_when_files_last_arrived(tmp_path: Path) -> None:
    path = tmp_path / "sessionization.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema raw")
        connection.execute("create table raw.landed_files (source varchar, table_name varchar, landed_at timestamp)")
        connection.execute("""
            insert into raw.landed_files select 'rudderstack', name, (now() at time zone 'UTC') - to_hours(hours) from (values
                ('tracks', 500), ('tracks', 1), ('pages', 30), ('screens', 60), ('identifies', 60)) as files (name, hours)""")
    project = DbtProject.of(Environment.from_env({"SESSIONIZATION_DUCKDB_PATH": str(path)}))
    command = ["source", "freshness", "--select", "source:raw.rudderstack_*"]
    result = project.runner.invoke([*command, "--exclude", "source:raw.rudderstack_screens"], {})
    statuses = {answer.node.name: str(answer.status) for answer in result.result.results}
    assert {name: status for name, status in statuses.items() if name.startswith("rudderstack_")} == {
        "rudderstack_tracks": "pass",
        "rudderstack_pages": "warn",
        "rudderstack_identifies": "pass",
        "rudderstack_aliases": "pass",
    }
    with pytest.raises(DbtError, match=r"failed in 1 node\(s\):\nrudderstack_screens"):
        project.runner.invoke(command, {})
