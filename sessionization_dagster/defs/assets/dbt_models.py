"""dbt models and their tests as assets and checks: those before the identity graph, and those after it."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from sessionization_dagster.dbt.column_lineage import column_lineage
from sessionization_dagster.dbt.events import AssetEvent, Progress, as_asset_events
from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.dbt.selection import AFTER_IDENTITY, BEFORE_IDENTITY, selection_arguments
from sessionization_dagster.dbt.translator import Translator, by_asset_key, key_of
from sessionization_dagster.dbt.views import require_tables
from sessionization_dagster.defs.partitions import run_window
from sessionization_dagster.defs.pools import WRITER_POOL
from sessionization_dagster.defs.retries import retrying
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.identity.policies import IdentitySettings
from sessionization_dagster.identity.store.update import fingerprint
from sessionization_dagster.metadata.failed_rows import failed_rows
from sessionization_dagster.metadata.partition_metadata import add_table_metadata
from sessionization_dagster.metadata.table_metadata import table_metadata
from sessionization_dagster.warehouses.base import Warehouse


def build_dbt_assets(
    project: DbtProject,
    warehouse: Warehouse,
    translator: Translator,
    partitions: dg.PartitionsDefinition[str],
    identity_settings: IdentitySettings,
) -> list[dg.AssetsDefinition]:
    """Two asset definitions: the models before the Python identity graph, and those after it.

    Raises:
        SettingsError: a model's tags do not say on which side of the graph it is.
    """
    _require_one_side(project.manifest)
    identity = fingerprint(identity_settings)
    common: dict[str, Any] = {
        # Models of other families are not enabled. Other nodes of a family have the family's name as a tag.
        "exclude": " ".join(f"tag:{family}" for family in project.other_families) or None,
        "manifest": project.manifest.json,
        "dagster_dbt_translator": translator,
        "partitions_def": partitions,
        "backfill_policy": dg.BackfillPolicy.single_run(),
        "pool": WRITER_POOL,
    }

    @dbt_assets(name="event_models", select=f"tag:{BEFORE_IDENTITY}", **common)
    def event_models(context: dg.AssetExecutionContext) -> Iterator[AssetEvent]:
        with retrying(context):
            yield from _build(context, project, warehouse, translator, identity)

    @dbt_assets(name="session_models", select=f"tag:{AFTER_IDENTITY}", **common)
    def session_models(context: dg.AssetExecutionContext) -> Iterator[AssetEvent]:
        with retrying(context):
            yield from _build(context, project, warehouse, translator, identity)

    return [event_models, session_models]


def _require_one_side(manifest: Manifest) -> None:
    for model in manifest.models:
        if len({BEFORE_IDENTITY, AFTER_IDENTITY} & set(model.tags)) != 1:
            raise SettingsError(
                f"Model {model.name} needs one of the tags '{BEFORE_IDENTITY}' (it runs before the identity graph) and "
                f"'{AFTER_IDENTITY}' (after it): give its folder +tags in dbt_project.yml."
            )


def _made_by_run(context: dg.AssetExecutionContext, manifest: Manifest) -> set[str]:
    """Unique ids of everything that the whole run makes. This step may make only a part of it."""
    made = set(context.job_def.asset_layer.executable_asset_keys)
    return {unique_id for unique_id, table in manifest.tables.items() if key_of(table) in made}


def _require_tables_of_views(context: dg.AssetExecutionContext, manifest: Manifest, selected: set[str]) -> None:
    """See require_tables. Tables that other steps of the run make count as selected, so a run of everything needs no history."""
    days_of = cache(lambda table: context.instance.get_materialized_partitions(key_of(manifest.tables[table])))
    require_tables(manifest, selected, context.partition_keys, days_of)


def _build(
    context: dg.AssetExecutionContext, project: DbtProject, warehouse: Warehouse, translator: Translator, identity: str
) -> Iterator[AssetEvent]:
    """Build the step's models and tests. identity is the fingerprint that the identity graph must have."""
    window = run_window(context)
    selected = _made_by_run(context, project.manifest)
    _require_tables_of_views(context, project.manifest, selected)
    progress = Progress(report=context.log.info)
    run = {"run_id": context.run_id}
    labelled = warehouse.labelled(**run, asset=context.op_def.name)
    names = sorted(unique_id.rsplit(".", 1)[-1] for unique_id in selected)
    has_events = any(BEFORE_IDENTITY in model.tags for model in project.manifest.models if model.unique_id in selected)
    of_run = {
        "models_of_run": names,
        "identity_fingerprint": identity if "identity_graph" in names else None,
        # Once in a run: its first step says so.
        "announces_rebuilds": context.op_def.name == "event_models" or not has_events,
    }
    arguments = ["build", *selection_arguments(context, project.manifest, translator)]
    try:
        project.runner.invoke(arguments, {**window.as_dbt_vars(), **run, **of_run}, on_event=progress)
    finally:
        progress.report_tests()
        lineage = column_lineage(project, run, warn=context.log.warning) if progress.built_nodes else {}
        tables = table_metadata(labelled, project.manifest, progress.built_nodes, window, lineage)
        add_table_metadata(context, by_asset_key(tables, project.manifest))
        found_rows = failed_rows(labelled, project, progress.results)
        events = list(as_asset_events(progress.results, found_rows, context, project.manifest, translator))
        yield from events
    progress.raise_failed_tests()
    _report_checks_not_run(context, events)


def _report_checks_not_run(context: dg.AssetExecutionContext, events: list[AssetEvent]) -> None:
    """Dagster itself says only that the step did not yield their outputs."""
    run = {(event.asset_key, event.check_name) for event in events if isinstance(event, dg.AssetCheckResult)}
    not_run = sorted(
        f"{key.name} of {key.asset_key.to_user_string()}"
        for key in context.selected_asset_check_keys
        if (key.asset_key, key.name) not in run
    )
    if not_run:
        context.log.info(f"Not run, because they also read tables that this run does not make: {', '.join(not_run)}")
