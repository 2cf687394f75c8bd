"""Raw tables that a vendor's loader fills, as external assets. Nothing here writes them; the sensor late_data observes them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from sessionization_dagster.dbt.translator import key_of_source, spec_of_source
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
    manifest: Mapping[str, Any], tables: Sequence[RawTable], partitions: dg.PartitionsDefinition[str], kind: str
) -> list[dg.AssetSpec]:
    """One external asset per raw table. A check judges its freshness: a freshness policy would need materialisations by Dagster."""
    nodes = _nodes(manifest, tables)
    return [
        spec_of_source(node, kind, partitions).replace_attributes(
            kinds={kind, "table"}, freshness_policy=None, skippable=False
        )
        for node in nodes.values()
    ]


def build_raw_checks(
    manifest: Mapping[str, Any],
    warehouse: Warehouse,
    tables: Sequence[RawTable],
    partitions: dg.DailyPartitionsDefinition,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.AssetChecksDefinition:
    """source_is_fresh for each raw table: one op, one connection."""
    nodes = _nodes(manifest, tables)
    by_key = dict(zip(nodes, tables, strict=True))

    @dg.multi_asset_check(name="raw_tables_are_fresh", specs=[is_fresh_spec(key) for key in nodes], can_subset=True)
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
            yield is_fresh_result(key, nodes[key], newest[key], due)

    return raw_tables_are_fresh


def _nodes(manifest: Mapping[str, Any], tables: Sequence[RawTable]) -> dict[dg.AssetKey, Mapping[str, Any]]:
    """Asset key -> dbt source, in the order of tables."""
    sources = {key_of_source(node): node for node in manifest["sources"].values()}
    return {key: sources[key] for key in (dg.AssetKey(["raw", table.name]) for table in tables)}
