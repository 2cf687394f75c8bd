"""The report as an asset: which days it shows, and its text and metadata on a warehouse that holds nothing yet."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from sessionization_dagster.defs.assets.report import KEY, build_report_asset
from sessionization_dagster.defs.pools import WRITER_POOL
from sessionization_dagster.report.folder import Folder
from sessionization_dagster.report.queries import TABLES
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse
from tests.report.reading import Report
from tests.report.tables import fill

PARTITIONS = dg.DailyPartitionsDefinition("2024-01-04", end_date="2024-06-30", timezone="Europe/Berlin")


@pytest.fixture
def asset(tmp_path: Path) -> dg.AssetsDefinition:
    warehouse = DuckDBWarehouse(tmp_path / "sessionization.duckdb")
    written_at = datetime(2024, 6, 30, 4, 5, tzinfo=UTC)
    place = Folder(tmp_path / "reports")
    return build_report_asset(warehouse, place, PARTITIONS, "duckdb", TABLES, now=lambda: written_at)


def test_an_empty_warehouse_gives_a_page_that_says_so(asset: dg.AssetsDefinition, tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([asset], instance=instance, partition_key="2024-01-10")
    assert result.success
    (materialization,) = result.asset_materializations_for_node("sessions_report")
    metadata = {name: value.value for name, value in materialization.metadata.items()}
    path = tmp_path / "reports" / f"sessions_2024-01-04_2024-01-10_{result.run_id[:8]}.html"
    assert metadata["path"] == str(path)
    assert metadata["latest"] == str(tmp_path / "reports" / "latest.html")
    assert (tmp_path / "reports" / "latest.html").read_bytes() == path.read_bytes()
    assert "sessions" not in metadata  # no number rather than a wrong one
    assert "| Sessions | – | not known |" in str(metadata["headlines"])
    html = path.read_text(encoding="utf-8")
    assert "Written 30 June 2024, 04:05 UTC" in html
    assert "days in Europe/Berlin" in html
    assert "Not there yet: core.funnel_daily" in Report(html).texts["paths-1"]


@pytest.mark.parametrize(
    ("newest", "shown"),
    [
        # After a run of an old day, the days until the newest event.
        ("2024-06-20", ("2024-03-23", "2024-06-20")),
        # Events of more than 90 days before the last partition are not looked for.
        ("2024-04-01", ("2024-01-04", "2024-04-01")),
        ("2024-03-31", ("2024-01-04", "2024-01-10")),
    ],
)
def test_the_days_are_the_newest_with_events(
    newest: str, shown: tuple[str, str], asset: dg.AssetsDefinition, tmp_path: Path
) -> None:
    day = datetime.fromisoformat(newest)
    with DuckDBWarehouse(tmp_path / "sessionization.duckdb").connect() as connection:
        fill(connection, {"core.events": [{"event_date": day.date(), "source": "rudderstack", "timestamp": day}]})
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([asset], instance=instance, partition_key="2024-01-10").success
    (page,) = (tmp_path / "reports").glob("sessions_*.html")
    assert page.name.split("_")[1:3] == list(shown)


def test_its_place_among_the_assets(asset: dg.AssetsDefinition) -> None:
    spec = asset.get_asset_spec(KEY)
    assert {dep.asset_key.to_user_string().replace("/", ".") for dep in spec.deps} == set(TABLES)
    assert spec.group_name == "reports"
    assert spec.owners
    assert spec.description
    assert "html" in spec.kinds
    assert asset.partitions_def == PARTITIONS
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()
    assert asset.op.pool == WRITER_POOL
