"""The report on BigQuery: the page that DuckDB gives on the same rows, by bounded queries, in a folder or a bucket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from google.api_core.exceptions import Forbidden
from google.cloud import storage

from sessionization_dagster.cli.__main__ import main
from sessionization_dagster.defs.assets.report import build_report_asset
from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.landing.gcs.clients import GCSClients
from sessionization_dagster.landing.gcs.objects import Bucket
from sessionization_dagster.report.bucket import ReportBucket
from sessionization_dagster.report.folder import LATEST, Folder, Place, keep_report
from sessionization_dagster.report.queries import QUESTIONS, TABLES
from sessionization_dagster.warehouses.base import Warehouse
from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse
from tests.bigquery.driver import BigQueryDriver, environment_variables, labels_recorded
from tests.bigquery.emulator import PROJECT, bucket_server
from tests.integration.thin_driver import ThinDriver, parsed_project
from tests.oracle.model import RawRow, Settings
from tests.report.reading import Report
from tests.report.tables import DAYS, fill, random_tables

WRITTEN_AT = datetime(2024, 6, 1, 4, 5, tzinfo=UTC)
FIRST, LAST = date(2024, 3, 4), date(2024, 3, 13)
SETTINGS = Settings(sources=("rudderstack", "measure_js"))


def written(warehouse: Warehouse, place: Place, first: date, last: date, newest: date | None = None) -> dict[str, Any]:
    """Run the asset for the day `last` of partitions from first to newest; gives its metadata."""
    partitions = dg.DailyPartitionsDefinition(str(first), end_date=str((newest or last) + timedelta(days=1)))
    asset = build_report_asset(warehouse, place, partitions, "any", TABLES, now=lambda: WRITTEN_AT)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([asset], instance=instance, partition_key=str(last))
    (materialization,) = result.asset_materializations_for_node("sessions_report")
    return {name: value.value for name, value in materialization.metadata.items()}


def page_in(folder: Path) -> Report:
    return Report((folder / LATEST).read_text(encoding="utf-8"))


def assert_same(one: Report, other: Report) -> None:
    """Both pages have the same numbers in each table, chart and headline."""
    assert other.tables == one.tables
    assert other.charts == one.charts
    assert other.headlines == one.headlines


def test_any_rows_give_the_same_page(warehouse: BigQueryWarehouse, tmp_path: Path) -> None:
    """Random rows in tables made by hand, with names that want to break out of statements and pages."""
    tables = random_tables(1)
    pages = []
    for each in (DuckDBWarehouse(tmp_path / "sessionization.duckdb"), warehouse):
        with each.connect() as connection:
            fill(connection, tables)
        with labels_recorded() as jobs:
            written(each, Folder(tmp_path), DAYS.first, DAYS.last)
        pages.append(page_in(tmp_path))
    assert len(pages[0].tables) == 17
    assert_same(*pages)
    assert len(jobs) == len(QUESTIONS) + 1
    assert {(labels["asset"], "run_id" in labels) for _, labels in jobs} == {("reports_sessions_report", True)}


def rows() -> list[RawRow]:
    """Ten days of devices, of which one comes in the second week and one logs in late, and of a client. One row a day is rejected."""
    found = []
    for number in range((LAST - FIRST).days + 1):
        noon = datetime.combine(FIRST, datetime.min.time()) + timedelta(days=number, hours=12)
        for place, event in enumerate(
            ("product_view", "add_to_cart", "shipping_details", "purchase")[: 1 + number % 4]
        ):
            for device in ["a", *"bc"[: number % 3], *("d" if number > 7 else "")]:
                at = noon + timedelta(minutes=7 * place)
                found.append(
                    RawRow(
                        "tracks", f"{device}{number}{place}", device, "ann" if device == "a" and number > 6 else None,
                        timestamp=at, received_at=at, event=event, url="https://shop.example/?utm_source=mail&utm_medium=email",
                        utm_source="mail" if number % 2 else None, utm_medium="email" if number % 2 else None,
                    )
                )  # fmt: skip
        found.append(RawRow("tracks", f"nobody{number}", timestamp=noon, received_at=noon, event="login"))
        found += [
            RawRow(
                "events", f"m{number}{place}", "client", timestamp=noon + timedelta(minutes=place), event="page",
                source="measure_js", country=("DE", "FR")[place], url=f"https://shop.example/{place}",
            )
            for place in range(2)
        ]  # fmt: skip
    return found


@dataclass
class History:
    """BigQuery after some runs, and the report on them: DuckDB's and its own."""

    driver: BigQueryDriver
    embedded: Report
    report: Report


