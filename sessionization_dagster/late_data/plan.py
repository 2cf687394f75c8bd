"""Late data: which days must run again because raw rows came or went after they had run. Decisions only: no Dagster, no SQL, no clock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sessionization_dagster.window import Window, ranges


@dataclass(frozen=True)
class Change:
    """Raw rows of one day that came or went.

    Attributes:
        day: the partition that answers for them.
        rows: how many.
        seen_at: when they landed or, of a file that no run has landed yet, when it was seen; naive UTC.
        mark: tells this change from any other, however often it is seen.
    """

    day: date
    rows: int
    seen_at: datetime
    mark: str


@dataclass(frozen=True)
class Cursor:
    """What the sensor remembers from tick to tick.

    Attributes:
        position: how far the journal of landed rows has been read; what it counts is the reader's.
        seen_files: digests of files that no run has landed yet and that were looked into.
        pending: changes whose days have not been run since.
        requested: run keys already asked for, of pending days.
    """

    position: str = ""
    seen_files: tuple[str, ...] = ()
    pending: tuple[Change, ...] = ()
    requested: tuple[str, ...] = ()

    @classmethod
    def from_text(cls, text: str | None) -> Cursor:
        """Read what as_text wrote; a new cursor where there is none."""
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
    """What to do about the changes.

    Attributes:
        pending: changes whose days must run again, in order.
        request: the first range of such days that has not been asked for; None where all have.
        run_key: names that range with its changes: the same for the same.
        too_old: day -> rows of changes before the days that are looked after.
        not_run: day -> rows of days that have never run: schedules and backfills see to those.
    """

    pending: tuple[Change, ...] = ()
    request: Window | None = None
    run_key: str = ""
    too_old: Mapping[date, int] = field(default_factory=dict)
    not_run: Mapping[date, int] = field(default_factory=dict)


def plan(
    changes: Iterable[Change],
    days: tuple[date, date],
    has_run: Callable[[date], bool],
    has_run_since: Callable[[date, datetime], bool],
    requested: Sequence[str] = (),
) -> Plan:
    """Sort changes out by their days.

    days: the first and the last day that are looked after, both included; later ones are not partitions yet. has_run and has_run_since
    ask whether a day was ever materialised, and whether it was after a moment (naive UTC).
    """
    first, last = days
    pending: list[Change] = []
    too_old: dict[date, int] = {}
    not_run: dict[date, int] = {}
    for change in sorted(changes, key=lambda change: (change.day, change.seen_at, change.mark)):
        if change.day < first:
            too_old[change.day] = too_old.get(change.day, 0) + change.rows
        elif change.day <= last:
            if not has_run(change.day):
                not_run[change.day] = not_run.get(change.day, 0) + change.rows
            elif not has_run_since(change.day, change.seen_at):
                pending.append(change)
    for window in ranges(change.day for change in pending):
        key = run_key(window, pending)
        if key not in requested:
            return Plan(tuple(pending), window, key, too_old, not_run)
    return Plan(tuple(pending), None, "", too_old, not_run)


def run_key(window: Window, changes: Iterable[Change]) -> str:
    """Name the run that a window's changes ask for: repeats of the request have the same name, new changes another."""
    marks = sorted({change.mark for change in changes if window.start <= change.day < window.end})
    return f"late {window.start} to {window.last} {hashlib.sha256(' '.join(marks).encode()).hexdigest()[:12]}"
