"""The page's tables: one function per section, each with a summary; an empty text where nothing of it was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.recorder import Record
from benchmarks.summary import Summary, ratio

GIB, MB = 2**30, 10**6
PARTS = {
    "start": "Process, imports, definitions",
    "landing": "Landing",
    "identity": "Identity graph",
    "models": "dbt models",
    "tests": "dbt tests",
    "dbt": "dbt's start and end",
    "dagster": "Dagster, metadata, report",
}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown; all but the first column to the right."""
    lines = [head, [":---" if place == 0 else "---:" for place in range(len(head))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _times(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} ×"


def full_build(summary: Summary) -> str:
    """The full build by all variants, beside the floor."""
    rows = []
    floor = summary.part("sql", "full", "floor"), summary.whole("full", "floor")
    for variant in ("floor", "floor, one pass", "ours", "ours, everything", "seed", "pandas", "polars"):
        whole = summary.whole("full", variant)
        if whole is None:
            continue
        sql = summary.part("sql", "full", variant)
        facts = summary.chosen("full", variant)[0]
        peak = summary.median(lambda record: record["peak_bytes"] / GIB, "full", variant)
        read = summary.median(lambda record: record["read_bytes"] / MB, "full", variant)
        rows.append(
            [
                variant,
                _seconds(sql),
                _times(ratio(sql, floor[0])),
                _seconds(whole),
                _times(ratio(whole, floor[1])),
                f"{facts['events'] / whole:,.0f}",
                f"{peak:.2f}",
                f"{read:,.0f}",
            ]
        )
    if not rows:
        return ""
    head = ["", "SQL s", "of the floor", "whole s", "of the floor", "events a second", "peak GiB", "read MB"]
    facts = (summary.chosen("full", "floor") or summary.chosen("full", "ours"))[0]
    title = f"## Everything from raw files: {facts['events']:,} events on {facts['days']} days\n"
    return f"{title}\n{table(head, rows)}\n"


def split(summary: Summary) -> str:
    """Where the seconds of the project's runs go."""
    longest = max(summary.facts("one more day", "history"), default=None)
    runs = [
        ("full build", "full", "ours", {}),
        ("everything", "full", "ours, everything", {}),
        ("one more day", "one more day", "ours", {"history": longest}),
        ("the same, warm", "one more day", "ours, warm", {"history": longest}),
    ]
    runs = [run for run in runs if summary.chosen(run[1], run[2], **run[3])]
    rows = []
    for part, title in PARTS.items():
        rows.append(
            [title, *(_seconds(summary.part(part, scenario, variant, **facts)) for _, scenario, variant, facts in runs)]
        )
    rows.append(
        ["of the models, DuckDB at work"]
        + [_seconds(summary.part("statements", scenario, variant, **facts)) for _, scenario, variant, facts in runs]
    )
    overheads = [summary.median(overhead, scenario, variant, **facts) for _, scenario, variant, facts in runs]
    rows.append(["all but SQL and landing", *map(_seconds, overheads)])
    parse = summary.part("parse", "parse", "dbt")
    said = (
        f"\nAfter a change of the dbt project's files, the next start parses them once: {parse:.1f} s.\n"
        if parse
        else ""
    )
    warm = "Warm is a second run in a process that has imported everything, as in a daemon; its first row holds the run before, too.\n"
    return (
        f"## Where the seconds go\n\n{warm}\n{table(['seconds', *(run[0] for run in runs)], rows)}\n{said}"
        if runs
        else ""
    )


def overhead(record: Record) -> float:
    """Seconds besides SQL and landing: of the run alone where the process was warm."""
    parts = record["parts"]
    whole = parts["run"] if record["variant"].endswith("warm") else record["seconds"]
    return float(whole - parts["sql"] - parts["landing"])


def one_more_day(summary: Summary) -> str:
    """One more day on ever longer histories."""
    name, rows = "one more day", []
    histories = summary.facts(name, "history")
    floor = summary.part("sql", name, "floor on the day alone")
    shortest = summary.part("sql", name, "ours", history=min(histories, default=0))
    for history in histories:
        sql, whole = summary.part("sql", name, "ours", history=history), summary.whole(name, "ours", history=history)
        seed = summary.part("sql", name, "seed on all history", history=history)
        peak = summary.median(lambda record: record["peak_bytes"] / GIB, name, "ours", history=history)
        rows.append(
            [
                f"{history} days",
                _seconds(sql),
                _times(ratio(sql, floor)),
                _times(ratio(sql, shortest)),
                _seconds(whole),
                _seconds(seed),
                _times(ratio(seed, sql)),
                f"{peak:.2f}",
            ]
        )
    if not rows:
        return ""
    head = [
        "history",
        "SQL s",
        "of the floor on that day",
        "of the shortest history",
        "whole s",
        "seed, all history s",
        "seed / ours, SQL",
        "peak GiB",
    ]
    events = summary.chosen(name, "ours")[0]["day_events"]
    title = f"## One more day of {events:,} events\n\nThe floor on that day alone takes {_seconds(floor)} s.\n"
    return f"{title}\n{table(head, rows)}\n"


def histories(summary: Summary) -> str:
    """What it took to build the histories that days were added to."""
    rows = [
        [
            f"{record['history']} days",
            f"{record['history'] * record['day_events']:,}",
            _seconds(record["parts"]["sql"]),
            _seconds(record["seconds"]),
            f"{record['peak_bytes'] / GIB:.2f}",
        ]
        for record in summary.records
        if record["scenario"] == "history"
    ]
    title = (
        "## The histories, each built in one run\n\n"
        "DuckDB takes up to its memory limit, four fifths of the machine's, and goes on on disk from there.\n"
    )
    return f"{title}\n{table(['history', 'events', 'SQL s', 'whole s', 'peak GiB'], rows)}\n" if rows else ""


def merges(summary: Summary) -> str:
    """What each merge cost: one differs from another in how far back it reaches, and in how many events that moves."""
    records = [record for record in summary.records if record["scenario"] == "merge"]
    rows = [
        [
            f"{record['reach_days']} days",
            f"{record['devices']:,}",
            f"{record['later_events']:,}",
            _seconds(record["parts"]["sql"]),
        ]
        for record in sorted(records, key=lambda record: record["later_events"])
    ]
    head = ["devices first seen before", "devices", "their events since", "SQL s"]
    title = (
        "## Merges of people\n\n"
        "Days on which devices of nobody turn out, in pairs, to be one person's, and nothing else; each measured once.\n"
    )
    return f"{title}\n{table(head, rows)}\n" if rows else ""


def identity_graph(summary: Summary) -> str:
    """The identity graph alone."""
    rows = []
    for step, title in (("full", "all edges"), ("day", "a day's more")):
        records = summary.chosen("identity graph", step)
        if records:
            edges = records[0]["edges" if step == "full" else "day_edges"]
            peak = summary.median(lambda record: record["peak_bytes"] / GIB, "identity graph", step)
            rows.append(
                [title, f"{edges:,}", _seconds(summary.part("identity", "identity graph", step)), f"{peak:.2f}"]
            )
    return f"## The identity graph\n\n{table(['', 'edges', 's', 'peak GiB'], rows)}\n" if rows else ""


def large_build(summary: Summary) -> str:
    """The build that has to finish."""
    rows = []
    for variant in ("floor", "ours"):
        for record in summary.chosen("large", variant):
            parts = record["parts"]
            rows.append(
                [variant, _seconds(parts["sql"]), _seconds(record["seconds"]), f"{record['peak_bytes'] / GIB:.2f}"]
            )
    if not rows:
        return ""
    events = next(
        record["events"] for record in summary.records if record["scenario"] == "large" and "events" in record
    )
    return f"## {events:,} events, once\n\n{table(['', 'SQL s', 'whole s', 'peak GiB'], rows)}\n"


SECTIONS: tuple[Callable[[Summary], str], ...] = (
    full_build, split, one_more_day, histories, merges, identity_graph, large_build,
)  # fmt: skip
