"""How old a raw table's newest row is, judged by the limits of its dbt source (freshness: warn_after, error_after)."""

from __future__ import annotations

from datetime import datetime, timedelta

import dagster as dg

from sessionization_dagster.dbt.manifest import Table
from sessionization_dagster.landing import RawTable
from sessionization_dagster.landing.ledger import time_of
from sessionization_dagster.warehouses.base import Connection

SOURCE_IS_FRESH = "source_is_fresh"
# Where reads cost money, older rows are not read. This is beyond every limit that a source sets, so an older row is late in any case.
LOOKED_BACK = timedelta(days=35)


def is_fresh_spec(asset_key: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check of one raw table."""
    return dg.AssetCheckSpec(
        SOURCE_IS_FRESH,
        asset=asset_key,
        description="The newest row is not older than the source's freshness allows, now or at the end of the last partition.",
    )


def due_time(now: datetime, partitions_end: datetime | None) -> datetime:
    """The time until which rows can be expected, in naive UTC. A sample that ended in the past is judged by its own end."""
    return now if partitions_end is None else min(now, partitions_end)


def newest_row_at(
    connection: Connection, table: RawTable, due: datetime, since: datetime | None = None
) -> datetime | None:
    """The time of the newest row before the due time. Rows after it do not count: a clock that is ahead must not hide missing rows.

    Rows before `since` are not read. If a table has only such rows, `since` counts as the time of its newest row.
    """
    if table.at is None or (since is not None and table.counts_time):
        return None
    at = time_of(table)
    after = "" if since is None else f" and {at} >= timestamp '{since}'"
    (row,) = connection.query(
        f"select max({at}) as newest from raw.{table.name} where {at} <= timestamp '{due}'{after}"
    ).to_pylist()
    newest: datetime | None = row["newest"]
    if newest is not None or since is None:
        return newest
    # count(*) over a whole table does not read its rows.
    (rows,) = connection.query(f"select count(*) as row_count from raw.{table.name}").to_pylist()
    return since if rows["row_count"] else None


def is_fresh_result(
    asset_key: dg.AssetKey, source: Table, newest: datetime | None, due: datetime
) -> dg.AssetCheckResult:
    """The check's result for the source. It is a warning for both limits. A table without rows is not late."""
    limits = source.limits
    if newest is None:
        return dg.AssetCheckResult(
            asset_key=asset_key,
            check_name=SOURCE_IS_FRESH,
            passed=True,
            severity=dg.AssetCheckSeverity.WARN,
            description="no rows",
        )
    behind = due - newest
    passed = [name for name, limit in limits.items() if behind > limit]
    return dg.AssetCheckResult(
        asset_key=asset_key,
        check_name=SOURCE_IS_FRESH,
        passed=not passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"No row of the {_hours(behind)} h before {due:%Y-%m-%d %H:%M} UTC: {passed[-1]} is {_hours(limits[passed[-1]])} h."
        if passed
        else None,
        metadata={
            "newest_row": newest.isoformat(sep=" "),
            "hours_behind": _hours(behind),
            **{f"{name}_hours": _hours(limit) for name, limit in limits.items()},
        },
    )


def _hours(span: timedelta) -> float:
    return round(span / timedelta(hours=1), 2)
