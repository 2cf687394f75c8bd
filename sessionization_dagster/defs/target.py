"""The definitions that one warehouse adds to those that all warehouses share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg


@dataclass(frozen=True)
class TargetDefinitions:
    """The additional definitions of one warehouse.

    Attributes:
        assets, jobs, schedules, sensors, checks: as Dagster's definitions take them.
        always: assets that each run of the daily job makes, whatever is selected.
        checks_of_other_jobs: those of the checks that the daily job leaves out.
    """

    assets: Sequence[dg.AssetsDefinition | dg.AssetSpec]
    jobs: Sequence[Any] = ()
    schedules: Sequence[dg.ScheduleDefinition] = ()
    sensors: Sequence[dg.SensorDefinition] = ()
    always: Sequence[dg.AssetKey] = ()
    checks: Sequence[dg.AssetChecksDefinition] = ()
    checks_of_other_jobs: Sequence[dg.AssetChecksDefinition] = field(default=())
