"""What only a warehouse with a vendor's loader has: raw tables that others fill, watched and not materialised."""

from __future__ import annotations

import dagster as dg

from sessionization_dagster.assets.raw_tables import build_raw_checks, raw_specs
from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.environment import Environment
from sessionization_dagster.landing import raw_tables
from sessionization_dagster.parts import Parts
from sessionization_dagster.warehouses.base import Warehouse


def production_parts(
    environment: Environment, project: DbtProject, warehouse: Warehouse, partitions: dg.DailyPartitionsDefinition
) -> Parts:
    """The raw tables as external assets, with a check that each is fresh."""
    tables = raw_tables(project.manifest, environment.sources)
    return Parts(
        assets=raw_specs(project.manifest, tables, partitions, environment.target.value),
        checks=[build_raw_checks(project.manifest, warehouse, tables, partitions)],
    )
