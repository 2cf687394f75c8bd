"""The identity graph as assets: core.identity_graph and core.identity_changes, written together."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from sessionization_dagster.dbt.column_lineage import declared_lineage
from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.dbt.translator import key_of, spec_of_source
from sessionization_dagster.defs.partitions import run_window
from sessionization_dagster.defs.pools import WRITER_POOL
from sessionization_dagster.defs.retries import retrying
from sessionization_dagster.identity import store as identity_store
from sessionization_dagster.identity.policies import IdentitySettings
from sessionization_dagster.identity.store import update_identity_graph
from sessionization_dagster.metadata.partition_metadata import add_table_metadata
from sessionization_dagster.metadata.table_metadata import table_metadata
from sessionization_dagster.warehouses.base import Warehouse

CODE = [Path(__file__), Path(identity_store.__file__).with_name("update.py")]
OP = "identity_graph"
EDGES = dg.AssetKey(["core", "identity_edges"])


def build_identity_assets(
    manifest: Manifest,
    warehouse: Warehouse,
    settings: IdentitySettings,
    partitions: dg.PartitionsDefinition[str],
    kind: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.AssetsDefinition:
    """One op, one transaction, two assets. now returns the timestamp of the changes."""
    sources = {key_of(source): source for source in manifest.written_by(OP)}
    lineage = declared_lineage(manifest)

    @dg.multi_asset(
        name=OP,
        specs=[
            spec_of_source(source, kind, partitions, deps=[EDGES], python_files=CODE) for source in sources.values()
        ],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=WRITER_POOL,
    )
    def identity_graph(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        window = run_window(context)
        labelled = warehouse.labelled(run_id=context.run_id, asset="core.identity_graph")
        with retrying(context):
            update = update_identity_graph(labelled, window, settings, now().replace(tzinfo=None))
        context.log.info(
            f"{update.changed_edges} changed edges touched {update.touched_aliases} aliases; "
            f"{update.reassigned_aliases} went to another visitor. {update.aliases} aliases, {update.visitors} visitors in all."
        )
        unique_ids = [source.unique_id for source in sources.values()]
        tables = table_metadata(labelled, manifest, unique_ids, window, lineage)
        add_table_metadata(context, {key: tables[sources[key].unique_id] for key in context.selected_asset_keys})
        for key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key, metadata=vars(update))

    return identity_graph
