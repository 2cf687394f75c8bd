"""The identity graph alone: `python -m benchmarks.identity_graph make|full|day WAREHOUSE EDGES DAY_EDGES [TIMINGS]`.

make writes core.identity_edges, 30 days of them and one more; full works the graph out for the 30 days, day adds the one more.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sessionization_dagster.identity.policies import IdentitySettings, Policy
from sessionization_dagster.identity.store import update_identity_graph
from sessionization_dagster.warehouses.duckdb import DuckDBConnection, DuckDBWarehouse
from sessionization_dagster.window import Window

FIRST_DAY = date(2023, 1, 1)
DAYS = 30
NEXT_DAY = FIRST_DAY + timedelta(days=DAYS)
WINDOWS = {"full": Window(FIRST_DAY, NEXT_DAY), "day": Window.through(NEXT_DAY, NEXT_DAY)}


def make_edges(connection: DuckDBConnection, edges: int, day_edges: int) -> None:
    """An edge is a device on a day, a third of them with a user: three devices in ten edges, three devices to a user.

    A hundredth of the edges with a user name another than the device's own: shared devices, whose owner changes.
    """
    connection.execute("create schema if not exists core")
    connection.execute(f"""
        create or replace table core.identity_edges as
        with numbers as (
            select
                n,
                hash(n) % {edges * 3 // 10} as device,
                case when n < {edges} then n % {DAYS} else {DAYS} end as day
            from range({edges + day_edges}) as r (n)
        ),
        drawn as (
            select
                *,
                case
                    when hash(n, 1) % 3 <> 0 then null
                    when hash(n, 2) % 100 = 0 then hash(n, 3) % {edges // 10}
                    else device // 3
                end as person,
                timestamp '{FIRST_DAY}' + to_days(day::int) + to_microseconds((hash(n, 4) % 86400000000)::bigint) as moment
            from numbers
        )
        select
            cast(moment as date) as event_date,
            'identifiers' as edge_type,
            md5(device::varchar) as anonymous_id,
            'user-' || person as user_id,
            cast(null as varchar) as previous_id,
            cast(null as varchar) as event_id,
            moment as first_event_at,
            md5('event' || n) as first_event_id,
            moment as last_event_at,
            md5('event' || n) as last_event_id,
            1 as event_count
        from drawn""")


def main() -> None:
    """Make the edges, or time one update of the graph."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=["make", *WINDOWS])
    parser.add_argument("warehouse", type=Path)
    parser.add_argument("edges", type=int)
    parser.add_argument("day_edges", type=int)
    parser.add_argument("--timings", type=Path)
    arguments = parser.parse_args()
    warehouse = DuckDBWarehouse(arguments.warehouse)
    if arguments.step == "make":
        with warehouse.connect() as connection:
            make_edges(connection, arguments.edges, arguments.day_edges)
        return
    began = time.perf_counter()
    settings = IdentitySettings(Policy.LATEST_USER, 5)
    update = update_identity_graph(warehouse, WINDOWS[arguments.step], settings, datetime.now(UTC).replace(tzinfo=None))
    if arguments.timings:
        parts = {"identity": time.perf_counter() - began, "rows": vars(update)}
        arguments.timings.write_text(json.dumps(parts))


if __name__ == "__main__":
    main()
