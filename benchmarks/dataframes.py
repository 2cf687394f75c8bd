"""The script that one would write instead, sessions only: `python -m benchmarks.dataframes pandas|polars LANDING OUT.parquet`.

It keeps the project's rules for what it makes: events that came twice count once, a device is its latest user's, gaps are exact. What it
leaves out: the other seven tables, rejected rows, anything incremental.
"""

from __future__ import annotations

import argparse
from pathlib import Path

TABLES = ("tracks", "pages", "identifies")
COLUMNS = ["id", "anonymous_id", "user_id", "timestamp", "received_at"]
TIMEOUT_SECONDS = 1800


def with_pandas(landing: Path, out: Path) -> None:
    """Sessions by pandas."""
    import pandas as pd

    parts = [
        pd.read_parquet(landing / "rudderstack" / table, columns=COLUMNS).assign(makes_sessions=table != "identifies")
        for table in TABLES
    ]
    events = pd.concat(parts, ignore_index=True)
    events = events.sort_values(["timestamp", "id", "received_at"], ignore_index=True)
    events["date"] = events["timestamp"].dt.floor("D")
    events = events.drop_duplicates(["id", "date"])
    both = events.dropna(subset=["anonymous_id", "user_id"])
    owners = both.drop_duplicates("anonymous_id", keep="last").set_index("anonymous_id")["user_id"]
    visitor = events["user_id"].fillna(events["anonymous_id"].map(owners)).fillna(events["anonymous_id"])
    stream = events.assign(visitor=visitor)[events["makes_sessions"]]
    stream = stream.sort_values(["visitor", "timestamp", "id"], ignore_index=True)
    gap = stream["timestamp"] - stream.groupby("visitor")["timestamp"].shift()
    starts = gap.isna() | (gap > pd.Timedelta(seconds=TIMEOUT_SECONDS))
    stream["number"] = starts.groupby(stream["visitor"]).cumsum()
    sessions = stream.groupby(["visitor", "number"], as_index=False, sort=False).agg(
        session_start_at=("timestamp", "min"), ended_at=("timestamp", "max"), events=("id", "size")
    )
    sessions.to_parquet(out)


def with_polars(landing: Path, out: Path) -> None:
    """Sessions by polars, lazily."""
    import polars as pl

    events = (
        pl.concat(
            pl.scan_parquet(landing / "rudderstack" / table / "*.parquet")
            .select(COLUMNS)
            .with_columns(makes_sessions=pl.lit(table != "identifies"))
            for table in TABLES
        )
        .sort("timestamp", "id", "received_at")
        .unique(["id", pl.col("timestamp").dt.date()], keep="first", maintain_order=True)
    )
    owners = (
        events.drop_nulls(["anonymous_id", "user_id"])
        .group_by("anonymous_id")
        .agg(owner=pl.col("user_id").sort_by("timestamp", "id").last())
    )
    timeout = pl.duration(seconds=TIMEOUT_SECONDS)
    sessions = (
        events.join(owners, on="anonymous_id", how="left")
        .with_columns(visitor=pl.coalesce("user_id", "owner", "anonymous_id"))
        .filter("makes_sessions")
        .sort("visitor", "timestamp", "id")
        .with_columns(gap=pl.col("timestamp").diff().over("visitor"))
        .with_columns(number=(pl.col("gap").is_null() | (pl.col("gap") > timeout)).cum_sum().over("visitor"))
        .group_by("visitor", "number")
        .agg(session_start_at=pl.col("timestamp").min(), ended_at=pl.col("timestamp").max(), events=pl.len())
    )
    sessions.collect().write_parquet(out)


LIBRARIES = {"pandas": with_pandas, "polars": with_polars}


def main() -> None:
    """Write the sessions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("landing", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    LIBRARIES[arguments.library](arguments.landing, arguments.out)


if __name__ == "__main__":
    main()
