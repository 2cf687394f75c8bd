"""Medians of measurements, by what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import median
from typing import Any

from benchmarks.recorder import Record


class Summary:
    """The records of one file.

    A figure is asked for by scenario, variant and facts, and is None where nothing was measured.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self.records = list(records)
        self.machine = next(record for record in self.records if record["scenario"] == "machine")

    def chosen(self, scenario: str, variant: str, **facts: Any) -> list[Record]:
        """The measurements of one thing."""
        wanted = {"scenario": scenario, "variant": variant, **facts}
        return [record for record in self.records if all(record.get(name) == value for name, value in wanted.items())]

    def facts(self, scenario: str, name: str) -> list[int]:
        """The different values of a fact, in order."""
        return sorted({record[name] for record in self.records if record["scenario"] == scenario and name in record})

    def median(self, value: Callable[[Record], float], scenario: str, variant: str, **facts: Any) -> float | None:
        """The median of a value of the chosen records."""
        found = [value(record) for record in self.chosen(scenario, variant, **facts)]
        return median(found) if found else None

    def whole(self, scenario: str, variant: str, **facts: Any) -> float | None:
        """Seconds of the process."""
        return self.median(lambda record: record["seconds"], scenario, variant, **facts)

    def part(self, name: str, scenario: str, variant: str, **facts: Any) -> float | None:
        """Seconds of a part of it; of all of it where the variant has no parts."""
        return self.median(lambda record: record["parts"].get(name, record["seconds"]), scenario, variant, **facts)


def ratio(one: float | None, other: float | None) -> float | None:
    """One divided by the other, where both were measured."""
    return None if one is None or not other else one / other
