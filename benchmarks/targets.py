"""What the project aims at on 2 cores and 24 GB, and what was measured: a row each, met or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.summary import Summary, ratio
from benchmarks.tables import GIB, overhead, table


@dataclass(frozen=True)
class Target:
    """An aim: at most (or at least) so much of a unit; measured is None where it was not."""

    name: str
    bound: float
    unit: str
    measured: float | None
    at_least: bool = False

    @property
    def is_met(self) -> bool | None:
        """Whether it is met; None where nothing was measured."""
        if self.measured is None:
            return None
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


def targets(summary: Summary) -> Iterator[Target]:
    """All of them."""
    sql, whole = summary.part("sql", "full", "ours"), summary.whole("full", "ours")
    yield Target("Full build, SQL, of the floor", 1.5, "×", ratio(sql, summary.part("sql", "full", "floor")))
    yield Target("Full build, whole, of the floor", 2.0, "×", ratio(whole, summary.whole("full", "floor")))
    seed = ratio(summary.part("sql", "full", "seed"), sql)
    yield Target("Full build, SQL, times faster than the seed", 1.5, "×", seed, at_least=True)
    yield Target("Full build, peak memory", 8, "GiB", _peak(summary, "full", "ours"))
    for record in summary.chosen("large", "ours"):
        memory = round(summary.machine["memory_bytes"] / GIB, 1)
        yield Target(
            f"Build of {record['events']:,} events, peak memory", memory, "GiB", _peak(summary, "large", "ours")
        )
    yield from _day_targets(summary)
    yield from _analytics_targets(summary)
    yield Target("Identity graph, all edges", 60, "s", summary.part("identity", "identity graph", "full"))
    yield Target("Identity graph, all edges, peak memory", 4, "GiB", _peak(summary, "identity graph", "full"))
    yield Target("Identity graph, a day's more", 3, "s", summary.part("identity", "identity graph", "day"))


def _day_targets(summary: Summary) -> Iterator[Target]:
    name, histories = "one more day", summary.facts("one more day", "history")
    if not histories:
        return
    longest, shortest = max(histories), min(histories)
    sql = summary.part("sql", name, "ours", history=longest)
    floor = summary.part("sql", name, "floor on the day alone")
    seed = summary.part("sql", name, "seed on all history", history=longest)
    yield Target(f"One more day on {longest}, SQL, of the floor on that day", 4, "×", ratio(sql, floor))
    flat = ratio(sql, summary.part("sql", name, "ours", history=shortest))
    yield Target(f"One more day on {longest}, SQL, of the same on {shortest}", 1.15, "×", flat)
    faster = ratio(seed, sql)
    yield Target(f"One more day on {longest}, SQL, times faster than the seed", 20, "×", faster, at_least=True)
    cold = summary.median(overhead, name, "ours", history=longest)
    yield Target("A day's run besides SQL and landing, from the command", 25, "s", cold)
    warm = summary.median(overhead, name, "ours, warm", history=longest)
    yield Target("A day's run besides SQL and landing, warm", 10, "s", warm)


def _analytics_targets(summary: Summary) -> Iterator[Target]:
    with_it, without = (summary.part("sql", "analytics", variant) for variant in ("with", "without"))
    added = None if with_it is None or without is None else with_it - without
    floor = summary.part("sql", "analytics", "floor")
    yield Target("Family analytics in full, SQL, of the floor of the eight tables", 1.0, "×", ratio(added, floor))
    days = (summary.whole("analytics", f"a day {variant}") for variant in ("with", "without"))
    yield Target("A day with the family analytics, whole, of the same without", 1.4, "×", ratio(*days))


def _peak(summary: Summary, scenario: str, variant: str) -> float | None:
    return summary.median(lambda record: record["peak_bytes"] / GIB, scenario, variant)


def targets_section(summary: Summary) -> str:
    """The targets as a table."""
    rows = []
    for target in targets(summary):
        if target.measured is not None:
            word = "at least" if target.at_least else "at most"
            met = "yes" if target.is_met else "**no**"
            rows.append(
                [target.name, f"{word} {target.bound:g} {target.unit}", f"{target.measured:.2f} {target.unit}", met]
            )
    return f"## Targets\n\n{table(['', 'target', 'measured', 'met'], rows)}\n" if rows else ""
