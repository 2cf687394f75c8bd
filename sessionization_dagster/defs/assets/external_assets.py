"""Raw tables that a vendor's loader fills, as external assets. Nothing here writes them; the sensor late_data observes them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg

from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.dbt.translator import sources_by_key, spec_of_source
from sessionization_dagster.defs.partitions import span_of
from sessionization_dagster.defs.retries import retrying
from sessionization_dagster.defs.source_freshness import (
    LOOKED_BACK,
    SOURCE_IS_FRESH,
    due_time,
    is_fresh_result,
    is_fresh_spec,
    newest_row_at,
)
from sessionization_dagster.landing import RawTable
from sessionization_dagster.warehouses.base import Warehouse


def raw_specs(
    manifest: Manifest, tables: Sequence[RawTable], partitions: dg.PartitionsDefinition[str], kind: str
) -> list[dg.AssetSpec]:
    """One external asset per raw table. A check judges its freshness: a freshness policy would need materialisations by Dagster."""
    sources = sources_by_key(manifest)
    return [
        spec_of_source(sources[key], kind, partitions).replace_attributes(
            kinds={kind, "table"}, freshness_policy=None, skippable=False
        )
        for key in _by_key(tables)
    ]


def build_raw_checks(
    manifest: Manifest,
    warehouse: Warehouse,
    tables: Sequence[RawTable],
    partitions: dg.DailyPartitionsDefinition,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.AssetChecksDefinition:
    """source_is_fresh for each raw table: one op, one connection."""
    sources, by_key = sources_by_key(manifest), _by_key(tables)

    @dg.multi_asset_check(name="raw_tables_are_fresh", specs=[is_fresh_spec(key) for key in by_key], can_subset=True)
    def raw_tables_are_fresh(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        due = due_time(now().replace(tzinfo=None), span_of(partitions)[1])
        since = due - LOOKED_BACK
        keys = [check.asset_key for check in context.selected_asset_check_keys]
        labelled = warehouse.labelled(run_id=context.run.run_id, check=SOURCE_IS_FRESH)
        with retrying(context), labelled.read() as connection:
            # A loader creates a table only with the first call of its type.
            newest = {
                key: newest_row_at(connection, by_key[key], due, since) if connection.has_table(*key.path) else None
                for key in keys
            }
        for key in keys:
            yield is_fresh_result(key, sources[key], newest[key], due)

    return raw_tables_are_fresh


def _by_key(tables: Sequence[RawTable]) -> dict[dg.AssetKey, RawTable]:
    return {dg.AssetKey(["raw", table.name]): table for table in tables}
