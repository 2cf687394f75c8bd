"""Definitions that only DuckDB has: landed files, and jobs that work on the whole warehouse file."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.defs.assets.checks import build_rebuild_checks
from sessionization_dagster.defs.assets.landing import build_landing_assets
from sessionization_dagster.defs.assets.publishing import KEY, build_published_asset, keys_behind
from sessionization_dagster.defs.forget_visitor import forget_visitor_job
from sessionization_dagster.defs.jobs import full_rebuild, verify
from sessionization_dagster.defs.publish_sensor import unpublished_tables_sensor
from sessionization_dagster.defs.schedules import verify_schedule
from sessionization_dagster.defs.target import TargetDefinitions
from sessionization_dagster.identity.policies import IdentitySettings
from sessionization_dagster.rebuild.full_rebuild import tables_to_keep
from sessionization_dagster.rebuild.pipeline import Engine
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse


def duckdb_target(
    environment: Environment,
    project: DbtProject,
    warehouse: DuckDBWarehouse,
    identity: IdentitySettings,
    partitions: dg.DailyPartitionsDefinition,
    made_by_models: list[dg.AssetKey],
    daily_job: Callable[[], dg.JobDefinition],
) -> TargetDefinitions:
    """Landing, published tables, and the jobs full_rebuild, verify and forget_visitor.

    made_by_models are the assets downstream of the raw tables.
    """
    manifest = project.manifest
    engine = Engine(project, warehouse, identity)
    checks = build_rebuild_checks(engine, environment.sources, project.variables["blocked_ids"])
    verification = verify(checks)
    folder = environment.publish
    published = [build_published_asset(manifest, warehouse, folder, partitions)] if folder else []
    return TargetDefinitions(
        assets=[
            build_landing_assets(
                manifest, warehouse, environment.landing, environment.sources, partitions, environment.removed_files
            ),
            *published,
        ],
        jobs=[
            full_rebuild(engine, tables_to_keep(manifest), partitions, made_by_models, folder),
            verification,
            forget_visitor_job(environment, manifest, project.variables, warehouse, partitions, daily_job),
        ],
        schedules=[verify_schedule(verification, partitions)],
        sensors=[unpublished_tables_sensor(KEY, keys_behind(manifest), partitions)] if folder else [],
        always=[KEY] if folder else [],
        checks=[checks],
        checks_of_other_jobs=[checks],
    )
