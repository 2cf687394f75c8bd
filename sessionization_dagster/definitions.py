"""Everything Dagster knows of the project. Built from settings on demand; importing this module reads and opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from sessionization_dagster.assets.checks import build_rebuild_checks
from sessionization_dagster.assets.dbt_models import build_dbt_assets
from sessionization_dagster.assets.identity import build_identity_assets
from sessionization_dagster.assets.landing import build_landing_assets
from sessionization_dagster.assets.report import build_report_asset
from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.dbt.translator import Translator, keys_by_day
from sessionization_dagster.engine import Engine
from sessionization_dagster.environment import Environment
from sessionization_dagster.erasure.job import forget_visitor_job
from sessionization_dagster.identity.policies import IdentitySettings
from sessionization_dagster.jobs import daily_sessionization, full_rebuild, repair, verify
from sessionization_dagster.maintenance.rebuild import tables_to_keep
from sessionization_dagster.notifications import LogNotifier, Notifier, WebhookNotifier
from sessionization_dagster.partitions import daily_partitions
from sessionization_dagster.report.files import reports_folder
from sessionization_dagster.resources import build_arrivals, build_warehouse
from sessionization_dagster.schedules import daily_schedule, verify_schedule
from sessionization_dagster.sensors import failure_sensor, late_data_sensor


def build_definitions(
    environment: Environment,
    variables: Mapping[str, Any] | None = None,
    loggers: Mapping[str, dg.LoggerDefinition] | None = None,
    notifier: Notifier | None = None,
    select: str = "*",
) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors for the given settings.

    variables replace vars of dbt_project.yml, loggers Dagster's own, notifier what the settings say of telling failed runs.
    select is what the daily job runs, in Dagster's selection syntax.

    Raises:
        SettingsError: a setting cannot be used.
        DbtError: the dbt project does not parse.
    """
    project = DbtProject.of(environment, variables or {})
    manifest = project.manifest
    warehouse = build_warehouse(environment)
    partitions = daily_partitions(environment)
    kind = environment.target.value
    translator = Translator(partitions, kind)
    identity_settings = IdentitySettings.from_vars(
        project.variables["identity_policy"], project.variables["max_users_per_alias"]
    )
    engine = Engine(project, warehouse, identity_settings)
    rebuild_checks = build_rebuild_checks(engine, environment.sources, project.variables["blocked_ids"])
    models = build_dbt_assets(project, warehouse, translator, partitions)
    identity = build_identity_assets(manifest, warehouse, identity_settings, partitions, kind)
    daily = daily_sessionization(partitions, leave_out=rebuild_checks, select=select)
    verification = verify(rebuild_checks)
    webhook = environment.alert_webhook

    def daily_job() -> dg.JobDefinition:
        return definitions.resolve_job_def(daily.name)

    definitions = dg.Definitions(
        assets=[
            build_landing_assets(manifest, warehouse, environment.landing, environment.sources, partitions),
            *models,
            identity,
            build_report_asset(warehouse, reports_folder(environment.duckdb_path), partitions, kind),
        ],
        jobs=[
            daily,
            full_rebuild(
                engine,
                tables_to_keep(manifest),
                partitions,
                [key for assets in (*models, identity) for key in assets.keys],
            ),
            repair(daily_job, lambda: definitions.resolve_asset_graph().asset_check_keys),
            verification,
            forget_visitor_job(
                environment,
                manifest,
                project.variables,
                warehouse,
                partitions,
                daily_job,
            ),
        ],
        schedules=[daily_schedule(daily, partitions), verify_schedule(verification, partitions)],
        sensors=[
            late_data_sensor(
                daily,
                partitions,
                build_arrivals(environment, warehouse, manifest),
                keys_by_day(manifest),
                project.variables["max_lateness_days"],
            ),
            failure_sensor(notifier or (WebhookNotifier(webhook) if webhook else LogNotifier())),
        ],
        asset_checks=[rebuild_checks],
        # Steps share a process: one writer at a time anyway, and dbt and Dagster are slow to import.
        loggers=loggers,
        executor=dg.in_process_executor,
    )
    return definitions


@dg.definitions
def defs() -> dg.Definitions:
    """The entry point: definitions for the process's environment."""
    return build_definitions(Environment.from_env())
