"""What is measured: each function makes the data that it needs, measures the variants side by side, and checks that they agree."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.agreement import require_equal
from benchmarks.dataframes import LIBRARIES
from benchmarks.generator import Settings, generate
from benchmarks.merges import write_merges
from benchmarks.recorder import Recorder
from benchmarks.warehouse import EVERYTHING, BenchmarkWarehouse

#: All but analytics.
OTHER_FAMILIES = "rudderstack,mixpanel,segment,measure_js"
#: The floor with one sort and one wide table per grain.
ONE_PASS = "floor, one pass"
#: A run that took longer than this is not repeated.
TOO_LONG_SECONDS = 180
#: Histories with more events than this are not made a second time by the floor to compare every row.
COMPARED_EVENTS = 20_000_000


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        events: of the full build.
        days: that these lie on.
        large: events of a build that need only finish; 0: none.
        day_events: events of each day where days are added.
        histories: days of history that a day is added to.
        merge_days: how many days back merged devices reach.
        merged_devices: how many devices a merge takes.
        edges: of the identity graph; a day brings a two-hundredth of them more.
        repeats: how often each is measured.
        seed: of the made events.
    """

    events: int
    days: int
    large: int
    day_events: int
    histories: tuple[int, ...]
    merge_days: tuple[int, ...]
    merged_devices: int
    edges: int
    repeats: int
    seed: int


def sql_arguments(name: str, landing: Path, out: Path) -> list[str]:
    """The command of a build by SQL."""
    return ["benchmarks.sql_build", name, str(landing), str(out), "--timings", "{timings}"]


def full_build(sizes: Sizes, recorder: Recorder, work: Path) -> None:
    """Everything from raw files, by each variant in turn."""
    made = work / "made"
    days = generate(Settings(sizes.events, sizes.days, sizes.seed), made)
    facts: dict[str, Any] = {"events": sizes.events, "days": sizes.days}
    floor, one_pass, seed = work / "floor.duckdb", work / "one_pass.duckdb", work / "seed.duckdb"
    libraries = list(LIBRARIES)
    for repeat in range(sizes.repeats):
        recorder.measure("full", "floor", sql_arguments("floor", made, floor), **facts)
        recorder.measure("full", ONE_PASS, sql_arguments(ONE_PASS, made, one_pass), **facts)
        _run_full(recorder, work, made, days, "ours", compare_with=() if repeat else (floor, one_pass), **facts)
        recorder.measure("full", "seed", sql_arguments("seed", made, seed), **facts)
        for library in libraries.copy():
            arguments = ["benchmarks.dataframes", library, str(made), str(work / "sessions.parquet")]
            if recorder.measure("full", library, arguments, **facts)["seconds"] > TOO_LONG_SECONDS:
                libraries.remove(library)
    _run_full(recorder, work, made, days, "ours, everything", select=EVERYTHING, **facts)
    for file in (floor, one_pass, seed):
        file.unlink()
    shutil.rmtree(made)


def _run_full(
    recorder: Recorder,
    work: Path,
    made: Path,
    all_days: list[date],
    variant: str,
    compare_with: Iterable[Path] = (),
    scenario: str = "full",
    **facts: Any,
) -> None:
    warehouse = BenchmarkWarehouse(work / "ours", made, all_days[0], all_days[-1])
    warehouse.remove()
    warehouse.link(all_days)
    warehouse.run(recorder, scenario, variant, (all_days[0], all_days[-1]), **facts)
    for other in compare_with:
        recorder.write({"scenario": scenario, "variant": "rows", "rows": require_equal(warehouse.database, other)})
    warehouse.remove()


def large_build(sizes: Sizes, recorder: Recorder, work: Path) -> None:
    """A build of more events, once: it has to finish, and the floor's rows are its rows."""
    made, floor = work / "made", work / "floor.duckdb"
    days = generate(Settings(sizes.large, sizes.days, sizes.seed), made)
    facts: dict[str, Any] = {"events": sizes.large, "days": sizes.days}
    recorder.measure("large", "floor", sql_arguments("floor", made, floor), **facts)
    _run_full(recorder, work, made, days, "ours", compare_with=(floor,), scenario="large", **facts)
    floor.unlink()
    shutil.rmtree(made)


def more_days(sizes: Sizes, recorder: Recorder, work: Path) -> None:
    """One more day on each history, and on the longest one merges of people."""
    made = work / "made"
    longest = max(sizes.histories)
    settings = Settings(sizes.day_events * (longest + sizes.repeats), longest + sizes.repeats, sizes.seed)
    days = generate(settings, made)
    for day in days[longest:]:
        arguments = [*sql_arguments("floor", made, work / "floor.duckdb"), "--files", day.isoformat()]
        recorder.measure("one more day", "floor on the day alone", arguments, day_events=sizes.day_events)
    for history in sizes.histories:
        # The same days are added to each history.
        _add_days(sizes, recorder, work, made, days[longest - history : longest], days[longest:])
    shutil.rmtree(made)


