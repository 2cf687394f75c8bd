"""Runs of the daily job that another job starts in its own process."""

from collections.abc import Iterable
from datetime import date

import dagster as dg

from sessionization_dagster.window import ranges

DAILY_JOB = "daily_sessionization"
#: The tag with which a run names the run that started it. Dagster's own tags name a run that is repeated, which is not the case here.
STARTED_BY = "started_by_run"
#: A run takes seconds even for a single day, so days that are at most a week apart share one.
NEAR_DAYS = 7


class DayRunError(RuntimeError):
    """A run of the daily job failed. The message names it."""


def run_days(
    context: dg.OpExecutionContext, daily_job: dg.JobDefinition, days: Iterable[date], near: int = NEAR_DAYS
) -> list[str]:
    """Run the daily job for the days, in this process, and return the runs' ids. Days near each other share a run with all days between.

    The calling op already holds the writers' pool, so the runs do not queue.

    Raises:
        DayRunError: a run failed; those after it are not started.
    """
    runs = []
    for window in ranges(days, near):
        context.log.info(f"Making the tables of {window.start} to {window.last} again, in a run of its own")
        tags = {**window.as_run_tags(), STARTED_BY: context.run_id}
        result = daily_job.execute_in_process(instance=context.instance, tags=tags, raise_on_error=False)
        if not result.success:
            raise DayRunError(
                f"The run {result.run_id} of {daily_job.name} for {window.start} to {window.last} failed: its log says why."
            )
        runs.append(result.run_id)
    return runs
