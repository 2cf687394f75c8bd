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

- **floor**: the quickest SQL for DuckDB that we could write (`benchmarks/floor.sql`): no checks, no increments, and
  no raw or clean events kept. Its rows are the project's rows, compared by checksum in the same run.
- **seed**: the way of RudderStack's public dbt sample (`benchmarks/seed.sql`): every table rebuilt whole from the
  ones before. Its semantics differ in the points that the file names (no duplicates removed, idle times in whole
  minutes).
- **pandas**, **polars**: a careful script (`benchmarks/dataframes.py`) that makes the sessions alone, one table of
  the eight.
- **ours**: `python -m sessionization_dagster.run` for these tables and what they need: landing, clean and rejected
  events, identities, and all checks. **everything** are the tables of all families besides.

*SQL* is dbt's own time of its models and the identity graph. *Whole* is the process from its start to its end, with
landing and tests.
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
        ),
        *(text for section in (targets_section, *tables.SECTIONS) if (text := section(summary))),
    ]
    plot = charts.plot(summary)
    if plot is not None:
        (docs / PLOT).parent.mkdir(parents=True, exist_ok=True)
        (docs / PLOT).write_text(plot)
        parts.insert(1, f"![Seconds of one more day and of merges]({PLOT})\n")
    (docs / PAGE).write_text("\n".join(parts))
