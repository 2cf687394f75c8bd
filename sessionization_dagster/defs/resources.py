"""The only place where a warehouse is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.landing.event_tables import event_tables
from sessionization_dagster.late_data.arrivals import Arrivals, LandedArrivals, ReceivedArrivals
from sessionization_dagster.settings.bigquery_settings import BigQuerySettings
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.warehouses.base import Warehouse
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse

if TYPE_CHECKING:
    from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse


def build_warehouse(environment: Environment) -> DuckDBWarehouse | BigQueryWarehouse:
    """The warehouse that the settings name. Opens nothing."""
    if environment.bigquery is not None:
        return _bigquery(environment.bigquery)
    return DuckDBWarehouse(path=environment.duckdb_path)


def build_arrivals(environment: Environment, warehouse: Warehouse, manifest: Manifest) -> Arrivals:
    """How late data are detected on the warehouse that the settings name. Opens nothing.

    Raises:
        SettingsError: SESSIONIZATION_RAW_EVENT_TABLES names something that cannot be an event table.
    """
    tables = raw_tables(manifest, environment.sources)
    if isinstance(warehouse, DuckDBWarehouse):
        return LandedArrivals(warehouse, environment.landing, tables, environment.timezone, environment.removed_files)
    named = environment.bigquery.raw_event_tables if environment.bigquery else {}
    return ReceivedArrivals(
        warehouse.labelled(sensor="late_data"), tables, environment.timezone, event_tables(tables, named)
    )


def _bigquery(settings: BigQuerySettings) -> BigQueryWarehouse:
    # Google's client takes a second to import, and only this warehouse needs it.
    from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse
    from sessionization_dagster.warehouses.dialect import Places

    return BigQueryWarehouse(
        places=Places(settings.project, settings.dataset, settings.raw_datasets),
        location=settings.location,
        endpoint=settings.endpoint,
        keyfile=None if settings.keyfile is None else str(settings.keyfile),
        maximum_bytes_billed=settings.maximum_bytes_billed,
        timeout_seconds=settings.timeout_seconds,
    )
