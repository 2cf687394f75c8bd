"""When the sensor `unpublished_tables` asks for a run, and of which days. Toy assets on a real instance of Dagster, no dbt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from sessionization_dagster.defs.jobs import daily_sessionization
from sessionization_dagster.defs.publish_sensor import unpublished_tables_sensor
from sessionization_dagster.window import RANGE_END, RANGE_START

DAYS = dg.DailyPartitionsDefinition("2024-03-01", end_date="2024-03-11")
EVENTS, SESSIONS, OTHER, PUBLISHED = (
    dg.AssetKey(name.split("/")) for name in ("core/events", "core/sessions", "raw/tracks", "published/tables")
)
NOTHING = "All tables are published."


def asset(key: dg.AssetKey, deps: list[dg.AssetKey], fails: list[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="_".join(key.path),
        specs=[dg.AssetSpec(key, deps=deps, partitions_def=DAYS)],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def made() -> None:
        if key in fails:
            raise ValueError("broken on purpose")

    return made


class Toy:
    """Two tables, one published asset, the sensor, and its ticks."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        """Start with nothing materialised and without a cursor."""
        self.instance = instance
        self.fails: list[dg.AssetKey] = []
        deps = {EVENTS: [OTHER], SESSIONS: [EVENTS], PUBLISHED: [EVENTS, SESSIONS], OTHER: []}
        self.assets = [asset(key, needed, self.fails) for key, needed in deps.items()]
        self.sensor = unpublished_tables_sensor(
            PUBLISHED, {EVENTS, SESSIONS}, DAYS, now=lambda: datetime(2024, 3, 10, 12, tzinfo=UTC)
        )
        self.definitions = dg.Definitions(self.assets, sensors=[self.sensor], executor=dg.in_process_executor)
        self.cursor: str | None = None

    def run(self, days: str, *keys: dg.AssetKey) -> dg.ExecuteInProcessResult:
        first, _, last = days.partition("...")
        tags = {RANGE_START: first, RANGE_END: last or first}
        return dg.materialize(
            self.assets, selection=list(keys), instance=self.instance, tags=tags, raise_on_error=False
        )

    def publish(self, days: str) -> dg.ExecuteInProcessResult:
        """Carry out a request."""
        first, _, last = days.partition("...")
        job = self.definitions.resolve_job_def(str(self.sensor.job_name))
        tags = {RANGE_START: first, RANGE_END: last or first}
        return job.execute_in_process(instance=self.instance, tags=tags, raise_on_error=False)

    def tick(self) -> tuple[list[Any], str]:
        """The requests, and why there are none."""
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, repository_def=self.definitions.get_repository_def()
        )
        data = self.sensor.evaluate_tick(context)
        self.cursor = data.cursor
        return list(data.run_requests or []), data.skip_message or ""

    def requested(self) -> str:
        """The days of the tick's one request."""
        (request,), _ = self.tick()
        if request.partition_key:
            return str(request.partition_key)
        return f"{request.tags[RANGE_START]}...{request.tags[RANGE_END]}"


@pytest.fixture
def toy() -> Iterator[Toy]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Toy(instance)


def test_what_a_run_left_unpublished_is_asked_for_once(toy: Toy) -> None:
    assert toy.sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert toy.tick() == ([], NOTHING)

    # A run of everything, and one of what is not published.
    toy.run("2024-03-02", OTHER, EVENTS, SESSIONS, PUBLISHED)
    toy.run("2024-03-03", OTHER)
    assert toy.tick() == ([], NOTHING)

    # A burst is asked for in one run, when its last run has ended.
    toy.run("2024-03-04", EVENTS)
    toy.run("2024-03-06...2024-03-07", EVENTS, SESSIONS)
    job = toy.definitions.resolve_implicit_global_asset_job_def()
    unfinished = toy.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    requests, why = toy.tick()
    assert (requests, why) == ([], f"Run {unfinished.run_id[:8]} is not finished: its tables are published after it.")
    toy.instance.delete_run(unfinished.run_id)
    assert toy.requested() == "2024-03-04...2024-03-07"
    requests, why = toy.tick()
    assert not requests
    assert why.startswith("The run for 2024-03-04 to 2024-03-07 was requested before and has not succeeded")
    # Its own run, here one that fails first, is no reason for another.
    toy.fails.append(PUBLISHED)
    assert not toy.publish("2024-03-04...2024-03-07").success
    assert toy.tick()[1] == why
    toy.fails.clear()
    published = toy.publish("2024-03-04...2024-03-07")
    assert {event.asset_key for event in published.get_asset_materialization_events()} == {PUBLISHED}
    assert toy.tick() == ([], NOTHING)


def test_tables_of_a_failed_run_are_asked_for_too(toy: Toy) -> None:
    toy.fails.append(SESSIONS)
    assert not toy.run("2024-03-05", OTHER, EVENTS, SESSIONS, PUBLISHED).success
    assert toy.requested() == "2024-03-05"
    # Another run that changes a table is a reason to ask again, though the first request came to nothing.
    toy.run("2024-03-02", EVENTS)
    assert toy.requested() == "2024-03-02...2024-03-05"


def test_days_that_are_no_partitions_are_not_asked_for(toy: Toy) -> None:
    for day in (None, "2024-02-01"):
        toy.instance.report_runless_asset_event(dg.AssetMaterialization(EVENTS, partition=day))
        assert toy.requested() == "2024-03-09"
    toy.run("2024-03-01", EVENTS)
    assert toy.requested() == "2024-03-01"


@pytest.mark.parametrize("select", ['key:"core/events"', "*"])
def test_a_selection_includes_what_every_run_makes(toy: Toy, select: str) -> None:
    def selected(**options: Any) -> set[dg.AssetKey]:
        job = daily_sessionization(DAYS, [], select, **options)
        return set(job.selection.resolve(toy.assets))

    everything = {EVENTS, SESSIONS, OTHER, PUBLISHED}
    assert selected() == (everything if select == "*" else {EVENTS})
    assert selected(always=[PUBLISHED]) == (everything if select == "*" else {EVENTS, PUBLISHED})
