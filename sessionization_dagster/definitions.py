"""Everything that Dagster knows of the project, built from settings on demand. Importing this module reads and opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from sessionization_dagster.dbt.garbage import collect_rarely
from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.dbt.staging_keys import require_known_keys
from sessionization_dagster.dbt.translator import Translator, keys_by_day
from sessionization_dagster.defs.assets.dbt_models import build_dbt_assets
from sessionization_dagster.defs.assets.identity import build_identity_assets
from sessionization_dagster.defs.assets.report import build_report_asset
from sessionization_dagster.defs.assets.user_agents import build_user_agents_asset
from sessionization_dagster.defs.bigquery_target import bigquery_target
from sessionization_dagster.defs.day_runs import DAILY_JOB
from sessionization_dagster.defs.duckdb_target import duckdb_target
from sessionization_dagster.defs.jobs import daily_sessionization, repair
from sessionization_dagster.defs.notifications import LogNotifier, Notifier, WebhookNotifier
from sessionization_dagster.defs.partitions import daily_partitions
from sessionization_dagster.defs.resources import build_arrivals, build_warehouse
from sessionization_dagster.defs.schedules import daily_schedule
from sessionization_dagster.defs.sensors import (
    SECONDS_BETWEEN_BILLED_TICKS,
    SECONDS_BETWEEN_TICKS,
    failure_sensor,
    late_data_sensor,
)
from sessionization_dagster.event_log import store_batches_in_bulk
from sessionization_dagster.identity.policies import IdentitySettings, Policy
from sessionization_dagster.report.destination import report_place
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse


def build_definitions(
    environment: Environment,
    variables: Mapping[str, Any] | None = None,
    loggers: Mapping[str, dg.LoggerDefinition] | None = None,
    notifier: Notifier | None = None,
    select: str = "*",
) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors for the given settings.

    variables replace vars of dbt_project.yml. loggers replace Dagster's loggers. notifier replaces the notifier of failed runs that the
    settings name. select names the assets that the daily job runs, in Dagster's selection syntax; it publishes too.

    Raises:
        SettingsError: a setting cannot be used.
        DbtError: the dbt project does not parse.
    """
    project = DbtProject.of(environment, variables or {})
    require_known_keys(project.manifest)
    warehouse = build_warehouse(environment)
    partitions = daily_partitions(environment)
    kind = environment.target.value
    policy = Policy(project.variables["identity_policy"])
    identity_settings = IdentitySettings(policy, project.variables["max_users_per_alias"])
    models = build_dbt_assets(project, warehouse, Translator(partitions, kind), partitions, identity_settings)
    identity = build_identity_assets(project.manifest, warehouse, identity_settings, partitions, kind)
    user_agents = build_user_agents_asset(project.manifest, warehouse, partitions, kind)
    report = build_report_asset(warehouse, report_place(environment), partitions, kind, project.manifest.table_names)

    def daily_job() -> dg.JobDefinition:
        return definitions.resolve_job_def(DAILY_JOB)

    if isinstance(warehouse, DuckDBWarehouse):
        made = [key for assets in (*models, identity, user_agents) for key in assets.keys]
        target = duckdb_target(environment, project, warehouse, identity_settings, partitions, made, daily_job)
    else:
        assert environment.bigquery is not None
        target = bigquery_target(environment, environment.bigquery, project, warehouse, partitions)
    daily = daily_sessionization(partitions, target.checks_of_other_jobs, select, target.always)
    webhook = environment.alert_webhook
    definitions = dg.Definitions(
        assets=[*target.assets, *models, identity, user_agents, report],
        jobs=[daily, *target.jobs, repair(daily_job, lambda: definitions.resolve_asset_graph().asset_check_keys)],
        schedules=[daily_schedule(daily, partitions), *target.schedules],
        sensors=[
            late_data_sensor(
                daily,
                partitions,
                build_arrivals(environment, warehouse, project.manifest),
                keys_by_day(project.manifest),
                project.variables["max_lateness_days"],
                SECONDS_BETWEEN_BILLED_TICKS if warehouse.bills_reads else SECONDS_BETWEEN_TICKS,
            ),
            failure_sensor(notifier or (WebhookNotifier(webhook) if webhook else LogNotifier())),
            *target.sensors,
        ],
        asset_checks=target.checks,
        # Steps share a process: only one may write at a time, and dbt and Dagster are slow to import.
        loggers=loggers,
        executor=dg.in_process_executor,
    )
    return definitions


@dg.definitions
def defs() -> dg.Definitions:
    """The entry point: definitions for the process's environment. An instance that Dagster itself made gets the quick event log too.

    Dagster calls this in its servers and in the process of each run, which then collects garbage rarely.
    """
    collect_rarely()
    store_batches_in_bulk()
    return build_definitions(Environment.from_env())
