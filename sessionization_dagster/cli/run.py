"""`sessionization run`: materialises days in one run on the UI's Dagster instance, and prints progress and a summary.

The run is an ordinary run of the daily job over a range of partitions; the UI shows it like any other.
"""

from __future__ import annotations

import logging
import sys
import time
from datetime import UTC, date, datetime

import dagster as dg

from sessionization_dagster.cli.dagster_home import prepare_instance_home
from sessionization_dagster.cli.failed_checks import shown
from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.defs.day_runs import DAILY_JOB
from sessionization_dagster.defs.notifications import innermost_cause
from sessionization_dagster.defs.partitions import daily_partitions
from sessionization_dagster.defs.resources import build_warehouse
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.report.destination import report_place
from sessionization_dagster.report.folder import LATEST
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.warehouses.base import Connection
from sessionization_dagster.window import Window

#: How lines begin that are not printed: dagster-dbt's arguments for dbt, steps that do not run after a failure, and checks
#: that were not run. The steps report the last themselves.
DAGSTERS_OWN = ("A dbt subsetted execution", "Dependencies for step", "op '", "AssetCheckResult for check '")


def materialise(environment: Environment, first: date, last: date, select: str = "*") -> int:
    """Run the daily job for first..last, print progress and then the content of the warehouse, and return the exit code.

    select names the assets to run, with their checks, in Dagster's selection syntax.

    Raises:
        SettingsError: a setting cannot be used, or a day is not a partition.
    """
    started = time.monotonic()
    _require_partitions(environment, first, last)
    prepare_instance_home()
    print("Loading definitions (the first time, dbt parses the project) ...", flush=True)
    definitions = build_definitions(environment, loggers={"console": progress_logger(started)}, select=select)
    print(f"Materialising {first} to {last} in one run ...", flush=True)
    run_started, landed_since = time.monotonic(), datetime.now(UTC)
    with dg.DagsterInstance.get() as instance:
        result = definitions.resolve_job_def(DAILY_JOB).execute_in_process(
            instance=instance,
            run_config={"loggers": {"console": {}}},
            tags=Window.through(first, last).as_run_tags(),
            raise_on_error=False,
        )
    finished = time.monotonic()
    if failed := [check for check in result.get_asset_check_evaluations() if not check.passed]:
        print(f"Checks that did not pass ({len(failed)}; more of their rows with `make ui`):")
        print(shown(failed, definitions.resolve_asset_graph()), end="")
    if not result.success:
        print(f"\nThe run failed: {_reason(result)}\nIts log: `make ui`, run {result.run_id}.", file=sys.stderr)
        return 1
    counts, days = f"Ran {select}", []
    # A selection may lack the tables that are counted.
    if select == "*":
        with build_warehouse(environment).connect() as connection:
            counts = _counts(connection)
            if environment.bigquery is None:
                days = days_not_run(connection, landed_since, Window.through(first, last))
    print(_summary(environment, counts, finished - run_started, finished - started))
    if days:
        partitions = set(daily_partitions(environment).get_partition_keys())
        print(_owed([day for day in days if day.isoformat() in partitions]), end="")
    return 0


def days_not_run(connection: Connection, since: datetime, window: Window) -> list[date]:
    """Days outside the window whose raw rows came or went since a moment, by the landing's journal."""
    rows = connection.query(f"""
        select distinct day from raw.landing_changes
        where
            landed_at >= timestamp '{since.astimezone(UTC).replace(tzinfo=None)}'
            and not (day >= date '{window.start}' and day < date '{window.end}')
        order by day""")
    return [row["day"] for row in rows.to_pylist()]


def _owed(days: list[date]) -> str:
    """What to run, for days whose tables do not have all landed rows."""
    if not days:
        return ""
    which = f"{days[0]}" if len(days) == 1 else f"{len(days)} other days, {days[0]} to {days[-1]},"
    return f"""
Rows of {which} came or went too. The tables have them after
sessionization run --from {days[0]} --to {days[-1]}    (make run FROM={days[0]} TO={days[-1]})
"""


def _require_partitions(environment: Environment, first: date, last: date) -> None:
    days = daily_partitions(environment).get_partition_keys()
    for day in (first, last):
        if day.isoformat() not in days:
            raise SettingsError(
                f"{day} is no partition: they go from {days[0] if days else 'nowhere'} to {days[-1] if days else 'nowhere'}. "
                "Set SESSIONIZATION_START_DATE and SESSIONIZATION_END_DATE."
            )
    if last < first:
        raise SettingsError(f"The last day, {last}, is before the first, {first}.")


def _reason(result: dg.ExecuteInProcessResult) -> str:
    """The innermost cause of the first failed step."""
    return next((innermost_cause(event) for event in result.all_events if event.is_step_failure), "no step says why")


def progress_logger(started: float) -> dg.LoggerDefinition:
    """A console logger that prints what assets report, with the seconds since the start, and leaves out Dagster's events."""

    class Line(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            meta = getattr(record, "dagster_meta", {})
            text = meta.get("orig_message") or record.getMessage()
            if meta.get("dagster_event") is None and not text.startswith(DAGSTERS_OWN):
                print(f"  {time.monotonic() - started:6.1f} s  {text}", flush=True)

    def build(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("progress", level=logging.INFO)
        logger.addHandler(Line())
        return logger

    return dg.LoggerDefinition(build, description="Progress lines for people.")


def _counts(connection: Connection) -> str:
    """How much the warehouse holds."""
    (row,) = connection.query("""
        select
            (select count(*) from core.events) as events,
            (select count(*) from core.rejected_events) as rejected,
            (select count(distinct dbt_visitor_id) from core.identity_graph) as visitors,
            (select count(*) from core.sessions) as sessions""").to_pylist()
    return "{events:,} events, {rejected:,} rejected, {visitors:,} visitors, {sessions:,} sessions".format(**row)


def _summary(environment: Environment, counts: str, run_seconds: float, all_seconds: float) -> str:
    """The content of the warehouse, and where to look at it."""
    places = (
        f"Tables   {environment.duckdb_path}"
        if environment.bigquery is None
        else f"Tables   datasets {environment.bigquery.dataset}_* of {environment.bigquery.project}"
    )
    return f"""
{counts}
The run took {run_seconds:.0f} s, {all_seconds:.0f} s with loading Dagster and dbt.

{places}
Look     make ui (sessionization ui), then open http://127.0.0.1:3000
Report   {report_place(environment).address(LATEST)}"""
