"""Runs of the daily job that another job starts from within itself, and which days go into one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import dagster as dg

#: The tag by which a run names the run that started it. Dagster has tags of its own for the runs that repeat one, which this is not.
STARTED_BY = "started_by_run"
#: A run takes seconds, however few its days: days that lie no further apart than a week share one.
NEAR_DAYS = 7


class DayRunError(RuntimeError):
    """A run of the daily job failed: names it."""


def run_days(
    daily_job: dg.JobDefinition, instance: dg.DagsterInstance, first: date, last: date, tags: Mapping[str, str]
) -> str:
    """Run the daily job for first..last (both included) in this process, and return the run's id.

    The caller's op is in the writers' pool and so holds it: the run does not queue. tags come on top of those that say the days.

    Raises:
        DayRunError: the run failed.
    """
    result = daily_job.execute_in_process(
        instance=instance,
        tags={
            "dagster/asset_partition_range_start": first.isoformat(),
            "dagster/asset_partition_range_end": last.isoformat(),
            **tags,
        },
        raise_on_error=False,
    )
    if not result.success:
        raise DayRunError(
            f"The run {result.run_id} of {daily_job.name} for {first} to {last} failed: its log says why."
        )
    return result.run_id


def ranges_of_days(days: Iterable[date], near: int = NEAR_DAYS) -> list[tuple[date, date]]:
    """The days as ranges (first, last), in order; days of which no two neighbours lie further apart than `near` share one."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if ranges and day - ranges[-1][1] <= timedelta(days=near):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges
