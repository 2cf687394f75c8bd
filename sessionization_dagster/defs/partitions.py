"""Which days are partitions, and which of them a run covers. No SQL, no warehouse."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.window import Window


def daily_partitions(environment: Environment) -> dg.DailyPartitionsDefinition:
    """One partition a day, from the start date to the end date (both included) or to yesterday."""
    end = environment.end_date
    return dg.DailyPartitionsDefinition(
        start_date=environment.start_date.isoformat(),
        end_date=None if end is None else (end + timedelta(days=1)).isoformat(),
        timezone=environment.timezone,
    )


def span_of(partitions: dg.DailyPartitionsDefinition) -> tuple[datetime, datetime | None]:
    """The span of all partitions, [start, end), in naive UTC. end is None where the last partition moves."""
    end = partitions.end
    return _naive_utc(partitions.start), None if end is None else _naive_utc(end)


def days_until(partitions: dg.DailyPartitionsDefinition, now: datetime) -> tuple[date, date]:
    """The first day that is a partition, and the last one that has ended at now (an aware time). Both are included."""
    last = now.astimezone(ZoneInfo(partitions.timezone)).date() - timedelta(days=1)
    if partitions.end is not None:
        last = min(last, partitions.end.date() - timedelta(days=1))
    return partitions.start.date(), last


def _naive_utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def run_window(context: dg.AssetExecutionContext) -> Window:
    """The days of this run: one partition, or all partitions of a range."""
    window = context.partition_time_window
    return Window(start=window.start.date(), end=window.end.date())
