"""`make demo`: the sample data landed, all of its days materialised on a real Dagster instance, and a summary at the end.

The run is an ordinary run of the daily job over a range of partitions; the UI shows it like any other.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import dagster as dg

from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.environment import Environment
from sessionization_dagster.instance import prepare_instance_home, remember_demo_settings
from sessionization_dagster.resources import build_warehouse

SAMPLE = Path(__file__).parent / "sample_data" / "ecom_login" / "tracks.parquet"
FIRST_DAY, LAST_DAY = date(2024, 1, 4), date(2024, 6, 29)
SAMPLE_SETTINGS = {
    "SESSIONIZATION_START_DATE": FIRST_DAY.isoformat(),
    "SESSIONIZATION_END_DATE": LAST_DAY.isoformat(),
}


def main(env: Mapping[str, str] = os.environ) -> int:
    """Run the demo with the given environment (the process's by default); returns the exit code."""
    started = time.monotonic()
    environment = Environment.from_env({**SAMPLE_SETTINGS, **env})
    print(f"Landing the sample: {SAMPLE.name} -> {environment.landing}/rudderstack/tracks/", flush=True)
    land_sample(environment.landing)
    home = prepare_instance_home()
    remember_demo_settings(home, SAMPLE_SETTINGS)
    print("Loading definitions (the first time, dbt parses the project) ...", flush=True)
    definitions = build_definitions(environment, loggers={"console": progress_logger(started)})
    print(f"Materialising every day from {FIRST_DAY} to {LAST_DAY} in one run ...", flush=True)
    backfill_started = time.monotonic()
    with dg.DagsterInstance.get() as instance:
        result = definitions.resolve_job_def("daily_sessionization").execute_in_process(
            instance=instance,
            run_config={"loggers": {"console": {}}},
            tags={
                "dagster/asset_partition_range_start": FIRST_DAY.isoformat(),
                "dagster/asset_partition_range_end": LAST_DAY.isoformat(),
            },
            raise_on_error=False,
        )
    if not result.success:
        print(f"\nThe run failed; see its log with `make ui`, run {result.run_id}.", file=sys.stderr)
        return 1
    finished = time.monotonic()
    print(summary(environment, finished - backfill_started, finished - started))
    return 0


def land_sample(landing: Path) -> None:
    """Copy the sample into the landing folder, as somebody would their own files."""
    folder = landing / "rudderstack" / "tracks"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy2(SAMPLE, folder / "ecom_login.parquet")


def progress_logger(started: float) -> dg.LoggerDefinition:
    """A console logger that prints what assets report, with the seconds since the start, and errors; not each Dagster event."""

    class Line(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            meta = getattr(record, "dagster_meta", {})
            is_event = meta.get("dagster_event") is not None
            if is_event and record.levelno < logging.ERROR:
                return
            text = meta.get("orig_message") or record.getMessage()
            print(f"  {time.monotonic() - started:6.1f} s  {text}", flush=True)

    def build(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("demo", level=logging.INFO)
        logger.addHandler(Line())
        return logger

    return dg.LoggerDefinition(build, description="Progress lines for people.")


def summary(environment: Environment, backfill_seconds: float, all_seconds: float) -> str:
    """What came out, and where to look at it."""
    with build_warehouse(environment).connect() as connection:
        (row,) = connection.query("""
            select
                (select count(*) from core.events) as events,
                (select count(*) from core.rejected_events) as rejected,
                (select count(distinct dbt_visitor_id) from core.identity_graph) as visitors,
                (select count(*) from rudderstack.dbt_session_tracks) as sessions""").to_pylist()
    return f"""
{row["events"]:,} events, {row["rejected"]:,} rejected, {row["visitors"]:,} visitors, {row["sessions"]:,} sessions
in {backfill_seconds:.0f} s ({all_seconds:.0f} s with loading).

Tables   {environment.duckdb_path}
Look     make ui   then open http://127.0.0.1:3000"""


if __name__ == "__main__":
    sys.exit(main())
