"""The check matches_full_rebuild on a warehouse that the thin driver fills: no Dagster."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.identity.policies import IdentitySettings, Policy
from sessionization_dagster.rebuild.keyed_tables import KeyedTable, keyed_tables
from sessionization_dagster.rebuild.pipeline import Engine
from sessionization_dagster.rebuild.recompute import Comparison, compare_sample
from sessionization_dagster.rebuild.visitor_sample import RawData, SampleRequest
from tests.integration.thin_driver import ThinDriver

EVERYBODY = SampleRequest(size=10_000, salt="")


def engine_of(driver: ThinDriver) -> Engine:
    """The engine on the driver's warehouse, with its settings: on the driver's manifest, so that nothing is parsed again."""
    settings = {**driver.project.settings, **driver.variables}
    project = DbtProject(driver.project.project_dir, settings, driver.project.target)
    if driver.project.runner._manifest is None:
        driver.project.runner.parse()
    vars(project).update(manifest=driver.project.manifest, runner=replace(driver.project.runner, settings=settings))
    identity = IdentitySettings(Policy(driver.settings.identity_policy), driver.settings.max_users_per_alias)
    return Engine(project, driver.warehouse, identity)


def tables_of(driver: ThinDriver) -> tuple[KeyedTable, ...]:
    return keyed_tables(driver.project.manifest)


def compare(driver: ThinDriver, request: SampleRequest = EVERYBODY) -> Comparison:
    """Recompute a sample, everybody by default, and compare every table."""
    manifest = driver.project.manifest
    tables = raw_tables(manifest, driver.project.settings["sources"])
    raw = RawData.of(manifest, tables, driver.settings.blocked_ids)
    return compare_sample(engine_of(driver), raw, tables_of(driver), request, datetime(2024, 1, 1), "recomputed")


def problems(comparison: Comparison) -> list[str]:
    """Every difference as a text."""
    return [f"{name}: {found}" for name, table in comparison.tables.items() for found in table.differences]
