"""Everything Dagster knows of the project. Built from settings on demand; importing this module reads and opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from sessionization_dagster.assets.dbt_models import build_dbt_assets
from sessionization_dagster.assets.identity import build_identity_assets
from sessionization_dagster.assets.landing import build_landing_assets
from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.dbt.translator import Translator
from sessionization_dagster.environment import Environment
from sessionization_dagster.erasure.job import forget_visitor_job
from sessionization_dagster.identity.policies import IdentitySettings
from sessionization_dagster.jobs import daily_sessionization
from sessionization_dagster.partitions import daily_partitions
from sessionization_dagster.resources import build_warehouse


def build_definitions(
    environment: Environment,
    variables: Mapping[str, Any] | None = None,
    loggers: Mapping[str, dg.LoggerDefinition] | None = None,
) -> dg.Definitions:
    """Assets, checks and jobs for the given settings; variables replace vars of dbt_project.yml, loggers Dagster's own.

    Raises:
        SettingsError: a setting cannot be used.
        DbtError: the dbt project does not parse.
    """
    project = DbtProject.of(environment, variables or {})
    warehouse = build_warehouse(environment)
    partitions = daily_partitions(environment)
    kind = environment.target.value
    translator = Translator(partitions, kind)
    identity_settings = IdentitySettings.from_vars(
        project.variables["identity_policy"], project.variables["max_users_per_alias"]
    )
    definitions = dg.Definitions(
        assets=[
            build_landing_assets(project.manifest, warehouse, environment.landing, environment.sources, partitions),
            *build_dbt_assets(project, warehouse, translator, partitions),
            build_identity_assets(project.manifest, warehouse, identity_settings, partitions, kind),
        ],
        jobs=[
            daily_sessionization(partitions),
            forget_visitor_job(
                environment,
                project.manifest,
                project.variables,
                warehouse,
                partitions,
                daily_job=lambda: definitions.resolve_job_def("daily_sessionization"),
            ),
        ],
        # Steps share a process: one writer at a time anyway, and dbt and Dagster are slow to import.
        loggers=loggers,
        executor=dg.in_process_executor,
    )
    return definitions


@dg.definitions
def defs() -> dg.Definitions:
    """The entry point: definitions for the process's environment."""
    return build_definitions(Environment.from_env())
