"""The sensor of published tables: it notices tables that a run has written and not published. It reads the instance, no warehouse."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime

import dagster as dg

from sessionization_dagster.defs.partitions import days_until
from sessionization_dagster.defs.sensors import SECONDS_BETWEEN_TICKS, UNFINISHED, run_request
from sessionization_dagster.window import Window


def unpublished_tables_sensor(
    published: dg.AssetKey,
    tables: Collection[dg.AssetKey],
    partitions: dg.DailyPartitionsDefinition,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.SensorDefinition:
    """Request a run of the published asset alone if any of the tables was materialised after it.

    It compares materialisations and does not look at how runs ended. A failed run may have written tables too, and Dagster's run status
    sensors do not see runs of the command line.
    """

    @dg.sensor(
        name="unpublished_tables",
        target=dg.AssetSelection.assets(published),
        minimum_interval_seconds=SECONDS_BETWEEN_TICKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Publishes tables that runs without {published.to_user_string()} wrote, once no run is unfinished.",
    )
    def unpublished_tables(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        # All writers share a pool, so a request made now would only wait for this run, and miss later ones.
        running = context.instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED), limit=1)
        if running:
            return dg.SkipReason(
                f"Run {running[0].dagster_run.run_id[:8]} is not finished: its tables are published after it."
            )
        newest = _newest_materialisations(context.instance, [published, *tables])
        published_at = newest.pop(published, 0)
        changed = {key: at for key, at in newest.items() if at > published_at}
        if not changed:
            return dg.SkipReason("All tables are published.")
        window = _window(_days_since(context.instance, changed, published_at), days_until(partitions, now()))
        run_key = str(max(changed.values()))
        if context.cursor == run_key:
            return dg.SkipReason(
                f"The run for {window.start} to {window.last} was requested before and has not succeeded: see it, and re-execute it."
            )
        return dg.SensorResult(run_requests=[run_request(window, run_key)], cursor=run_key)

    return unpublished_tables


def _newest_materialisations(instance: dg.DagsterInstance, keys: Collection[dg.AssetKey]) -> dict[dg.AssetKey, int]:
    """Asset -> number of its newest materialisation in the event log, for assets that have one."""
    found = {}
    for record in instance.get_asset_records(list(keys)):
        event = record.asset_entry.last_materialization_record
        if event is not None:
            found[record.asset_entry.asset_key] = event.storage_id
    return found


def _days_since(instance: dg.DagsterInstance, keys: Collection[dg.AssetKey], storage_id: int) -> set[date]:
    """The days that were materialised after the event with this number."""
    return {
        date.fromisoformat(day)
        for key in keys
        for day in instance.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION, after_cursor=storage_id
        )
    }


def _window(days: Collection[date], span: tuple[date, date]) -> Window:
    """From the first to the last of the days that are partitions, or else the last partition. Any run publishes all days."""
    first, last = span
    known = [day for day in days if first <= day <= last]
    return Window.through(min(known, default=last), max(known, default=last))
