"""Small exports as vendors really write them, in the tables of a warehouse: the rows that the embedded warehouse gives."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.bigquery.driver import BigQueryDriver, raw_dataset
from tests.bigquery.emulator import PROJECT
from tests.bigquery.test_equality import table_differences
from tests.integration.test_vendor_cases import FIRST, LAST, add, landed
from tests.integration.thin_driver import ThinDriver
from tests.oracle import model
from tests.oracle.compare import difference

# Cases of different people and the same days.
TOGETHER = (
    "02-mixpanel-login-device-id",
    "03-placeholder-user-ids",
    "08-alias-anonymous-id",
    "09-login-midsession-shared-device",
    "10-numeric-id-namespaces",
    "12-one-second-resolution",
    "18-ids-numbered-per-table",
    "23-markup-in-names",
)
TYPES = {"TIMESTAMP": "timestamp", "BIGINT": "int64"}


@pytest.mark.parametrize(
    ("cases", "days"),
    [(TOGETHER, (FIRST, LAST)), (("13-device-clocks",), (date(2024, 3, 1), date(2024, 3, 7)))],
    ids=["together", "clocks"],
)
def test_cases_give_the_same_rows(
    cases: tuple[str, ...], days: tuple[date, date], endpoint: str, tmp_path: Path
) -> None:
    embedded = landed(tmp_path, *cases, days=days)
    bigquery = BigQueryDriver(endpoint, embedded.settings)
    copy_raw_rows(embedded, bigquery)
    bigquery.run(*days)
    # What the landing cannot read is in no loader's table.
    tables = set(model.columns(embedded.settings)) - {"core.rejected_events"}
    assert not table_differences(embedded, bigquery, tables)
    columns = model.columns(embedded.settings)["core.rejected_events"]
    rejected = [row for row in embedded.rows("core.rejected_events", columns) if row["reason"] != "unreadable"]
    found = bigquery.rows("core.rejected_events", columns)
    assert not difference(rejected, found, model.KEYS["core.rejected_events"], columns)


def test_late_rows_in_days_that_run_out_of_order_give_the_same_rows(endpoint: str, tmp_path: Path) -> None:
    case = "17-late-and-long-sessions"
    known = (date(2024, 3, 1), date(2024, 3, 2))
    embedded = landed(tmp_path, case, days=known, files="1_first.csv")
    bigquery = BigQueryDriver(endpoint, embedded.settings)
    copy_raw_rows(embedded, bigquery)
    bigquery.run(*known)
    add(embedded, tmp_path, case)
    copy_raw_rows(embedded, bigquery)
    # The views of raw tables are rebuilt: the loader has added the column user_id.
    bigquery = bigquery.with_project(bigquery.project)
    for days in ((date(2024, 3, 10), date(2024, 3, 10)), (date(2024, 3, 2), date(2024, 3, 9))):
        for driver in (embedded, bigquery):
            driver.run(*days)
    assert not table_differences(embedded, bigquery, model.columns(embedded.settings))


def copy_raw_rows(embedded: ThinDriver, bigquery: BigQueryDriver) -> None:
    """Make the tables of a loader that hold what has landed, with the columns that have a value or that rows cannot be without."""
    copied = 0
    for table in bigquery.tables:
        declared = {column.name: column for column in table.columns}
        with embedded.warehouse.connect() as source, bigquery.warehouse.connect() as target:
            rows = source.query(f"select * from raw.{table.name}")
            names = [
                name
                for name, values in zip(rows.column_names, rows.columns, strict=True)
                if name in declared and (declared[name].required or values.null_count < rows.num_rows)
            ]
            columns = ", ".join(f"`{name}` {TYPES.get(declared[name].type, 'string')}" for name in names)
            bigquery.send(f"create or replace table `{PROJECT}.{raw_dataset(table.source)}.{table.table}` ({columns})")
            target.register("landed", rows.select(names))
            listed = ", ".join(f'"{name}"' for name in names)
            target.execute(f"insert into raw.{table.name} ({listed}) select {listed} from landed")
            copied += rows.num_rows
    assert copied > 0
