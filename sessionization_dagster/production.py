"""What only BigQuery has: raw tables that a vendor's loader fills, watched and not materialised, or landed from a bucket."""

from __future__ import annotations

import dagster as dg

from sessionization_dagster.assets.raw_tables import build_raw_checks, raw_specs
from sessionization_dagster.bigquery_settings import BigQuerySettings
from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.environment import Environment
from sessionization_dagster.landing import raw_tables
from sessionization_dagster.parts import Parts
from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse


def production_parts(
    environment: Environment,
    settings: BigQuerySettings,
    project: DbtProject,
    warehouse: BigQueryWarehouse,
    partitions: dg.DailyPartitionsDefinition,
) -> Parts:
    """The raw tables: external assets with a check that each is fresh, or assets of a bucket's files."""
    if settings.bucket is not None:
        return Parts(assets=[_landed(environment, settings, settings.bucket, project, warehouse, partitions)])
    tables = raw_tables(project.manifest, environment.sources)
    return Parts(
        assets=raw_specs(project.manifest, tables, partitions, environment.target.value),
        checks=[build_raw_checks(project.manifest, warehouse, tables, partitions)],
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
    from sessionization_dagster.assets.landing_gcs import build_gcs_landing_assets
    from sessionization_dagster.landing_gcs.clients import GCSClients
    from sessionization_dagster.landing_gcs.objects import Bucket

    clients = GCSClients(
        project=settings.project,
        keyfile=None if settings.keyfile is None else str(settings.keyfile),
        anonymous=settings.endpoint is not None,
    )
    return build_gcs_landing_assets(
        project.manifest, warehouse, clients, Bucket.of(bucket), environment.sources, partitions
    )
