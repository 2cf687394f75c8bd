"""Which days must be rerun because raw rows were added or removed after the days had run. Decisions only: no Dagster, no SQL, no clock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sessionization_dagster.window import Window, ranges


@dataclass(frozen=True)
class Change:
    """Raw rows of one day that were added or removed.

    Attributes:
        day: the partition that they belong to.
        rows: the number of rows.
        seen_at: when they landed, or, if no run has landed their file yet, when the file was seen; naive UTC.
        mark: identifies the change; it is the same each time the change is seen.
    """

    day: date
    rows: int
    seen_at: datetime
    mark: str


@dataclass(frozen=True)
class Cursor:
    """The state of the sensor from tick to tick.

    Attributes:
        position: how far arrivals have been read. Its format belongs to the implementation of Arrivals.
        seen_files: digests of files that were previewed and that no run has landed yet.
        pending: changes whose days have not run since.
        requested: run keys that were already requested for pending days.
    """

    position: str = ""
    seen_files: tuple[str, ...] = ()
    pending: tuple[Change, ...] = ()
    requested: tuple[str, ...] = ()

    @classmethod
    def from_text(cls, text: str | None) -> Cursor:
        """Read the text of as_text. Without a text, return a new cursor."""
        if not text:
            return cls()
        values = json.loads(text)
        pending = tuple(
            Change(date.fromisoformat(day), rows, datetime.fromisoformat(seen_at), mark)
            for day, rows, seen_at, mark in values["pending"]
        )
        return cls(values["position"], tuple(values["seen_files"]), pending, tuple(values["requested"]))

    def as_text(self) -> str:
        """The cursor as JSON."""
        pending = [
            [change.day.isoformat(), change.rows, change.seen_at.isoformat(), change.mark] for change in self.pending
        ]
        return json.dumps(
            {
                "position": self.position,
                "seen_files": list(self.seen_files),
                "pending": pending,
                "requested": list(self.requested),
            }
        )


@dataclass(frozen=True)
class Plan:
    """The decision about the changes.

    Attributes:
        pending: changes whose days must run again, in order.
        request: the first range of such days that has not been requested; None if all have been.
        run_key: names that range and its changes. The same range and changes give the same key.
        too_old: day -> changed rows, for days before the first day that is watched.
        not_run: day -> changed rows, for days that have never run. Schedules and backfills run those.
    """

    pending: tuple[Change, ...] = ()
    request: Window | None = None
    run_key: str = ""
    too_old: Mapping[date, int] = field(default_factory=dict)
    not_run: Mapping[date, int] = field(default_factory=dict)


def plan(
    changes: Iterable[Change],
    days: tuple[date, date],
    has_run: Callable[[date, datetime | None], bool],
    requested: Sequence[str] = (),
) -> Plan:
    """Decide for each change, by its day, what to do.

    days: the first and the last day that are watched, both included. Later days are not partitions yet. has_run says whether a day was
    materialised after a moment (naive UTC), or ever.
    """
    first, last = days
    pending: list[Change] = []
    too_old: dict[date, int] = {}
    not_run: dict[date, int] = {}
    for change in sorted(changes, key=lambda change: (change.day, change.seen_at, change.mark)):
        if change.day < first:
            too_old[change.day] = too_old.get(change.day, 0) + change.rows
        elif change.day <= last:
            if not has_run(change.day, None):
                not_run[change.day] = not_run.get(change.day, 0) + change.rows
            elif not has_run(change.day, change.seen_at):
                pending.append(change)
    for window in ranges(change.day for change in pending):
        key = run_key(window, pending)
        if key not in requested:
            return Plan(tuple(pending), window, key, too_old, not_run)
    return Plan(tuple(pending), None, "", too_old, not_run)


def run_key(window: Window, changes: Iterable[Change]) -> str:
    """Name the run for a window's changes. A repeated request has the same name; new changes give another name."""
    marks = sorted({change.mark for change in changes if window.start <= change.day < window.end})
    return f"late {window.start} to {window.last} {hashlib.sha256(' '.join(marks).encode()).hexdigest()[:12]}"
