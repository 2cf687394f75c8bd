"""Raw tables as assets: the landing folder's new files loaded into the embedded warehouse, and what could not be read as checks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from sessionization_dagster.dbt.translator import DEFAULT_OWNER, describe
from sessionization_dagster.landing import land, raw_tables
from sessionization_dagster.partitions import run_window
from sessionization_dagster.pools import WRITER_POOL
from sessionization_dagster.table_metadata import table_metadata
from sessionization_dagster.warehouses.duckdb import DuckDBConnection, DuckDBWarehouse

REJECTS = dg.AssetKey(["raw", "landing_rejects"])
FILES_READABLE = "files_readable"
SHOWN = 10


def build_landing_assets(
    manifest: Mapping[str, Any],
    warehouse: DuckDBWarehouse,
    landing: Path,
    sources: Sequence[str],
    partitions: dg.PartitionsDefinition[str],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.AssetsDefinition:
    """One op that loads every new file of the sources; one asset per raw table, and one for what could not be read.

    A run loads all new files, whatever its partitions: files hold rows of any day. What its partitions mean is that the raw rows of
    those days are in.
    """
    tables = {dg.AssetKey(["raw", table.name]): table for table in raw_tables(manifest, sources)}
    nodes = {
        dg.AssetKey([node["source_name"], node["name"]]): node
        for node in manifest["sources"].values()
        if node["source_name"] == "raw"
    }
    keys = [*tables, REJECTS]
    specs = [
        dg.AssetSpec(
            key=key,
            description=describe(nodes[key]),
            group_name="raw",
            owners=[DEFAULT_OWNER],
            kinds={"python", "duckdb", "table"},
            partitions_def=partitions,
            skippable=True,
        )
        for key in keys
    ]

    @dg.multi_asset(
        name="landing",
        specs=specs,
        can_subset=True,
        check_specs=[
            dg.AssetCheckSpec(
                FILES_READABLE,
                asset=key,
                description="Every file and row below the table's landing folder could be read.",
            )
            for key in tables
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=WRITER_POOL,
    )
    def landing_assets(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        with warehouse.connect() as connection:
            report = land(
                connection.native, landing, list(tables.values()), now().replace(tzinfo=None), report=context.log.info
            )
            unreadable = _unreadable(connection)
        for problem in report.problems:
            context.log.warning(problem)
        metadata = table_metadata(warehouse, manifest, [nodes[key]["unique_id"] for key in keys], run_window(context))
        for key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key, metadata=metadata[nodes[key]["unique_id"]])
        for check in context.selected_asset_check_keys:
            yield _files_readable(check.asset_key, unreadable.get(tables[check.asset_key].name, []))

    return landing_assets


def _unreadable(connection: DuckDBConnection) -> dict[str, list[dict[str, Any]]]:
    """Raw table -> its standing rejects: those of this run and those that no file has mended since."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in connection.query("""
        select source || '_' || table_name as name, source_file, source_line, error
        from raw.landing_rejects order by source_file, source_line""").to_pylist():
        found.setdefault(row["name"], []).append(row)
    return found


def _files_readable(asset_key: dg.AssetKey, rejects: list[dict[str, Any]]) -> dg.AssetCheckResult:
    """A warning that counts what could not be read and shows the first of it."""
    lines = [
        f"| {row['source_file']} | {row['source_line'] or 'whole file'} | {row['error']} |" for row in rejects[:SHOWN]
    ]
    table = "\n".join(["| file | line | error |", "| --- | --- | --- |", *lines])
    return dg.AssetCheckResult(
        asset_key=asset_key,
        check_name=FILES_READABLE,
        passed=not rejects,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"unreadable": len(rejects), **({"first": dg.MetadataValue.md(table)} if rejects else {})},
    )
