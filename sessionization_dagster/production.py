"""What only a warehouse with a vendor's loader has: raw tables that others fill, watched and not materialised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dagster as dg

from sessionization_dagster.assets.raw_tables import build_raw_checks, raw_specs
from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.environment import Environment
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.landing import RawTable, raw_tables
from sessionization_dagster.parts import Parts
from sessionization_dagster.warehouses.base import Warehouse


def production_parts(
    environment: Environment, project: DbtProject, warehouse: Warehouse, partitions: dg.DailyPartitionsDefinition
) -> Parts:
    """The raw tables as external assets, with a check that each is fresh.

    Raises:
        SettingsError: two sources would read one table.
    """
    tables = raw_tables(project.manifest, environment.sources)
    if environment.bigquery is not None:
        require_own_tables(tables, environment.bigquery.raw_datasets)
    return Parts(
        assets=raw_specs(project.manifest, tables, partitions, environment.target.value),
        checks=[build_raw_checks(project.manifest, warehouse, tables, partitions)],
    )


def require_own_tables(tables: Sequence[RawTable], raw_datasets: Mapping[str, str]) -> None:
    """Loaders of several vendors name their tables alike: in one dataset each would be read as the others' too.

    Raises:
        SettingsError: two sources have a table of one name in one dataset.
    """
    owners: dict[tuple[str, str], str] = {}
    for table in tables:
        if table.source not in raw_datasets:
            continue  # landed by us, under names with the source's
        place = raw_datasets[table.source], table.table
        other = owners.setdefault(place, table.source)
        if other != table.source:
            raise SettingsError(
                f"Sources {other} and {table.source} both have a raw table {table.table}, and SESSIONIZATION_RAW_DATASETS (by default "
                f"BIGQUERY_DATASET) puts both into dataset {place[0]}. Give each source the dataset that its own loader fills, like "
                f"{other}={place[0]},{table.source}={place[0]}_{table.source}."
            )
