"""Random histories of a landing: what arrives, changes and goes, and which days are run when. One seed, one history.

The law that makes a history fair: a day whose rows changed is in some run after its last change, and every day is in
some run. Apart from that days are run in any order, repeatedly, late, and now and then for no reason.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from random import Random
from typing import NamedTuple

from .changes import Changes
from .faults import broken, duplicate
from .inputs import RawRow, Settings
from .intake import OPTIONAL
from .landing import Correct, Edit, Landing, Put, added_rows, changed_dates
from .seeds import Seeds
from .world import DAY, World

MAX_ROWS = 250


class Run(NamedTuple):
    """One run over the days from first to last, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        """A day, or two with dots between."""
        return str(self.first) if self.first == self.last else f"{self.first}..{self.last}"

    def dates(self) -> set[date]:
        """The days that it reads and replaces."""
        return {self.first + n * DAY for n in range((self.last - self.first).days + 1)}


@dataclass(frozen=True)
class Step:
    """Edits to the landing, then runs."""

    edits: tuple[Edit, ...]
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class History:
    """Everything that happens to one warehouse."""

    seed: int
    settings: Settings
    dates: tuple[date, ...]
    steps: tuple[Step, ...]

    def landings(self) -> list[dict[str, tuple[RawRow, ...]]]:
        """The files after the edits of each step."""
        landing, snapshots = Landing(), []
        for step in self.steps:
            for edit in step.edits:
                landing.apply(edit)
            snapshots.append(landing.snapshot())
        return snapshots

    def final_rows(self) -> list[RawRow]:
        """The rows that lie in the landing at the end."""
        return [row for rows in self.landings()[-1].values() for row in rows]

    def settled(self) -> list[bool]:
        """For each step, whether by its end every day was run since it last changed.

        Where true the warehouse must equal one run over all days of that step's landing.
        """
        pending: set[date | None] = {*self.dates, None}
        answers = []
        for step in self.steps:
            pending |= changed_dates(step.edits, self.settings)
            pending = still_pending(pending, step.runs)
            answers.append(not pending & {*self.dates, None})
        return answers

    def describe(self) -> str:
        """The history as text, to read beside a failure."""
        lines = [f"history({self.seed})", f"  {self.settings}", f"  days {self.dates[0]} to {self.dates[-1]}"]
        for number, step in enumerate(self.steps):
            lines.append(f"step {number}")
            for edit in step.edits:
                lines.extend(_edit_lines(edit))
            lines.append(f"  run {', '.join(map(str, step.runs)) or 'nothing'}")
        return "\n".join(lines)


def _edit_lines(edit: Edit) -> list[str]:
    if isinstance(edit, Correct):
        return [f"  correct {edit.file}", f"    from {_shown(edit.old)}", f"      to {_shown(edit.new)}"]
    word = "put into" if isinstance(edit, Put) else "delete from"
    return [f"  {word} {edit.file}", *(f"    {_shown(row)}" for row in edit.rows)]


def _shown(row: RawRow) -> str:
    ids = f"id={row.id!r} anonymous_id={row.anonymous_id!r} user_id={row.user_id!r}"
    if row.table == "aliases":
        ids += f" previous_id={row.previous_id!r}"
    if row.source == "mixpanel":
        ids += f" device_id={row.device_id!r} sequence={row.sequence!r}"
    times = f"at {row.timestamp or 'no time'} received {row.received_at or 'unknown'}"
    others = {name: getattr(row, name) for name in (*OPTIONAL, "traits")}
    return f"{times}  {ids} {' '.join(f'{name}={value!r}' for name, value in others.items() if value)}"


def still_pending(pending: set[date | None], runs: tuple[Run, ...]) -> set[date | None]:
    """The days left to run; None, for rows without a day, is settled by any run."""
    covered: set[date | None] = set().union(*(run.dates() for run in runs))
    return pending - covered - ({None} if runs else set())


def first_rows(world: World, count: int) -> list[RawRow]:
    """About so many rows, in the order they were drawn."""
    rng = world.rng
    rows = [row for _ in range(rng.choice((0, 1, 1, 2, 4))) for row in world.aliases()]
    for _ in range(rng.randint(0, 2)):
        shared = world.shared_device()
        rows += shared + (world.aliases(shared[0].anonymous_id) if rng.random() < 0.4 else [])
    rows += world.users_at_once() if rng.random() < 0.3 else []
    rows += world.clock_change() if rng.random() < 0.9 else []
    rows += [row for _ in range(rng.choice((0, 1, 1, 2))) for row in world.funnel_pass()]
    if world.settings.analytics:
        rows += [row for _ in range(rng.choice((1, 2, 4))) for row in world.touches_and_conversion()]
    while len(rows) < count:
        for row in world.burst():
            rows.append(broken(world, row) if rng.random() < 0.08 else row)
            if rng.random() < 0.06:
                rows.append(duplicate(world, rng.choice(rows[-8:])))
    return rows


def plan_runs(world: World, pending: set[date | None], is_last: bool) -> tuple[Run, ...]:
    """Runs for the days of a step: all that are pending if it is the last, else all, some, or none."""
    rng, days = world.rng, world.dates
    due = sorted(day for day in days if day in pending)
    share = 1.0 if is_last else rng.choice((1.0, 1.0, 0.5, 0.0))
    todo = rng.sample(due, round(len(due) * share))
    if due == list(days) and share == 1.0 and rng.random() < 0.25:
        return (Run(days[0], days[-1]),)
    runs: list[Run] = []
    while todo:
        first = todo.pop()
        last = min(first + rng.choice((0, 0, 0, 1, 2)) * DAY, days[-1])
        runs.append(Run(first, last))
        todo = [day for day in todo if not first <= day <= last]
    if runs and rng.random() < 0.2:
        runs.append(rng.choice(runs))
    if rng.random() < 0.15 or (is_last and not runs and None in pending):
        first, last = sorted(rng.choices(days, k=2))
        runs.insert(rng.randint(0, len(runs)), Run(first, last))
    return tuple(runs)


@cache
def history(seed: int, seeds: Seeds | None = None) -> History:
    """The history of a seed; another one with the analytics tables' seeds, for these tables too."""
    rng = Random(seed)
    world = World(rng, seeds)
    rows = first_rows(world, rng.choice((rng.randint(42, 70), rng.randint(60, 120), rng.randint(100, 200))))
    rng.shuffle(rows)
    held_back = round(len(rows) * rng.choice((0, 0.1, 0.3)))
    changes = Changes(world, Landing(), rows[:held_back], MAX_ROWS)

    edits: list[Edit] = []
    for _ in range(2):
        half = (len(rows) - held_back) // 2 + 1
        edits += changes.put(rows[held_back:][:half] if not edits else rows[held_back:][half:])
    steps: list[Step] = []
    pending: set[date | None] = {*world.dates, None}
    step_count = rng.randint(2, 6)
    for number in range(step_count):
        if number > 0:
            edits = [edit for _ in range(rng.randint(0, 5)) for edit in changes.draw()]
        pending |= changed_dates(edits, world.settings)
        runs = plan_runs(world, pending, is_last=number == step_count - 1)
        pending = still_pending(pending, runs)
        steps.append(Step(tuple(edits), runs))
    return History(seed, world.settings, world.dates, tuple(steps))


def total_rows(history: History) -> int:
    """How many rows are put altogether."""
    return sum(len(added_rows(edit)) for step in history.steps for edit in step.edits if isinstance(edit, Put))
