"""The report on BigQuery: the answers that DuckDB gives on the same rows, by queries that are bounded, into a folder or a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from google.api_core.exceptions import Forbidden

from sessionization_dagster.defs.assets.report import build_report_asset
from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.landing.gcs.clients import GCSClients
from sessionization_dagster.landing.gcs.objects import Bucket
from sessionization_dagster.report.bucket import ReportBucket
from sessionization_dagster.report.files import LATEST, Folder, Place, keep_report
from sessionization_dagster.report.queries import TABLES
from sessionization_dagster.warehouses.base import Warehouse
from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse
from tests.bigquery.emulator import PROJECT, bucket_server
from tests.report.reading import Report
from tests.report.tables import DAYS, fill, random_tables

WRITTEN_AT = datetime(2024, 6, 1, 4, 5, tzinfo=UTC)


def written(warehouse: Warehouse, place: Place, first: date, last: date) -> dict[str, Any]:
    """Run the asset for the last day; gives its metadata."""
    partitions = dg.DailyPartitionsDefinition(str(first), end_date=str(last + timedelta(days=1)))
    asset = build_report_asset(warehouse, place, partitions, "any", TABLES, now=lambda: WRITTEN_AT)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([asset], instance=instance, partition_key=str(last))
    (materialization,) = result.asset_materializations_for_node("sessions_report")
    return {name: value.value for name, value in materialization.metadata.items()}


def page_of(warehouse: Warehouse, folder: Path, first: date, last: date) -> Report:
    written(warehouse, Folder(folder), first, last)
    return Report((folder / LATEST).read_text(encoding="utf-8"))


def assert_same(one: Report, other: Report) -> None:
    """Both pages have the same numbers, in their tables, charts and headlines."""
    assert other.tables == one.tables
    assert other.charts == one.charts
    assert other.headlines == one.headlines


def test_any_rows_give_the_same_page(warehouse: BigQueryWarehouse, tmp_path: Path) -> None:
    tables = random_tables(1)
    embedded = DuckDBWarehouse(tmp_path / "sessionization.duckdb")
    pages = []
    for each in (embedded, warehouse):
        with each.connect() as connection:
            fill(connection, tables)
        pages.append(page_of(each, tmp_path / type(each).__name__, DAYS.first, DAYS.last))
    assert len(pages[0].tables) == 17
    assert_same(*pages)
