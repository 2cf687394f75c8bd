"""Code that the report and the published tables share: assets of files that each run writes."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import dagster as dg

from sessionization_dagster.dbt.definition_metadata import references
from sessionization_dagster.dbt.translator import DEFAULT_OWNER


def spec_of_files(
    key: dg.AssetKey,
    deps: Iterable[dg.AssetKey],
    description: str,
    kinds: set[str],
    python_files: list[Path],
    partitions: dg.PartitionsDefinition[str],
) -> dg.AssetSpec:
    """The asset, in the group that its key begins with. It must be as fresh as the tables that it is made of."""
    return dg.AssetSpec(
        key=key,
        deps=list(deps),
        description=description,
        group_name=key.path[0],
        owners=[DEFAULT_OWNER],
        kinds={"python", *kinds},
        tags={"layer": key.path[0], "grain": "run"},
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=50), warn_window=timedelta(hours=26)
        ),
        metadata={"dagster/code_references": references(python_files)},
        partitions_def=partitions,
    )
