"""The days that one run reads and replaces, as a half-open range of dates in the reporting timezone. No Dagster, no warehouse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@dataclass(frozen=True)
class Window:
    """Consecutive days [start, end): dates in the reporting timezone, end exclusive."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"A window of days needs its end after its start: got [{self.start}, {self.end}).")

    @classmethod
    def through(cls, first: date, last: date) -> Window:
        """The days from first to last, both included."""
        return cls(first, last + timedelta(days=1))

    @property
    def days(self) -> list[date]:
        """The window's days, in order."""
        return [self.start + timedelta(days=n) for n in range((self.end - self.start).days)]

    @property
    def last(self) -> date:
        """The last day, included."""
        return self.end - timedelta(days=1)

    def as_dbt_vars(self) -> dict[str, str]:
        """The vars that dbt's window macros read."""
        return {"partition_start": self.start.isoformat(), "partition_end": self.end.isoformat()}

    def as_run_tags(self) -> dict[str, str]:
        """The tags with which a run of the daily job covers the window."""
        return {RANGE_START: self.start.isoformat(), RANGE_END: self.last.isoformat()}

    def as_partition_keys(self) -> list[str]:
        """The keys of the window's partitions, in order."""
        return [day.isoformat() for day in self.days]


def ranges(days: Iterable[date], near: int = 1) -> list[Window]:
    """The days as windows, in order. Two neighbouring days share a window if they are at most `near` days apart."""
    windows: list[Window] = []
    for day in sorted(set(days)):
        if windows and day - windows[-1].last <= timedelta(days=near):
            windows[-1] = Window.through(windows[-1].start, day)
        else:
            windows.append(Window.through(day, day))
    return windows
