"""The daemon's sensors: late data, and failed runs. They read and request; late_data/ decides what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import dagster as dg

from sessionization_dagster.defs.notifications import FailedRun, Notifier, innermost_cause
from sessionization_dagster.defs.partitions import days_until
from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.landing import LandingError
from sessionization_dagster.late_data.arrivals import Arrivals
from sessionization_dagster.late_data.plan import Change, Cursor, Plan, plan
from sessionization_dagster.window import RANGE_END, RANGE_START, Window

LATE_DATA = "late_data"
# A tick reads only a folder's listing and a journal. It can run often, so days with a late file are rerun within minutes.
SECONDS_BETWEEN_TICKS = 60
# Where reads cost money: a tick queries each raw table for its rows of the last days.
SECONDS_BETWEEN_BILLED_TICKS = 3600
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]  # fmt: skip


def late_data_sensor(
    job: dg.UnresolvedAssetJobDefinition,
    partitions: dg.DailyPartitionsDefinition,
    arrivals: Arrivals,
    day_assets: Sequence[dg.AssetKey],
    max_lateness_days: int,
    seconds_between_ticks: int = SECONDS_BETWEEN_TICKS,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.SensorDefinition:
    """Request the daily job for days whose raw rows changed after they had run, one range at a time.

    Only the newest max_lateness_days partitions are rerun; rows of older days are counted in a warning. day_assets are the assets that a
    run replaces by day: a day has run since a moment if all of them were materialised after that moment.
    """

    @dg.sensor(
        name=LATE_DATA,
        job=job,
        minimum_interval_seconds=seconds_between_ticks,
        description=f"Runs days again whose raw rows changed after they had run, up to {max_lateness_days} days back.",
    )
    def late_data(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        running = context.instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED), limit=1)
        if running:
            return dg.SkipReason(
                f"Run {running[0].dagster_run.run_id[:8]} is not finished. Its files and days are seen after it."
            )
        at = now()
        first, last = days_until(partitions, at)
        first = max(first, last - timedelta(days=max_lateness_days - 1))
        cursor = Cursor.from_text(context.cursor)
        seen_at = at.astimezone(UTC).replace(tzinfo=None)
        try:
            arrived = arrivals.since(cursor, seen_at, first)
        except (WarehouseError, LandingError) as error:
            return dg.SkipReason(str(error))
        for path in arrived.too_large:
            context.log.warning(
                f"{path} is too large to look into here: a run of {last} lands it, and the journal then shows its days."
            )
        to_land = [Change(last, 0, seen_at, f"large {path}") for path in arrived.too_large]
        decided = plan(
            [*cursor.pending, *arrived.changes, *to_land],
            (first, last),
            partial(_has_run, context.instance, day_assets),
            cursor.requested,
        )
        if decided.too_old:
            context.log.warning(_too_old(decided, first))
        requested = (*cursor.requested, decided.run_key) if decided.request else cursor.requested
        remembered = replace(arrived.cursor, pending=decided.pending, requested=requested if decided.pending else ())
        return dg.SensorResult(
            run_requests=[run_request(decided.request, decided.run_key)] if decided.request else [],
            skip_reason=None if decided.request else _nothing_to_request(decided),
            asset_events=_observations(arrived.observed),
            cursor=remembered.as_text(),
        )

    return late_data


def _observations(observed: Mapping[str, Mapping[str, int]]) -> list[dg.AssetObservation]:
    """Observations of raw tables that Dagster does not materialise."""
    return [
        dg.AssetObservation(
            asset_key=dg.AssetKey(["raw", name]),
            description="Rows of each day, of those received lately.",
            metadata={
                "rows": sum(by_day.values()),
                "newest_day": max(by_day, default="none"),
                "rows_by_day": dict(by_day),
            },
        )
        for name, by_day in observed.items()
    ]


def _too_old(decided: Plan, first: date) -> str:
    rows = sum(decided.too_old.values())
    days = ", ".join(day.isoformat() for day in sorted(decided.too_old))
    return (
        f"{rows} rows changed on {len(decided.too_old)} days before {first}, further back than max_lateness_days reaches: not run again. "
        f"To take them in, materialise {days}."
    )


def _nothing_to_request(decided: Plan) -> str:
    if decided.pending:
        days = ", ".join(sorted({change.day.isoformat() for change in decided.pending}))
        return f"The run for {days} was requested before and has not succeeded: see it, and re-execute it."
    if decided.not_run:
        return (
            f"Rows came for {len(decided.not_run)} days that have never run: the schedule or a backfill sees to them."
        )
    return "No late data."


def run_request(window: Window, run_key: str) -> dg.RunRequest:
    """The request of a run for the window's days."""
    if window.start == window.last:
        return dg.RunRequest(run_key=run_key, partition_key=window.start.isoformat())
    return dg.RunRequest(run_key=run_key, tags=window.as_run_tags())


def _has_run(instance: dg.DagsterInstance, assets: Sequence[dg.AssetKey], day: date, since: datetime | None) -> bool:
    """Whether all of the assets were materialised for the day: after the moment (naive UTC), or ever."""
    timestamp = since.replace(tzinfo=UTC).timestamp() if since else None
    return all(
        instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=key, asset_partitions=[day.isoformat()], after_timestamp=timestamp), limit=1
        ).records
        for key in assets
    )


def failure_sensor(notifier: Notifier) -> dg.SensorDefinition:
    """Notify people of every failed run. On by default: otherwise a failure is noticed only when numbers are missing."""

    @dg.run_failure_sensor(
        name="failed_runs",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Reports failed runs: in the daemon's log, or by a post to SESSIONIZATION_ALERT_WEBHOOK.",
    )
    def failed_runs(context: dg.RunFailureSensorContext) -> None:
        tags: Mapping[str, str] = context.dagster_run.tags
        days = tags.get("dagster/partition") or "...".join(
            dict.fromkeys(tags[name] for name in (RANGE_START, RANGE_END) if name in tags)
        )
        notifier.notify(
            FailedRun(
                run_id=context.dagster_run.run_id,
                job=context.dagster_run.job_name,
                partitions=days,
                steps=tuple(
                    f"{event.step_key}: {innermost_cause(event)}" for event in context.get_step_failure_events()
                ),
                message=context.failure_event.message or "",
            ),
            context.log,
        )

    return failed_runs
