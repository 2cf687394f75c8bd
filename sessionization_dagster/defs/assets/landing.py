"""Raw tables as assets: loads the landing folder's new files into DuckDB. Checks show unreadable files and rows."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from sessionization_dagster import landing as landing_package
from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.dbt.translator import sources_by_key, spec_of_source
from sessionization_dagster.defs.landing_checks import REJECTS, file_check_results, file_check_specs, unreadable
from sessionization_dagster.defs.partitions import run_window, span_of
from sessionization_dagster.defs.pools import WRITER_POOL
from sessionization_dagster.defs.retries import retrying
from sessionization_dagster.defs.source_freshness import (
    SOURCE_IS_FRESH,
    due_time,
    is_fresh_result,
    is_fresh_spec,
    newest_row_at,
)
from sessionization_dagster.landing import RawTable, RemovedFiles, land
from sessionization_dagster.landing.ledger import own_moment_of, time_of
from sessionization_dagster.metadata.partition_metadata import add_table_metadata
from sessionization_dagster.metadata.table_metadata import table_metadata
from sessionization_dagster.warehouses.base import number
from sessionization_dagster.warehouses.duckdb import DuckDBConnection, DuckDBWarehouse

CODE = [Path(__file__), Path(landing_package.__file__).with_name("load.py")]
WITHIN_PARTITIONS = "rows_within_partitions"


def build_landing_assets(
    manifest: Manifest,
    warehouse: DuckDBWarehouse,
    landing: Path,
    sources: Sequence[str],
    partitions: dg.DailyPartitionsDefinition,
    removed: RemovedFiles = RemovedFiles.KEEP,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.AssetsDefinition:
    """One op that loads every new file of the sources; one asset per raw table, and one for unreadable files and rows.

    A run loads all new files, whatever its partitions, because a file holds rows of any day. Its partitions mean that the raw rows of
    those days are loaded.
    """
    tables = {dg.AssetKey(["raw", table.name]): table for table in raw_tables(manifest, sources)}
    declared = sources_by_key(manifest)
    keys = [*tables, REJECTS]
    span = span_of(partitions)

    @dg.multi_asset(
        name="landing",
        specs=[spec_of_source(declared[key], "duckdb", partitions, python_files=CODE) for key in keys],
        can_subset=True,
        check_specs=file_check_specs(tables, "landing folder")
        + [
            dg.AssetCheckSpec(
                WITHIN_PARTITIONS,
                asset=key,
                description="No row lies before the first or after the last partition, where no run looks.",
            )
            for key in tables
        ]
        + [is_fresh_spec(key) for key in tables],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=WRITER_POOL,
    )
    def landing_assets(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        with retrying(context), warehouse.connect() as connection:
            report = land(
                connection.native,
                landing,
                list(tables.values()),
                now().replace(tzinfo=None),
                report=context.log.info,
                timezone=partitions.timezone,
                removed=removed,
            )
            held = unreadable(connection)
            outside = {table.name: _rows_outside(connection, table, span) for table in tables.values()}
            due = due_time(now().replace(tzinfo=None), span[1])
            newest = {table.name: newest_row_at(connection, table, due) for table in tables.values()}
        for problem in report.problems:
            context.log.warning(problem)
        for name, rows in outside.items():
            if any(rows.values()):
                context.log.warning(
                    f"raw.{name}: {rows['before_first_partition']} rows before the first partition and "
                    f"{rows['after_last_partition']} after the last are in no other table; see SESSIONIZATION_START_DATE and _END_DATE"
                )
        metadata = table_metadata(warehouse, manifest, [declared[key].unique_id for key in keys], run_window(context))
        add_table_metadata(context, {key: metadata[declared[key].unique_id] for key in context.selected_asset_keys})
        for key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key)
        checks = list(context.selected_asset_check_keys)
        yield from file_check_results(checks, tables, report, held)
        for check in checks:
            if check.name == SOURCE_IS_FRESH:
                newest_at = newest[tables[check.asset_key].name]
                yield is_fresh_result(check.asset_key, declared[check.asset_key], newest_at, due)
            elif check.name == WITHIN_PARTITIONS:
                yield _within_partitions(check.asset_key, outside[tables[check.asset_key].name], span)

    return landing_assets


def _rows_outside(
    connection: DuckDBConnection, table: RawTable, span: tuple[datetime, datetime | None]
) -> dict[str, int]:
    """How many rows of a raw table have a time before the first partition, and how many after the last."""
    if table.at is None:
        return {"before_first_partition": 0, "after_last_partition": 0}
    start, end = span
    return {
        "before_first_partition": _rows_where(connection, table, f"< timestamp '{start}'"),
        "after_last_partition": 0 if end is None else _rows_where(connection, table, f">= timestamp '{end}'"),
    }


def _rows_where(connection: DuckDBConnection, table: RawTable, bound: str) -> int:
    """How many rows have a plausible time beyond the bound. The bare column comes first: DuckDB then skips the blocks of other times."""
    return number(
        connection,
        f"select count(*) as beyond from raw.{table.name} where {time_of(table)} {bound} and {own_moment_of(table)} {bound}",
    )


def _within_partitions(
    asset_key: dg.AssetKey, outside: dict[str, int], span: tuple[datetime, datetime | None]
) -> dg.AssetCheckResult:
    """A warning: such rows are kept in raw and in no other table."""
    remedy = f"Partitions go from {span[0]} to {span[1] or 'today'} UTC: see SESSIONIZATION_START_DATE and SESSIONIZATION_END_DATE."
    return dg.AssetCheckResult(
        asset_key=asset_key,
        check_name=WITHIN_PARTITIONS,
        passed=not any(outside.values()),
        severity=dg.AssetCheckSeverity.WARN,
        description=remedy if any(outside.values()) else None,
        metadata=outside,
    )
