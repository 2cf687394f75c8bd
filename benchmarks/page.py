"""docs/performance.md and its plot, from a file of measurements: the same file gives the same page."""

from __future__ import annotations

from pathlib import Path

from benchmarks import charts, tables
from benchmarks.recorder import read_records
from benchmarks.summary import Summary
from benchmarks.targets import targets_section

PAGE, PLOT = "performance.md", Path("images") / "performance.svg"

INTRODUCTION = """# Performance

`make bench` measures this and writes this page; `make bench ARGS=--quick` does it on little data in a few minutes and
leaves the page alone, `make bench ARGS=--page` writes the page again from `benchmarks/results/latest.json`. Each
figure is the median of {repeats} measurements (one of what takes minutes besides), each of a whole process of its
own; peak memory is of the process and its children. Measured {measured_on} on {cpus} cores with {memory:.0f} GiB,
Python {python}, DuckDB {duckdb}.{earlier}

The events are made, always the same ones: few visitors make many of them (Zipf), on several devices, with log-ins on
the way, shared devices, sessions over midnight, and one in a thousand arrives twice. What is compared makes the same
eight RudderStack tables of the same files:

- **floor**: the quickest SQL for DuckDB that we could write, one table after the other (`benchmarks/floor_tables.sql`): no checks,
  no increments, and no raw or clean events kept. **floor, one pass** is the same in the project's manner: one sort, one wide table
  per grain, and views (`benchmarks/floor_one_pass.sql`). Their rows are the project's rows, compared by checksum in the same run.
- **seed**: the way of RudderStack's public dbt sample (`benchmarks/seed.sql`): every table rebuilt whole from the
  ones before. Its semantics differ in the points that the file names (no duplicates removed, idle times in whole
  minutes).
- **pandas**, **polars**: a careful script (`benchmarks/dataframes.py`) that makes the sessions alone, one table of
  the eight.
- **ours**: `sessionization run` for these tables and what they need: landing, clean and rejected
  events, identities, and all checks.{everything}

*SQL* is the time while dbt is at work on a model, or the identity graph is made. *Whole* is the process from its start to its
end, with landing and tests.
"""
EVERYTHING = " **everything** are the tables of all families besides."

