"""Runs of the daily job that another job starts from within itself."""

from collections.abc import Iterable
from datetime import date

import dagster as dg

from sessionization_dagster.window import ranges

DAILY_JOB = "daily_sessionization"
#: The tag by which a run names the run that started it. Dagster has tags of its own for the runs that repeat one, which this is not.
STARTED_BY = "started_by_run"
#: A run takes seconds, however few its days: days that lie no further apart than a week share one.
NEAR_DAYS = 7


class DayRunError(RuntimeError):
    """A run of the daily job failed: names it."""


def run_days(
    context: dg.OpExecutionContext, daily_job: dg.JobDefinition, days: Iterable[date], near: int = NEAR_DAYS
) -> list[str]:
    """Run the daily job for days, those near each other with all between them in one run, in this process; return the runs' ids.

    The op is in the writers' pool and so holds it: the runs do not queue.

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
