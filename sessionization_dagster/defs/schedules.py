"""When jobs run by themselves. All are off until somebody turns them on."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from sessionization_dagster.defs.partitions import days_until

DAILY_AT_TWO = "0 2 * * *"
VERIFY_AT_FOUR = "0 4 * * *"


def daily_schedule(
    job: dg.UnresolvedAssetJobDefinition, partitions: dg.DailyPartitionsDefinition
) -> dg.ScheduleDefinition:
    """The daily job at 02:00 in the project's timezone, for the day that ended. Late rows have two hours to arrive."""

    @dg.schedule(
        name="daily_at_two",
        job=job,
        cron_schedule=DAILY_AT_TWO,
        execution_timezone=partitions.timezone,
        description="Runs the day that ended, at 02:00 in the project's timezone.",
    )
    def daily_at_two(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        at = context.scheduled_execution_time
        ended = at.astimezone(ZoneInfo(partitions.timezone)).date() - timedelta(days=1)
        first, last = days_until(partitions, at)
        day = ended.isoformat()
        if not first <= ended <= last:
            return dg.SkipReason(
                f"{day} is no partition: see SESSIONIZATION_START_DATE and SESSIONIZATION_END_DATE, which a sample sets."
            )
        return dg.RunRequest(run_key=day, partition_key=day)

    return daily_at_two


def verify_schedule(
    job: dg.UnresolvedAssetJobDefinition, partitions: dg.DailyPartitionsDefinition
) -> dg.ScheduleDefinition:
    """The checks that recompute a sample, after the daily job."""
    return dg.ScheduleDefinition(
        name="verify_at_four",
        job=job,
        cron_schedule=VERIFY_AT_FOUR,
        execution_timezone=partitions.timezone,
        description="Recomputes another sample of visitors from raw rows each night, at 04:00 in the project's timezone.",
    )
