"""The jobs that people start and schedules run."""

from __future__ import annotations

import dagster as dg


def daily_sessionization(
    partitions: dg.PartitionsDefinition[str], leave_out: dg.AssetChecksDefinition
) -> dg.UnresolvedAssetJobDefinition:
    """Everything, for one day or a range of days in one run; but the checks that have a job of their own."""
    return dg.define_asset_job(
        name="daily_sessionization",
        selection=dg.AssetSelection.all() - dg.AssetSelection.checks(leave_out),
        partitions_def=partitions,
        description="Lands new raw files and brings every table up to date for the chosen days: raw rows, events, identities, sessions.",
    )


def verify(checks: dg.AssetChecksDefinition) -> dg.UnresolvedAssetJobDefinition:
    """The checks that recompute a sample of visitors."""
    return dg.define_asset_job(
        name="verify",
        selection=dg.AssetSelection.checks(checks),
        description="Recomputes a sample of visitors from their raw rows and compares them with every table: other visitors in each run.",
    )
