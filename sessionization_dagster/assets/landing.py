"""Raw tables as assets: the landing folder's new files loaded into the embedded warehouse, and what could not be read as checks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from sessionization_dagster import landing as landing_package
from sessionization_dagster.dbt.translator import key_of_source, spec_of_source
from sessionization_dagster.landing import RawTable, land, raw_tables
from sessionization_dagster.landing.ledger import own_moment_of
from sessionization_dagster.markdown import markdown_table
from sessionization_dagster.partition_metadata import add_table_metadata
from sessionization_dagster.partitions import run_window, span_of
from sessionization_dagster.pools import WRITER_POOL
from sessionization_dagster.retries import retrying
from sessionization_dagster.source_freshness import (
    SOURCE_IS_FRESH,
    due_time,
    is_fresh_result,
    is_fresh_spec,
    newest_row_at,
)
from sessionization_dagster.table_metadata import table_metadata
from sessionization_dagster.warehouses.base import Connection
from sessionization_dagster.warehouses.duckdb import DuckDBConnection, DuckDBWarehouse

CODE = [Path(__file__), Path(landing_package.__file__).with_name("load.py")]
REJECTS = dg.AssetKey(["raw", "landing_rejects"])
FILES_READABLE = "files_readable"
WITHIN_PARTITIONS = "rows_within_partitions"
SHOWN = 10


def build_landing_assets(
    manifest: Mapping[str, Any],
    warehouse: DuckDBWarehouse,
    landing: Path,
    sources: Sequence[str],
    partitions: dg.DailyPartitionsDefinition,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.AssetsDefinition:
    """One op that loads every new file of the sources; one asset per raw table, and one for what could not be read.

    A run loads all new files, whatever its partitions: files hold rows of any day. What its partitions mean is that the raw rows of
    those days are in.
    """
    tables = {dg.AssetKey(["raw", table.name]): table for table in raw_tables(manifest, sources)}
    nodes = {key_of_source(node): node for node in manifest["sources"].values() if node["source_name"] == "raw"}
    keys = [*tables, REJECTS]
    span = span_of(partitions)

    @dg.multi_asset(
        name="landing",
        specs=[spec_of_source(nodes[key], "duckdb", partitions, python_files=CODE) for key in keys],
        can_subset=True,
        check_specs=[files_readable_spec(key, "landing folder") for key in tables]
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
        metadata = table_metadata(warehouse, manifest, [nodes[key]["unique_id"] for key in keys], run_window(context))
        add_table_metadata(context, {key: metadata[nodes[key]["unique_id"]] for key in context.selected_asset_keys})
        for key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key)
        for check in context.selected_asset_check_keys:
            name = tables[check.asset_key].name
            if check.name == FILES_READABLE:
                yield files_readable(check.asset_key, held.get(name, []))
            elif check.name == SOURCE_IS_FRESH:
                yield is_fresh_result(check.asset_key, nodes[check.asset_key], newest[name], due)
            else:
                yield _within_partitions(check.asset_key, outside[name], span)

    return landing_assets


def _rows_outside(
    connection: DuckDBConnection, table: RawTable, span: tuple[datetime, datetime | None]
) -> dict[str, int]:
    """How many rows of a raw table lie before the first partition and after the last, by their own time."""
    at = own_moment_of(table)
    if at is None:
        return {"before_first_partition": 0, "after_last_partition": 0}
    start, end = span
    after = "false" if end is None else f"{at} >= timestamp '{end}'"
    (row,) = connection.query(f"""
        select count(*) filter (where {at} < timestamp '{start}') as before, count(*) filter (where {after}) as after
        from raw.{table.name}""").to_pylist()
    return {"before_first_partition": row["before"], "after_last_partition": row["after"]}


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


def unreadable(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Raw table -> its standing rejects: those of this run and those that no file has mended since."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in connection.query("""
        select source || '_' || table_name as name, source_file, source_line, error
        from raw.landing_rejects order by source_file, source_line""").to_pylist():
        found.setdefault(row["name"], []).append(row)
    return found


def files_readable_spec(asset_key: dg.AssetKey, folder: str) -> dg.AssetCheckSpec:
    """The check of one raw table; folder is what its files' place is called."""
    return dg.AssetCheckSpec(
        FILES_READABLE, asset=asset_key, description=f"Every file and row below the table's {folder} could be read."
    )


def files_readable(asset_key: dg.AssetKey, rejects: list[dict[str, Any]]) -> dg.AssetCheckResult:
    """A warning that counts what could not be read and shows the first of it."""
    table = markdown_table(
        ["file", "line", "error"],
        [(row["source_file"], row["source_line"] or "whole file", row["error"]) for row in rejects[:SHOWN]],
        longest=None,
    )
    return dg.AssetCheckResult(
        asset_key=asset_key,
        check_name=FILES_READABLE,
        passed=not rejects,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"unreadable": len(rejects), **({"first": dg.MetadataValue.md(table)} if rejects else {})},
    )
