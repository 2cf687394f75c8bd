"""The only place where a warehouse is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sessionization_dagster.arrivals import Arrivals, LandedArrivals
from sessionization_dagster.environment import Environment, Target
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.landing import raw_tables
from sessionization_dagster.warehouses.duckdb import DuckDBWarehouse


def build_warehouse(environment: Environment) -> DuckDBWarehouse:
    """The warehouse that the settings name. Opens nothing."""
    if environment.target is Target.DUCKDB:
        return DuckDBWarehouse(path=environment.duckdb_path)
    raise SettingsError(
        f"SESSIONIZATION_TARGET is '{environment.target}', which this version cannot run yet. Use {Target.DUCKDB}."
    )


def build_arrivals(environment: Environment, warehouse: DuckDBWarehouse, manifest: Mapping[str, Any]) -> Arrivals:
    """How late data are seen on the warehouse that the settings name. Opens nothing."""
    return LandedArrivals(
        warehouse, environment.landing, raw_tables(manifest, environment.sources), environment.timezone
    )
