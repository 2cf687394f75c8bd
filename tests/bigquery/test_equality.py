"""The same rows on both warehouses, table by table, incrementally and rebuilt."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from sessionization_dagster.cli.sample import FIRST_DAY, LAST_DAY, SAMPLE
from tests.bigquery.driver import BigQueryDriver
from tests.integration.real_job import PROMISED
from tests.integration.thin_driver import ThinDriver, parsed_project
from tests.oracle import model
from tests.oracle.analytics import ANALYTICS_KEYS
from tests.oracle.compare import difference
from tests.oracle.histories import history
from tests.oracle.model import RawRow, Settings

EDGE_CASES = Path(__file__).parents[1] / "data" / "edge_cases.csv"


def differences(one: ThinDriver, other: ThinDriver, rows: list[RawRow], first: date, last: date) -> list[str]:
    """What differs between two warehouses, in the tables that the oracle has for these rows and that the first makes."""
    return table_differences(one, other, model.tables(rows, one.settings, first, last))


def table_differences(one: ThinDriver, other: ThinDriver, tables: Iterable[str]) -> list[str]:
    """What differs in the tables that the first makes; raises AssertionError where these are empty."""
    columns = model.columns(one.settings)
    found = []
    compared = 0
    for table in tables:
        if not one.makes(table):
            continue
        ours = one.rows(table, columns[table])
        compared += len(ours)
        shown = difference(ours, other.rows(table, columns[table]), model.KEYS[table], columns[table])
        if shown:
            found.append(f"{table}: {shown}")
    assert compared > 0
    return found


# All sources in two steps; nested columns where clocks change, and identities that merge.
@pytest.mark.parametrize("seed", [32, 11])
def test_random_histories_give_the_same_rows_in_steps_and_rebuilt(seed: int, endpoint: str, tmp_path: Path) -> None:
    past = history(seed)
    embedded, bigquery = ThinDriver(tmp_path, past.settings), BigQueryDriver(endpoint, past.settings)
    first, last = past.dates[0], past.dates[-1]
    rows: list[RawRow] = []
    for landing, step, is_settled in zip(past.landings(), past.steps, past.settled(), strict=True):
        rows = [row for file_rows in landing.values() for row in file_rows]
        for driver in (embedded, bigquery):
            driver.land(rows)
            for run in step.runs:
                driver.run(run.first, run.last)
        if is_settled:
            assert not differences(embedded, bigquery, rows, first, last), past.describe()
    rebuilt = BigQueryDriver(endpoint, past.settings)
    rebuilt.land(rows)
    rebuilt.run(first, last)
    assert not differences(embedded, rebuilt, rows, first, last), past.describe()


def test_edge_cases_give_the_same_rows(endpoint: str, tmp_path: Path) -> None:
    with EDGE_CASES.open() as file:
        rows = [
            RawRow(
                table="tracks",
                id=row["event_id"] or None,
                anonymous_id=row["anonymous_id"] or None,
                user_id=row["user_id"] or None,
                timestamp=_utc(row["timestamp"]),
                event=row["event"] or None,
            )
            for row in csv.DictReader(file)
        ]
    days = sorted({row.timestamp.date() for row in rows if row.timestamp})
    settings = Settings()
    embedded = ThinDriver(tmp_path, settings, parsed_project())
    bigquery = BigQueryDriver(endpoint, settings, families=())
    for driver in (embedded, bigquery):
        driver.land(rows)
        for first, last in ((days[0], days[-2]), (days[-1], days[-1])):
            driver.run(first, last)
    assert not differences(embedded, bigquery, rows, days[0], days[-1])
    for table, key in ANALYTICS_KEYS.items():
        schema, name = table.split(".")
        columns = tuple(PROMISED[schema][name])
        assert not difference(embedded.rows(table, columns), bigquery.rows(table, columns), key, columns), table
    assert set(bigquery.run_tests(days[0], days[-1]).values()) <= {"pass", "warn"}


def test_the_sample_gives_the_same_rows(endpoint: str, tmp_path: Path) -> None:
    """Its 31,106 events; the last day in a run of its own."""
    settings = Settings()
    embedded, bigquery = ThinDriver(tmp_path, settings), BigQueryDriver(endpoint, settings)
    with embedded.warehouse.connect() as connection:
        connection.execute(f"insert into raw.rudderstack_tracks by name select * from read_parquet('{SAMPLE}')")
        sample = connection.query(f"select * from read_parquet('{SAMPLE}')")
    bigquery.land([])
    with bigquery.warehouse.connect() as connection:
        connection.register("sample", sample)
        names = ", ".join(f'"{name}"' for name in sample.column_names)
        connection.execute(f"insert into raw.rudderstack_tracks ({names}) select {names} from sample")
    for driver in (embedded, bigquery):
        driver.run(FIRST_DAY, LAST_DAY - timedelta(days=1))
        driver.run(LAST_DAY, LAST_DAY)
    assert len(embedded.rows("core.events", ["event_id"])) == 31_106
    compared = [table for table in model.columns(settings) if not table.startswith("raw.")]
    assert not table_differences(embedded, bigquery, compared)


def test_a_changed_setting_is_applied_by_the_next_run_of_any_day(endpoint: str, tmp_path: Path) -> None:
    """Tables by day for all days that were run, and the tables that depend on them."""
    first, last = date(2024, 3, 9), date(2024, 3, 10)
    rows = [
        RawRow(
            "tracks", f"e{number}", "abc"[number % 3], "ann" if number % 5 == 0 else None,
            timestamp=datetime(2024, 3, 9, 8) + timedelta(minutes=47 * number), event="login",
        )
        for number in range(40)
    ]  # fmt: skip
    settings = Settings(blocked_ids=("b",), session_timeout_seconds=3600)
    embedded, bigquery = ThinDriver(tmp_path, settings), BigQueryDriver(endpoint, Settings())
    for driver in (embedded, bigquery):
        driver.land(rows)
        driver.run(first, last)
    bigquery.settings = settings
    bigquery.run(last, last)
    assert not differences(embedded, bigquery, rows, first, last)


def _utc(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=None) if text else None
