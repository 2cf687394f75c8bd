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
Python {python}, DuckDB {duckdb}.

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

*SQL* is the time while dbt is at work on a model, or the identity graph is made; two models can be at work at once. *Whole*
is the process from its start to its end, with landing and tests.
"""
EVERYTHING = " **everything** are the tables of all families besides."

REMARKS = """## What bounds it

**Everything from raw files.** Both cores are busy throughout. Nearly half of the floor's time goes into writing and compressing
three tables with a row per event; the project writes the same three. It writes
`core.events` besides, with all columns, and looks for copies and rejected rows: a third of its SQL time. That the seed
is as quick as the floor says that there is little to win: it removes no duplicates, and its joins are as good as any.
The time besides SQL is landing, which reads each file twice (once where a damaged one can do no harm) and writes the
raw tables; the checks, which look at every row; and the figures and the report that Dagster shows.

**One more day.** The rows to write hardly grow with history, but some must be looked for. On a day, about one visitor in
sixteen has a frontier further back than the evening before: a log-in took a device's earlier events along, some from
half a year ago. Their rows lie everywhere in the tables, so `core.events` is scanned for their ids, and three tables for the
rows to delete: each scan reads ids and times of all days from the earliest of these on, some hundred megabytes a table and year, and
DuckDB has no index for joins that would spare it. The identity graph and its pairs are read whole. What else a day reads does
not grow: tables lie in the order of days, and blocks of other days are skipped.

**A run's fixed cost.** All but SQL and landing took 21.1 s from the command and 14.8 s warm on 365 days when it was first
measured, with dbt in the run's own process, on a manifest parsed once, in two commands. Two figures read all history then and
read the day now: a check that asked for one time or another, which kept DuckDB from skipping blocks, and the row count of a
view. What is left are imports and definitions, dbt's and Dagster's own work per model and check, and some two seconds in which
DuckDB fills up blocks of storage when its file is closed.

**Tried, and kept:** deletions as joins instead of `exists` (some twenty times quicker: DuckDB turns the few ids into a filter of its
scan), and of the few far rows apart; the new rows of a table handed to the models below it; ids as hashes before they are compared
as texts; raw rows made JSON only where they are kept; far visitors looked for apart from near ones; two models at a
time; raw files landed several at a time, and in any order, which fills the blocks of storage (DuckDB writes those that are not
full a second time when the file is closed: 9 of 104 seconds); the identity graph's edges summed up over their days; whole
tables of more than a month laid out by day; nested records gathered once a call and split up in their arrays.

**Tried, and left:** one DuckDB instance for a whole run instead of one a step (0.6 of 20 s); no filling up of blocks
(`max_vacuum_tasks = 0`: 2 of 20 s, but deleted rows would stay in the file); far visitors' rows looked for by the times of their events
instead of by ids (half the time of a scan, but a scan more to know the times); models' rows in any order
(`preserve_insertion_order = false`: no difference); uncompressed tables (written a third quicker, but larger); one copy of the edges of the
people concerned for the identity graph (a fifth slower); tables of a month laid out by day (a quarter more SQL for the full build).
"""


def write_page(results: Path, docs: Path) -> None:
    """Write the page and its plot below docs."""
    summary = Summary(read_records(results))
    machine = summary.machine
    parts = [
        INTRODUCTION.format(
            repeats=machine["repeats"],
            measured_on=machine["measured_on"],
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
