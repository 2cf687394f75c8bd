"""Raw tables as assets: loads a bucket's new files into BigQuery. Checks show unreadable files and rows."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.dbt.translator import sources_by_key, spec_of_source
from sessionization_dagster.defs.landing_checks import REJECTS, file_check_results, file_check_specs, unreadable
from sessionization_dagster.defs.partitions import span_of
from sessionization_dagster.defs.pools import WRITER_POOL
from sessionization_dagster.defs.retries import retrying
from sessionization_dagster.defs.source_freshness import (
    LOOKED_BACK,
    SOURCE_IS_FRESH,
    due_time,
    is_fresh_result,
    is_fresh_spec,
    newest_row_at,
)
from sessionization_dagster.landing import RemovedFiles, TableReport
from sessionization_dagster.landing import gcs as landing_package
from sessionization_dagster.landing.gcs import Bucket, land_bucket
from sessionization_dagster.landing.gcs.clients import GCSClients
from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse

CODE = [Path(__file__), Path(landing_package.__file__).with_name("load_bucket.py")]


def build_gcs_landing_assets(
    manifest: Manifest,
    warehouse: BigQueryWarehouse,
    clients: GCSClients,
    bucket: Bucket,
    sources: Sequence[str],
    partitions: dg.DailyPartitionsDefinition,
    removed: RemovedFiles = RemovedFiles.KEEP,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.AssetsDefinition:
    """One op that loads every new file of the sources; one asset per raw table, and one for unreadable files and rows.

    A run loads all new files, whatever its partitions, because a file holds rows of any day.
    """
    tables = {dg.AssetKey(["raw", table.name]): table for table in raw_tables(manifest, sources)}
    declared = sources_by_key(manifest)
    span = span_of(partitions)

    @dg.multi_asset(
        name="landing",
        specs=[spec_of_source(declared[key], "bigquery", partitions, python_files=CODE) for key in [*tables, REJECTS]],
        can_subset=True,
        check_specs=file_check_specs(tables, "folder in the bucket") + [is_fresh_spec(key) for key in tables],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=WRITER_POOL,
    )
    def landing_assets(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        labelled = warehouse.labelled(run_id=context.run_id, asset="landing")
        with retrying(context):
            report = land_bucket(
                labelled,
                clients.get_client(),
                bucket,
                list(tables.values()),
                now(),
                report=context.log.info,
                removed=removed,
            )
            with labelled.read() as connection:
                held = unreadable(connection)
                due = due_time(now().replace(tzinfo=None), span[1])
                newest = {
                    table.name: newest_row_at(connection, table, due, due - LOOKED_BACK) for table in tables.values()
                }
        for problem in report.problems:
            context.log.warning(problem)
        for key in context.selected_asset_keys:
            table = tables.get(key)
            yield dg.MaterializeResult(
                asset_key=key, metadata=_metadata(report.tables[table.name]) if table is not None else None
            )
        checks = list(context.selected_asset_check_keys)
        yield from file_check_results(checks, tables, report, held)
        for check in checks:
            if check.name == SOURCE_IS_FRESH:
                newest_at = newest[tables[check.asset_key].name]
                yield is_fresh_result(check.asset_key, declared[check.asset_key], newest_at, due)

    return landing_assets


def _metadata(report: TableReport) -> dict[str, int]:
    """The metadata of one raw table after a run."""
    return {
        "files_loaded": report.files_loaded,
        "files_unchanged": report.files_unchanged,
        "files_removed": report.files_removed,
        "files_unreadable": report.files_unreadable,
        "rows_loaded": report.rows_loaded,
        "rows_rejected": report.rows_rejected,
    }
