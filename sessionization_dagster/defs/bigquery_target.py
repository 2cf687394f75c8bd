"""Definitions that only BigQuery has: raw tables that are landed from a bucket, or that a vendor's loader fills and Dagster watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.defs.assets.external_assets import build_raw_checks, raw_specs
from sessionization_dagster.defs.target import TargetDefinitions
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.landing import RawTable
from sessionization_dagster.settings.bigquery_settings import BigQuerySettings
from sessionization_dagster.settings.environment import Environment

if TYPE_CHECKING:
    # Google's client takes a second to import.
    from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse


def bigquery_target(
    environment: Environment,
    settings: BigQuerySettings,
    project: DbtProject,
    warehouse: BigQueryWarehouse,
    partitions: dg.DailyPartitionsDefinition,
) -> TargetDefinitions:
    """The raw tables: external assets with a check that each is fresh, or assets of a bucket's files.

    Raises:
        SettingsError: two sources would read one table.
    """
    if settings.bucket is not None:
        return TargetDefinitions(
            assets=[_landed(environment, settings, settings.bucket, project, warehouse, partitions)]
        )
    tables = raw_tables(project.manifest, environment.sources)
    require_own_tables(tables, settings.raw_datasets)
    return TargetDefinitions(
        assets=raw_specs(project.manifest, tables, partitions, environment.target.value),
        checks=[build_raw_checks(project.manifest, warehouse, tables, partitions)],
    )


def require_own_tables(tables: Sequence[RawTable], raw_datasets: Mapping[str, str]) -> None:
    """Refuse two sources in one dataset: vendors' loaders use the same table names, so each table would be read for both sources.

    Raises:
        SettingsError: two sources have a table of one name in one dataset.
    """
    owners: dict[tuple[str, str], str] = {}
    for table in tables:
        if table.source not in raw_datasets:
            continue  # landed by this project, under a name that includes the source's
        place = raw_datasets[table.source], table.table
        other = owners.setdefault(place, table.source)
        if other != table.source:
            raise SettingsError(
                f"Sources {other} and {table.source} both have a raw table {table.table}, and SESSIONIZATION_RAW_DATASETS (by default "
                f"BIGQUERY_DATASET) puts both into dataset {place[0]}. Give each source the dataset that its own loader fills, like "
                f"{other}={place[0]},{table.source}={place[0]}_{table.source}."
            )


def _landed(
    environment: Environment,
    settings: BigQuerySettings,
    bucket: str,
    project: DbtProject,
    warehouse: BigQueryWarehouse,
    partitions: dg.DailyPartitionsDefinition,
) -> dg.AssetsDefinition:
    # Google's storage client takes a while to import, and only this way of landing needs it.
    from sessionization_dagster.defs.assets.landing_gcs import build_gcs_landing_assets
    from sessionization_dagster.landing.gcs.clients import GCSClients
    from sessionization_dagster.landing.gcs.objects import Bucket

    return build_gcs_landing_assets(
        project.manifest,
        warehouse,
        GCSClients.of(settings),
        Bucket.of(bucket),
        environment.sources,
        partitions,
        environment.removed_files,
    )
