"""Days and windows: half-open, in the reporting timezone, across clock changes."""

from datetime import date

import dagster as dg
import pytest

from sessionization_dagster.defs.partitions import daily_partitions, run_window
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.window import Window


def test_first_and_last_day_are_both_partitions() -> None:
    environment = Environment.from_env({"SESSIONIZATION_END_DATE": "2024-01-06"})
    assert daily_partitions(environment).get_partition_keys() == ["2024-01-04", "2024-01-05", "2024-01-06"]


def test_a_window_ends_after_it_starts() -> None:
    with pytest.raises(ValueError, match="end after its start"):
        Window(date(2024, 1, 4), date(2024, 1, 4))


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_a_runs_window_covers_its_range_of_days(timezone: str) -> None:
    # New York's clocks change on 2024-03-10: that day has 23 hours.
    partitions = daily_partitions(Environment.from_env({"SESSIONIZATION_TIMEZONE": timezone}))
    seen: list[Window] = []

    @dg.asset(partitions_def=partitions, backfill_policy=dg.BackfillPolicy.single_run())
    def probe(context: dg.AssetExecutionContext) -> None:
        seen.append(run_window(context))

    assert dg.materialize([probe], partition_key="2024-03-10").success
    tags = {"dagster/asset_partition_range_start": "2024-03-09", "dagster/asset_partition_range_end": "2024-03-11"}
    assert dg.materialize([probe], tags=tags).success
    assert seen == [Window(date(2024, 3, 10), date(2024, 3, 11)), Window(date(2024, 3, 9), date(2024, 3, 12))]


def test_window_as_dbt_vars_is_half_open() -> None:
    assert Window(date(2024, 1, 4), date(2024, 1, 5)).as_dbt_vars() == {
        "partition_start": "2024-01-04",
        "partition_end": "2024-01-05",
    }
