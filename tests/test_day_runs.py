"""Runs that a job starts from within itself, on an instance whose pool has room for one run."""

from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from sessionization_dagster.defs.day_runs import DAILY_JOB, STARTED_BY, DayRunError, run_days
from sessionization_dagster.defs.pools import WRITER_POOL
from sessionization_dagster.window import Window, ranges

INSTANCE = "concurrency: {pools: {default_limit: 1, granularity: run}}\ntelemetry: {enabled: false}\n"


def jobs(fails: bool = False) -> dg.Definitions:
    partitions = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-10")

    @dg.asset(partitions_def=partitions, pool=WRITER_POOL, backfill_policy=dg.BackfillPolicy.single_run())
    def table(context: dg.AssetExecutionContext) -> None:
        if fails:
            raise ValueError

    @dg.op(pool=WRITER_POOL)
    def mend(context: dg.OpExecutionContext) -> None:
        run_days(context, definitions.resolve_job_def(DAILY_JOB), [date(2024, 1, 4), date(2024, 1, 2)])

    @dg.job(executor_def=dg.in_process_executor)
    def mending() -> None:
        mend()

    definitions = dg.Definitions(
        assets=[table],
        jobs=[dg.define_asset_job(DAILY_JOB, partitions_def=partitions), mending],
        executor=dg.in_process_executor,
    )
    return definitions


def test_a_run_inside_a_run_holds_the_same_place_in_the_pool(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(INSTANCE)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        result = jobs().resolve_job_def("mending").execute_in_process(instance=instance)
        (inner,) = [run for run in instance.get_runs() if run.job_name == DAILY_JOB]
        assert inner.status is dg.DagsterRunStatus.SUCCESS
        assert inner.tags[STARTED_BY] == result.run_id
        assert instance.get_materialized_partitions(dg.AssetKey("table")) == {"2024-01-02", "2024-01-03", "2024-01-04"}
        with pytest.raises(DayRunError, match=r"of daily_sessionization for 2024-01-02 to 2024-01-04 failed"):
            jobs(fails=True).resolve_job_def("mending").execute_in_process(instance=instance)


def test_days_near_each_other_share_a_run() -> None:
    days = [date(2024, 1, 20), date(2024, 1, 1), date(2024, 1, 8), date(2024, 1, 1), date(2024, 1, 16)]
    assert ranges(days, near=7) == [
        Window.through(date(2024, 1, 1), date(2024, 1, 8)),
        Window.through(date(2024, 1, 16), date(2024, 1, 20)),
    ]
    assert ranges([]) == []