def _add_days(sizes: Sizes, recorder: Recorder, work: Path, made: Path, history: list[date], added: list[date]) -> None:
    last_day = added[-1] + timedelta(days=len(sizes.merge_days) * sizes.repeats)
    warehouse = BenchmarkWarehouse(work / "ours", made, history[0], last_day)
    warehouse.remove()
    warehouse.link(history)
    facts: dict[str, Any] = {"history": len(history), "day_events": sizes.day_events}
    warehouse.run(recorder, "history", "ours", (history[0], history[-1]), **facts)
    for day in added:
        warehouse.link([day])
        warehouse.run(recorder, "one more day", "ours", (day, day), **facts)
    for _ in range(sizes.repeats):
        warehouse.run(recorder, "one more day", "ours, warm", (added[-1], added[-1]), warm=True, **facts)
    for _ in range(sizes.repeats):
        arguments = sql_arguments("seed", warehouse.landing, work / "seed.duckdb")
        record = recorder.measure("one more day", "seed on all history", arguments, **facts)
        if record["seconds"] > TOO_LONG_SECONDS:
            break
    (work / "seed.duckdb").unlink()
    if len(history) * sizes.day_events <= COMPARED_EVENTS:
        floor = work / "floor.duckdb"
        recorder.measure(
            "one more day", "floor on all history", sql_arguments("floor", warehouse.landing, floor), **facts
        )
        recorder.write(
            {"scenario": "one more day", "variant": "rows", **facts, "rows": require_equal(warehouse.database, floor)}
        )
        floor.unlink()
    if len(history) == max(sizes.histories):
        _merge_people(sizes, recorder, warehouse, added[-1], _reachable(sizes.merge_days, len(history)))
    warehouse.remove()


def _reachable(merge_days: Iterable[int], history: int) -> list[int]:
    return [days for days in merge_days if days <= history]


def _merge_people(
    sizes: Sizes, recorder: Recorder, warehouse: BenchmarkWarehouse, last_day: date, merge_days: list[int]
) -> None:
    """Days on which nothing happens but that devices seen for N days turn out to be of people."""
    day = last_day
    for reach in merge_days:
        for _ in range(sizes.repeats):
            day += timedelta(days=1)
            found = write_merges(warehouse, day, last_day - timedelta(days=reach), sizes.merged_devices)
            facts: dict[str, Any] = {"reach_days": reach, "devices": found.devices, "later_events": found.later_events}
            warehouse.run(recorder, "merge", "ours", (day, day), **facts)


def analytics(sizes: Sizes, recorder: Recorder, work: Path) -> None:
    """The family analytics: everything is built with it and without it, then a day is added to each."""
    made, floor = work / "made", work / "floor.duckdb"
    days = generate(Settings(sizes.events, sizes.days, sizes.seed), made)
    facts: dict[str, Any] = {"events": sizes.events, "days": sizes.days}
    recorder.measure("analytics", "floor", sql_arguments("floor", made, floor), **facts)
    floor.unlink()
    history, added = days[: -sizes.repeats], days[-sizes.repeats :]
    for variant, families in (("without", OTHER_FAMILIES), ("with", "")):
        warehouse = BenchmarkWarehouse(work / "ours", made, days[0], days[-1], families)
        warehouse.remove()
        warehouse.link(history)
        warehouse.run(recorder, "analytics", variant, (history[0], history[-1]), EVERYTHING, **facts)
        for day in added:
            warehouse.link([day])
            warehouse.run(recorder, "analytics", f"a day {variant}", (day, day), EVERYTHING, **facts)
        warehouse.remove()
    shutil.rmtree(made)


def identity_graph(sizes: Sizes, recorder: Recorder, work: Path) -> None:
    """The graph of many edges, and a day's more."""
    made, used = work / "edges" / "sessionization.duckdb", work / "graph" / "sessionization.duckdb"
    used.parent.mkdir(exist_ok=True)
    counts = [str(sizes.edges), str(sizes.edges // 200)]
    recorder.measure("identity graph", "made", ["benchmarks.identity_graph", "make", str(made), *counts])
    for _ in range(sizes.repeats):
        shutil.copyfile(made, used)
        for step in ("full", "day"):
            arguments = ["benchmarks.identity_graph", step, str(used), *counts, "--timings", "{timings}"]
            recorder.measure("identity graph", step, arguments, edges=sizes.edges, day_edges=sizes.edges // 200)
    shutil.rmtree(made.parent)
    shutil.rmtree(used.parent)


def parsing(sizes: Sizes, recorder: Recorder, work: Path) -> None:
    """What a change of the dbt project's files costs the next start; parsed once before, so that all find the manifest."""
    for _ in range(sizes.repeats):
        recorder.measure("parse", "dbt", ["benchmarks.parse", "--timings", "{timings}"])


SCENARIOS = {
    "parse": parsing,
    "full": full_build,
    "more-days": more_days,
    "analytics": analytics,
    "identity": identity_graph,
    "large": large_build,
}
