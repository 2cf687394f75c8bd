"""What one more day costs after 30, 90 and 177 days of the sample, beside the full backfill of all 178: seconds in one run.

.venv/bin/python benchmarks/one_more_day.py

SQL is what dbt reports for models (with its own work around each), tests the same for tests; the rest is dbt's start, landing, the
identity graph and Dagster with an in-memory instance. Process start and definitions come on top, once.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import dagster as dg

from sessionization_dagster.dbt.events import Progress
from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.environment import Environment
from sessionization_dagster.sample import FIRST_DAY, LAST_DAY, land_sample

DAYS = (LAST_DAY - FIRST_DAY).days + 1


def measure(definitions: dg.Definitions, first: date, last: date, seconds: dict[str, float]) -> float:
    """Run the daily job for first..last; returns seconds, and adds those of models and tests to the dict."""
    seconds.update(models=0.0, tests=0.0)
    take = Progress.__call__

    def timed(self: Progress, event: dict) -> None:
        kind = "tests" if event["info"]["name"] == "LogTestResult" else "models"
        seconds[kind] += float(event["data"].get("execution_time", 0))
        take(self, event)

    Progress.__call__ = timed
    started = time.perf_counter()
    with dg.DagsterInstance.ephemeral() as instance:
        definitions.resolve_job_def("daily_sessionization").execute_in_process(
            instance=instance,
            tags={"dagster/asset_partition_range_start": str(first), "dagster/asset_partition_range_end": str(last)},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    Progress.__call__ = take
    return time.perf_counter() - started


def prepared(folder: Path) -> dg.Definitions:
    """Definitions on a fresh warehouse with the sample landed."""
    environment = Environment.from_env(
        {
            "SESSIONIZATION_DUCKDB_PATH": str(folder / "sessionization.duckdb"),
            "SESSIONIZATION_LANDING": str(folder / "landing"),
            "SESSIONIZATION_END_DATE": str(LAST_DAY),
        }
    )
    land_sample(environment.landing, environment.sources)
    return build_definitions(environment)


def main() -> int:
    """Print a markdown table."""
    print("| run | seconds | of them models | tests | share of the full backfill |\n| --- | --- | --- | --- | --- |")
    full = 0.0
    for history in (DAYS, 30, 90, DAYS - 1):
        with tempfile.TemporaryDirectory() as folder:
            definitions = prepared(Path(folder))
            seconds: dict[str, float] = {}
            total = measure(definitions, FIRST_DAY, FIRST_DAY + timedelta(days=history - 1), seconds)
            name = f"all {DAYS} days"
            if history < DAYS:
                day = FIRST_DAY + timedelta(days=history)
                total = measure(definitions, day, day, seconds)
                name = f"one more day after {history}"
            full = full or total
            print(
                f"| {name} | {total:.1f} | {seconds['models']:.1f} | {seconds['tests']:.1f} | {total / full:.2f} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
