"""The jobs that people start and schedules run. Wiring only: the work is in rebuild/ and in the assets."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from sessionization_dagster.defs.day_runs import DAILY_JOB, run_days
from sessionization_dagster.defs.partitions import days_until
from sessionization_dagster.defs.pools import WRITER_POOL
from sessionization_dagster.defs.repair import marks
from sessionization_dagster.defs.retries import retrying
from sessionization_dagster.metadata.markdown import markdown_table
from sessionization_dagster.publishing.published_tables import publish_all, tables_to_publish
from sessionization_dagster.rebuild.full_rebuild import Rebuild
from sessionization_dagster.rebuild.pipeline import Engine
from sessionization_dagster.window import Window


def daily_sessionization(
    partitions: dg.PartitionsDefinition[str],
    leave_out: Sequence[dg.AssetChecksDefinition],
    select: str = "*",
    always: Sequence[dg.AssetKey] = (),
) -> "dg.UnresolvedAssetJobDefinition":
    """The selected assets and those of always, for a day or a range of days in one run, without the checks that have their own job."""
    selection: dg.AssetSelection
    if select == "*":
        # Includes the checks of assets that are materialised elsewhere. from_string("*") prints a warning that it is in beta.
        selection = dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks()
    else:
        selection = dg.AssetSelection.from_string(select) | dg.AssetSelection.assets(*always)
    for left_out in leave_out:
        selection = selection - dg.AssetSelection.checks(left_out)
    return dg.define_asset_job(
        name=DAILY_JOB,
        selection=selection,
        partitions_def=partitions,
        description="Lands new raw files and brings every table up to date for the chosen days: raw rows, events, identities, sessions.",
    )


def verify(checks: dg.AssetChecksDefinition) -> "dg.UnresolvedAssetJobDefinition":
    """The checks that recompute a sample of visitors."""
    return dg.define_asset_job(
        name="verify",
        selection=dg.AssetSelection.checks(checks),
        description="Recomputes a sample of visitors from their raw rows and compares them with every table: other visitors in each run.",
    )


def full_rebuild(
    engine: Engine,
    history: tuple[tuple[str, str], ...],
    partitions: dg.DailyPartitionsDefinition,
    table_keys: Sequence[dg.AssetKey],
    publish_in: Path | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.JobDefinition:
    """Rebuild every table from the raw rows, swap them in when the checks pass, and publish them in the folder, if there is one.

    table_keys are the assets behind the raw tables.
    """

    def rebuild_of(context: dg.OpExecutionContext) -> Rebuild:
        return Rebuild(engine, context.run_id[:8], history)

    def window() -> Window:
        return Window.through(*days_until(partitions, now()))

    @dg.op(
        pool=WRITER_POOL, out=dg.Out(dg.Nothing), description="Copy the raw tables and the logs into a new warehouse."
    )
    def copy_raw(context: dg.OpExecutionContext) -> None:
        with retrying(context):
            copied = rebuild_of(context).copy_raw()
        context.add_output_metadata({name: rows for name, rows in copied.items()})

    @dg.op(
        pool=WRITER_POOL, ins={"copied": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing),
        description="Make and test every table for all days. A test that must hold stops it here.",
    )  # fmt: skip
    def build_tables(context: dg.OpExecutionContext) -> None:
        tests = rebuild_of(context).build(window(), now().replace(tzinfo=None), context.log.info)
        context.add_output_metadata({"tests": tests})

    @dg.op(
        pool=WRITER_POOL, ins={"built": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing),
        description="Put the new warehouse into the old one's place, and say which tables have another number of rows.",
    )  # fmt: skip
    def swap_in(context: dg.OpExecutionContext) -> None:
        with retrying(context):
            differing = rebuild_of(context).swap_in()
        table = markdown_table(["table", "rows before", "rows now"], differing)
        context.add_output_metadata({"tables_that_differ": len(differing), "differences": dg.MetadataValue.md(table)})
        _record_materialised(context, table_keys, partitions, window())

    @dg.op(pool=WRITER_POOL, ins={"swapped": dg.In(dg.Nothing)}, description="Write the published tables again.")
    def publish(context: dg.OpExecutionContext) -> None:
        assert publish_in is not None
        with retrying(context):
            publish_all(engine.warehouse, tables_to_publish(engine.project.manifest), publish_in)

    @dg.job(
        name="full_rebuild",
        description="Rebuilds every table from the raw rows beside the old ones, and swaps them in when their checks pass.",
    )
    def job() -> None:
        swapped = swap_in(build_tables(copy_raw()))
        if publish_in:
            publish(swapped)

    return job


def _record_materialised(
    context: dg.OpExecutionContext,
    keys: Sequence[dg.AssetKey],
    partitions: dg.DailyPartitionsDefinition,
    window: Window,
) -> None:
    """Record in Dagster the days that are now in the tables and that no run had materialised."""
    days = window.as_partition_keys()
    for key in keys:
        status = context.instance.get_status_by_partition(key, days, partitions) or {}
        for day in days:
            if status.get(day) is None:
                context.log_event(dg.AssetMaterialization(asset_key=key, partition=day))


def repair(
    daily_job: Callable[[], dg.JobDefinition], check_keys: Callable[[], Iterable[dg.AssetCheckKey]]
) -> dg.JobDefinition:
    """Run the daily job again for the days that failed checks mark. check_keys returns the keys of all checks."""

    @dg.op(
        pool=WRITER_POOL,
        description="Find the days that the latest failed checks mark, and run the daily job for them.",
    )
    def rerun_marked_days(context: dg.OpExecutionContext) -> dict[str, Any]:
        found = marks(context.instance, check_keys())
        for mark in found:
            context.log.info(f"{mark.check} marks {', '.join(day.isoformat() for day in mark.days)}")
        days = {day for mark in found for day in mark.days}
        runs = run_days(context, daily_job(), days)
        context.log.info(f"{len(found)} checks marked {len(days)} days; runs: {', '.join(runs) or 'none'}.")
        return {"checks": len(found), "days": sorted(day.isoformat() for day in days), "runs": runs}

    @dg.job(name="repair", description="Runs all days again that a failed check marked.")
    def job() -> None:
        rerun_marked_days()

    return job