@pytest.fixture(scope="module")
def history(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> History:
    """Two runs, between which a device goes to another visitor."""
    folder = tmp_path_factory.mktemp("report")
    embedded = ThinDriver(folder, SETTINGS, parsed_project(SETTINGS.sources, SETTINGS.timezone))
    driver = BigQueryDriver(endpoint, SETTINGS, families=())
    for each in (embedded, driver):
        each.land(rows())
        each.run(FIRST, LAST - timedelta(days=5))
        each.run(LAST - timedelta(days=4), LAST)
    written(embedded.warehouse, Folder(folder / "duckdb"), FIRST, LAST)
    written(driver.warehouse, Folder(folder / "bigquery"), FIRST, LAST)
    return History(driver, page_in(folder / "duckdb"), page_in(folder / "bigquery"))


def test_the_same_history_gives_the_same_page(history: History) -> None:
    assert len(history.embedded.tables) == 17  # each figure has numbers
    assert_same(history.embedded, history.report)


def test_retention_is_that_of_the_table(history: History) -> None:
    found: dict[str, dict[int, int]] = {}
    for row in history.driver.rows("analytics.retention_weekly", ["cohort_week", "week_number", "visitors"]):
        weeks = found.setdefault(str(row["cohort_week"]), {})
        weeks[row["week_number"]] = weeks.get(row["week_number"], 0) + row["visitors"]
    shown = {row[0]: [int(cell) for cell in row[1:]] for row in history.report.tables["channels-6"][1:]}
    assert shown == {
        week: [numbers.get(number, 0) for number in range(len(shown[week]))] for week, numbers in found.items()
    }
    assert len(shown) > 1


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[storage.Client]:
    """A client of a server of buckets that has the bucket pages."""
    folder = tmp_path_factory.mktemp("buckets")
    with bucket_server(folder.with_suffix(".log"), folder) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", address)
        client = GCSClients(project=PROJECT, anonymous=True).get_client()
        client.create_bucket("pages", timeout=30)
        yield client


def bucket(address: str) -> ReportBucket:
    return ReportBucket(GCSClients(project=PROJECT, anonymous=True), Bucket.of(address))


def test_a_bucket_keeps_what_a_folder_keeps(client: storage.Client, tmp_path: Path) -> None:
    place = bucket("gs://pages/shop/reports")
    for name in ("shop/reports/sessions_notes.html", "shop/reports.html", "shop/other/sessions_2024.html"):
        client.bucket("pages").blob(name).upload_from_string("mine", timeout=30)
    for number in range(5):
        names = {
            keep_report(each, f"page {number} é", DAYS, f"{number:08d}", kept=3) for each in (place, Folder(tmp_path))
        }
    assert len(names) == 1
    found = {blob.name: blob for blob in client.list_blobs("pages", timeout=30)}
    ours = {f"shop/reports/{path.name}" for path in tmp_path.iterdir()}
    assert set(found) == ours | {
        "shop/reports/sessions_notes.html",
        "shop/reports.html",
        "shop/other/sessions_2024.html",
    }
    assert len(ours) == 4
    for name in (LATEST, *names):
        blob = found[f"shop/reports/{name}"]
        assert blob.download_as_text(timeout=30) == "page 4 é"
        assert (blob.content_type, blob.cache_control) == ("text/html; charset=utf-8", "no-cache")
    place.remove("sessions_that_somebody_else_removed.html")


def test_the_asset_and_the_command_name_the_buckets_page(
    client: storage.Client, endpoint: str, warehouse: BigQueryWarehouse, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """On a warehouse without any table: the page says so."""
    for name, value in environment_variables(endpoint, ["rudderstack"]).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SESSIONIZATION_REPORT", "gs://pages/some day/")
    assert main(["report"]) == 1
    assert "There is no report yet: gs://pages/some day/latest.html. Each run writes one." in capsys.readouterr().err
    metadata = written(warehouse, bucket("gs://pages/some day"), FIRST, LAST)
    assert re.fullmatch(r"gs://pages/some day/sessions_2024-03-04_2024-03-13_\w{8}\.html", metadata["path"])
    assert metadata["latest"] == "gs://pages/some day/latest.html"
    assert metadata["url"].startswith("https://storage.cloud.google.com/pages/some%20day/sessions_2024-03-04_")
    page = client.bucket("pages").blob("some day/latest.html").download_as_text(timeout=30)
    assert metadata["size_bytes"] == len(page.encode())
    assert "Not there yet: core.funnel_daily" in Report(page).texts["paths-1"]
    assert main(["report"]) == 0
    assert capsys.readouterr().out == "gs://pages/some day/latest.html\n"


def test_a_bucket_that_cannot_be_written_is_named_with_the_remedy(
    client: storage.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        WarehouseError, match=r"(?s)gs://nowhere/reports/: 404 .*\n  Remedy: No such bucket: SESSIONIZATION_REPORT"
    ):
        keep_report(bucket("gs://nowhere/reports"), "page", DAYS, "00000001")

    def refuse(*_: Any, **__: Any) -> None:
        raise Forbidden("shop@demo does not have storage.objects.create access to the Google Cloud Storage object.")

    monkeypatch.setattr(storage.Blob, "upload_from_string", refuse)
    with pytest.raises(
        WarehouseError, match=r"(?s)objects\.create.*Remedy: Grant roles/storage\.objectUser on the bucket"
    ):
        keep_report(bucket("gs://pages"), "page", DAYS, "00000001")
