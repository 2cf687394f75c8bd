"""How far a raw table's newest row lies behind, judged by what its dbt source declares (freshness: warn_after, error_after)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from sessionization_dagster.landing import RawTable
from sessionization_dagster.landing.ledger import time_of
from sessionization_dagster.warehouses.base import Connection

SOURCE_IS_FRESH = "source_is_fresh"
# Where reading costs money, no older rows are looked for. Beyond every limit that a source sets: older is late, however old it is.
LOOKED_BACK = timedelta(days=35)


def is_fresh_spec(asset_key: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check of one raw table."""
    return dg.AssetCheckSpec(
        SOURCE_IS_FRESH,
        asset=asset_key,
        description="The newest row is not older than the source's freshness allows, now or at the end of the last partition.",
    )


def due_time(now: datetime, partitions_end: datetime | None) -> datetime:
    """Until when rows can be expected: a sample that ended in the past is judged by its own end. Naive UTC."""
    return now if partitions_end is None else min(now, partitions_end)


def newest_row_at(
    connection: Connection, table: RawTable, due: datetime, since: datetime | None = None
) -> datetime | None:
    """The newest row's time, of the rows before the due time: a clock that is ahead must not hide that rows are missing.

    since: rows before are not read; a table that has only such counts as one whose newest row is of then.
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
    # Counting all rows reads none of them.
    (rows,) = connection.query(f"select count(*) as row_count from raw.{table.name}").to_pylist()
    return since if rows["row_count"] else None


def is_fresh_result(
    asset_key: dg.AssetKey, node: Mapping[str, Any], newest: datetime | None, due: datetime
) -> dg.AssetCheckResult:
    """The check's result for the source node; it warns, whichever limit is passed. A table without rows is not late."""
    limits = {name: limit for name in ("warn_after", "error_after") if (limit := _limit(node, name)) is not None}
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


def _limit(node: Mapping[str, Any], name: str) -> timedelta | None:
    """A threshold of a dbt source as a span of time."""
    threshold = (node.get("freshness") or {}).get(name) or {}
    return timedelta(**{f"{threshold['period']}s": threshold["count"]}) if threshold.get("count") else None


def _hours(span: timedelta) -> float:
    return round(span / timedelta(hours=1), 2)
