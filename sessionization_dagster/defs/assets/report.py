"""The visual report as an asset: one HTML page per run, in a folder or a bucket."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from sessionization_dagster import report
from sessionization_dagster.defs.assets.run_files import spec_of_files
from sessionization_dagster.defs.partitions import days_until, run_window
from sessionization_dagster.defs.pools import WRITER_POOL
from sessionization_dagster.defs.retries import retrying
from sessionization_dagster.metadata.markdown import markdown_table
from sessionization_dagster.report.answers import answers_until
from sessionization_dagster.report.folder import LATEST, Place, keep_report
from sessionization_dagster.report.parts import Headline
from sessionization_dagster.report.queries import SHOWN_DAYS, TABLES, Days
from sessionization_dagster.warehouses.base import Warehouse

KEY = dg.AssetKey(["reports", "sessions_report"])
DESCRIPTION = f"""One HTML page a run: users and sessions by day, session durations, channels, attribution, retention, pages, countries,
funnel, journeys, identity and data quality of the {SHOWN_DAYS} days up to the run's newest partition. It needs no network; {LATEST}
beside it is the same page."""


def build_report_asset(
    warehouse: Warehouse,
    place: Place,
    partitions: dg.DailyPartitionsDefinition,
    kind: str,
    made_tables: Collection[str],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.AssetsDefinition:
    """The asset of the report, which is written to the place. It depends on those of made_tables (schema.table) that the report queries.

    The page names a table that is missing. now returns the time that the page shows.
    """
    spec = spec_of_files(
        KEY,
        (dg.AssetKey(table.split(".")) for table in TABLES if table in made_tables),
        DESCRIPTION,
        {kind, "html"},
        [Path(__file__), Path(report.__file__)],
        partitions,
    )

    @dg.multi_asset(
        name="sessions_report", specs=[spec], backfill_policy=dg.BackfillPolicy.single_run(), pool=WRITER_POOL
    )
    def sessions_report(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        # The chart library takes most of a second to import, and only a run that draws needs it.
        from sessionization_dagster.report.page import build_page

        labelled = warehouse.labelled(run_id=context.run_id, asset=".".join(KEY.path))
        with retrying(context):
            with labelled.connect() as connection:
                days, answers = answers_until(connection, run_window(context).end, days_until(partitions, now()))
            page = build_page(answers, days, str(partitions.timezone), context.run_id, now())
            name = keep_report(place, page.html, days, context.run_id)
        context.log.info(f"The report on {days.first} to {days.last}: {place.address(name)}")
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(place.address(name)),
                "latest": dg.MetadataValue.path(place.address(LATEST)),
                "url": dg.MetadataValue.url(place.url(name)),
                "size_bytes": len(page.html.encode()),
                **_numbers(page.headlines, days),
            }
        )

    return sessions_report


def _numbers(headlines: Sequence[Headline], days: Days) -> Mapping[str, Any]:
    numbers = {headline.name: headline.value for headline in headlines if headline.value is not None}
    table = markdown_table(
        [f"{days.first} to {days.last}", "", ""],
        [(headline.title, headline.text, headline.note) for headline in headlines],
    )
    return {"headlines": dg.MetadataValue.md(table), **numbers}
