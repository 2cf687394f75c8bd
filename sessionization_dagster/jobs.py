"""The jobs that people start and schedules run."""

from __future__ import annotations

import dagster as dg


def daily_sessionization(partitions: dg.PartitionsDefinition[str]) -> dg.UnresolvedAssetJobDefinition:
    """Everything, for one day or a range of days in one run."""
    return dg.define_asset_job(
        name="daily_sessionization",
        selection=dg.AssetSelection.all(),
        partitions_def=partitions,
        description="Lands new raw files and brings every table up to date for the chosen days: raw rows, events, identities, sessions.",
    )
