"""The published tables as an asset: Parquet files beside the warehouse, for other tools."""

from pathlib import Path
from typing import Any

import dagster as dg

from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.dbt.translator import key_of
from sessionization_dagster.defs.assets.run_files import spec_of_files
from sessionization_dagster.defs.pools import WRITER_POOL
from sessionization_dagster.defs.retries import retrying
from sessionization_dagster.publishing import published_tables as publishing
from sessionization_dagster.publishing.published_tables import publish_all, tables_to_publish
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse

KEY = dg.AssetKey(["published", "tables"])
DESCRIPTION = """Every table as Parquet files by date, for tools that read while runs work: `<folder>/<schema>/<table>/*.parquet`.
A run writes the files of dates whose rows have changed."""


def keys_behind(manifest: Manifest) -> set[dg.AssetKey]:
    """The assets that the files depend on: the published tables, and the tables that the views among them read."""
    tables = tables_to_publish(manifest)
    read = [manifest.tables[parent] for table in tables if table.is_view for parent in table.depends_on]
    return {key_of(table) for table in [*tables, *read]}


def build_published_asset(
    manifest: Manifest, warehouse: DuckDBWarehouse, folder: Path, partitions: dg.PartitionsDefinition[str]
) -> dg.AssetsDefinition:
    """The asset of the files below the folder."""
    tables = tables_to_publish(manifest)
    spec = spec_of_files(
        KEY,
        keys_behind(manifest),
        DESCRIPTION,
        {"parquet"},
        [Path(__file__), Path(publishing.__file__)],
        partitions,
    )

    @dg.multi_asset(
        name="published_tables", specs=[spec], backfill_policy=dg.BackfillPolicy.single_run(), pool=WRITER_POOL
    )
    def published_tables(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        with retrying(context):
            done = publish_all(warehouse, tables, folder)
        written, kept = (sum(getattr(one, name) for one in done.values()) for name in ("written", "kept"))
        changed = [name for name, one in done.items() if one.written or one.removed]
        context.log.info(
            f"Published in {folder}: files of {written} dates written, of {kept} kept; {len(changed)} tables changed."
        )
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(folder),
                "dates_written": written,
                "dates_kept": kept,
                "tables_changed": ", ".join(changed) or "none",
            }
        )

    return published_tables
