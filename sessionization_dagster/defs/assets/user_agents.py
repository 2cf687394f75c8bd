"""The user agents as an asset: core.user_agents."""

from pathlib import Path
from typing import Any

import dagster as dg

from sessionization_dagster import user_agents as code
from sessionization_dagster.dbt.column_lineage import declared_lineage
from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.dbt.translator import by_asset_key, key_of, spec_of_source
from sessionization_dagster.defs.partitions import run_window
from sessionization_dagster.defs.pools import WRITER_POOL
from sessionization_dagster.defs.retries import retrying
from sessionization_dagster.metadata.partition_metadata import add_table_metadata
from sessionization_dagster.metadata.table_metadata import table_metadata
from sessionization_dagster.user_agents import update_user_agents
from sessionization_dagster.warehouses.base import Warehouse

OP = "user_agents"
CODE = [Path(__file__), *(Path(code.__file__).with_name(name) for name in ("user_agent_table.py", "parse.py"))]
EVENTS = dg.AssetKey(["core", "events"])


def build_user_agents_asset(
    manifest: Manifest, warehouse: Warehouse, partitions: dg.PartitionsDefinition[str], kind: str
) -> dg.AssetsDefinition:
    """One op, one transaction, one asset."""
    (source,) = manifest.written_by(OP)
    lineage = declared_lineage(manifest)

    @dg.multi_asset(
        name=OP,
        specs=[spec_of_source(source, kind, partitions, deps=[EVENTS], python_files=CODE)],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=WRITER_POOL,
    )
    def user_agents(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        window = run_window(context)
        labelled = warehouse.labelled(run_id=context.run_id, asset="core.user_agents")
        with retrying(context):
            update = update_user_agents(labelled, window)
        context.log.info(f"{update.parsed} user agents were read, {update.removed} went; {update.user_agents} in all.")
        tables = table_metadata(labelled, manifest, [source.unique_id], window, lineage)
        add_table_metadata(context, by_asset_key(tables, manifest))
        return dg.MaterializeResult(asset_key=key_of(source), metadata=vars(update))

    return user_agents