REMARKS = """## What limits it

**Everything from raw files.** Both cores are busy throughout. The floor stores three tables with a row per event; writing and compressing
them takes nearly half of its time. The one-pass floor stores one wide table instead, and so does the project. The project's wide
table has the columns of all families. The project also stores `core.events` with all columns, and finds copies and rejected rows:
a third of its SQL time, and of this three fifths are writing. The seed is as fast as the floor: it removes no duplicates, and its
joins are as good as any. The time besides SQL is landing, which reads each file twice (once where a damaged file can do no harm) and
writes the raw tables; the checks, which read every row; and the figures and the report that Dagster shows.

**One more day.** The number of rows to write hardly grows with history, but some rows must be found first. On a day, about one visitor in
sixteen has a frontier further back than the evening before: a login moved a device's earlier events, some of them half a
year old. Their rows are everywhere in the tables. So a run scans `core.session_events` for their rows, and the wide tables for the rows to
delete. Each scan reads ids and times of all days from the earliest of these on, some hundred megabytes a table and year.
DuckDB has no index for joins that would avoid it. The identity graph and its pairs are read whole. The rest that a day reads does
not grow: tables are ordered by day, and blocks of other days are skipped.

**A run's fixed cost.** All but SQL and landing took 21.1 s from the command and 14.8 s warm on 365 days when it was first
measured, with dbt in the run's own process, a manifest that is parsed once, and two commands. Two figures read all history then and
read the day now: a check that compared one time or another, so that DuckDB skipped no blocks, and the row count of a
view. The rest is imports and definitions, dbt's and Dagster's own work per model and check, and some two seconds in which
DuckDB fills up blocks of storage when its file is closed. A day of 250 events took 16 to 20 s. Of these, 2 to 3 s freed Python's
objects when the process ended, and 1 s imported pandas for an empty array. Both are gone.

**Tried, and kept:**

- Deletions as joins instead of `exists`: some twenty times faster, because DuckDB makes the few ids a filter of its scan.
- Backdated rows are deleted and looked for apart from recent ones.
- A root reads its own rows again for all days that were not written. In `core.session_events` a visitor's rows of a day lie together, in
  `core.events` they do not: the search of a year takes half the time.
- The state of visitors is grouped twice, without windows: 0.4 instead of 0.6 seconds for 10 million events.
- The new rows of a table are handed to the models below it.
- Ids are compared as hashes before they are compared as texts.
- Raw rows become JSON only if they are kept.
- One model runs at a time. A large model uses both cores: two at once took a fifth longer (10 million events, all families without
  analytics: 130 s of SQL and 12.1 GiB for two at once, 110 s and 7.6 GiB for one at a time). A day takes the same time either way.
- `analytics.session_facts` computes the hosts of addresses once; four parts of its query read them. For 10 million events the model
  takes 38 s instead of 51. It takes each column of a session's first or last row by itself, not as a struct: DuckDB makes a sort key
  of every row's struct. That takes another quarter off.
- The next events of a session are looked for in the second of its two windows, which then has less to sort. This
  saves an eighth of the time of both.
- Raw files are landed several at a time, and in any order, which fills the blocks of storage. DuckDB writes blocks that are not
  full a second time when the file is closed: 9 of 104 seconds.
- The identity graph's edges are summed up over their days.
- Whole tables of more than a month are written in the order of days.
- Nested records are gathered once a call and split up in their arrays. A call's texts are gathered as one JSON array, because DuckDB copies
  each text of a list into memory of its own: `segment.segment_sessions` takes 20 seconds for 10 million events instead of 27.
- The end of each client's session is found in the windows that number its events, not by grouping the events and joining them with
  the groups: 5.2 seconds for 3 million events instead of 10.2.

**Tried, and left:**

- One DuckDB instance for a whole run instead of one a step: 0.6 of 20 s.
- Blocks that are not filled up (`max_vacuum_tasks = 0`): 2 of 20 s, but deleted rows would stay in the file.
- Backdated visitors' rows looked for by the times of their events instead of by ids: half the time of a scan, but one scan more
  to know the times.
- Models' rows in any order (`preserve_insertion_order = false`): no difference.
- Uncompressed tables: written a quarter faster, but six times as large.
- The windows of `core.session_events` over row numbers alone, with the columns joined afterwards: no less time (3 million events: 13.5
  against 12.8 seconds of processor time), and a larger file. Numbers instead of visitors' texts in the windows: no difference. Of these
  12.8 seconds, 5.1 go into writing and compressing, 1.2 of them for the event ids alone.
- Records of `segment.segment_sessions` sorted while they are gathered (`list(... order by ...)`): 12.2 instead of 8.6 seconds of
  processor time.
- One copy of the edges of the people concerned for the identity graph: a fifth slower.
- Tables of a month written in the order of days: a quarter more SQL for the full build.
"""


def _earlier(summary: Summary) -> str:
    """A sentence that names the scenarios that were measured on another date than the rest; empty if there are none."""
    dates = {record["scenario"]: record.get("measured_on") for record in summary.records[1:]}
    by_date: dict[str, list[str]] = {}
    for scenario, measured_on in sorted(dates.items()):
        if measured_on and measured_on != summary.machine["measured_on"]:
            by_date.setdefault(measured_on, []).append(scenario)
    return "".join(
        f"\nMeasured {day}, with the version of that day: {', '.join(names)}." for day, names in by_date.items()
    )


def write_page(results: Path, docs: Path) -> None:
    """Write the page and its plot below docs."""
    summary = Summary(read_records(results))
    machine = summary.machine
    parts = [
        INTRODUCTION.format(
            repeats=machine["repeats"],
            measured_on=machine["measured_on"],
            earlier=_earlier(summary),
            cpus=machine["cpus"],
            memory=machine["memory_bytes"] / 2**30,
            python=machine["python"],
            duckdb=machine["duckdb"],
            everything=EVERYTHING if summary.chosen("full", "ours, everything") else "",
        ),
        *(text for section in (targets_section, *tables.SECTIONS) if (text := section(summary))),
        REMARKS,
    ]
    plot = charts.plot(summary)
    if plot is not None:
        (docs / PLOT).parent.mkdir(parents=True, exist_ok=True)
        (docs / PLOT).write_text(plot)
        parts.insert(1, f"![Seconds of one more day and of merges]({PLOT})\n")
    (docs / PAGE).write_text("\n".join(parts))
