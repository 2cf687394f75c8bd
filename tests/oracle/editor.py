"""Edits to a landing that keep it fair: within a budget, and with an order among the rows of one event id."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from .inputs import RawRow
from .landing import Correct, Delete, Edit, Landing, Put, decidable, folder, is_decidable
from .world import World


class Editor:
    """Does edits to one landing at once, so that the next draw sees them."""

    def __init__(self, world: World, landing: Landing, budget: int) -> None:
        """Begin with how many rows may be put altogether."""
        self.world, self.rng, self.landing, self.budget = world, world.rng, landing, budget
        self._files = 0

    def put(self, rows: Iterable[RawRow]) -> list[Edit]:
        """Put rows into files of their tables, mostly new ones, as far as the budget goes."""
        allowed = decidable(rows, self.landing.rows())[: self.budget]
        self.budget -= len(allowed)
        by_file: dict[str, list[RawRow]] = defaultdict(list)
        self._files += 1
        for row in allowed:
            present = [file for file in self.landing.files if file.startswith(folder(row))]
            name = f"{folder(row)}part-{self._files}"
            by_file[self.rng.choice(present) if present and self.rng.random() < 0.2 else name].append(row)
        return self.done(Put(file, tuple(its)) for file, its in by_file.items())

    def delete(self, located: Iterable[tuple[str, RawRow]]) -> list[Edit]:
        """Delete rows."""
        by_file: dict[str, list[RawRow]] = defaultdict(list)
        for file, row in located:
            by_file[file].append(row)
        return self.done(Delete(file, tuple(rows)) for file, rows in by_file.items())

    def correct(self, file: str, old: RawRow, new: RawRow) -> list[Edit]:
        """Correct a row, unless that would leave its duplicates without an order."""
        others = self.landing.rows()
        others.remove(old)
        return self.done([Correct(file, old, new)]) if new != old and is_decidable(new, others) else []

    def done(self, edits: Iterable[Edit]) -> list[Edit]:
        """The edits, once the landing has them."""
        edits = list(edits)
        for edit in edits:
            self.landing.apply(edit)
        return edits

    def pick(self, condition: Callable[[RawRow], object], count: int = 1) -> list[tuple[str, RawRow]]:
        """Up to so many random rows that meet the condition."""
        fitting = [(file, row) for file, row in self.landing.located() if condition(row)]
        return self.rng.sample(fitting, min(count, len(fitting)))
