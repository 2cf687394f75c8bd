"""Keeps core.user_agents up to date: one row per user agent of core.events.

internal.user_agent_days holds the user agents of each day. So a run reads only the events of its window, and of days that were written
since the last update (internal.change_queue). A user agent that is no longer on these events is removed if no other day has it.
The first run reads all events. A run with other parsers reads all user agents again.

Everything is read and computed first. The writes then take effect together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from sessionization_dagster.user_agents.parse import parse, parser
from sessionization_dagster.warehouses.base import Connection, TableLayout, Warehouse, number
from sessionization_dagster.warehouses.change_queue import (
    EVERY_DAY,
    QUEUE_TABLES,
    following,
    in_days,
    made_by,
    written_days,
)
from sessionization_dagster.window import Window

TABLES = (
    TableLayout("core", "user_agents", "user_agent varchar, browser varchar, os varchar, device_type varchar, is_bot boolean"),
    TableLayout(
        "internal", "user_agent_days", "event_date date, user_agent varchar", partitioned_by="event_date", clustered_by="user_agent"
    ),
    *QUEUE_TABLES,
)  # fmt: skip
TABLE = "user_agents"
COLUMNS = "user_agent, browser, os, device_type, is_bot"


@dataclass(frozen=True)
class UserAgentsUpdate:
    """The result of one run: the number of user agents that were read, that were removed, and that there are now."""

    parsed: int
    removed: int
    user_agents: int


def update_user_agents(warehouse: Warehouse, window: Window) -> UserAgentsUpdate:
    """Read the window's new user agents, and remove those that no day has any more."""
    with warehouse.connect() as connection:
        for table in TABLES:
            connection.create_missing(table)
        read_with = made_by(connection, TABLE)
        newest, days = written_days(connection, "events", TABLE)
        in_window = in_days([*days, *window.days]) if read_with else "true"
        is_read_anew = read_with != parser() or _is_lost(connection)
        _keep_agents(connection, in_window, is_read_anew)
        known = "" if is_read_anew else "where user_agent not in (select user_agent from core.user_agents)"
        new = connection.query(f"select user_agent from agents_now {known} order by user_agent")
        texts = new.column(0).to_pylist()
        removed = number(connection, "select count(*) as n from agents_gone")
        # pyarrow imports pandas for its first array, which takes a second. Days without new user agents do without it.
        if texts:
            connection.register("agents_read", _rows(texts))
        writes = _writes(in_window, is_read_anew, has_new=bool(texts))
        connection.in_transaction([*writes, *following(TABLE, newest, parser())])
        return UserAgentsUpdate(len(texts), removed, number(connection, "select count(*) as n from core.user_agents"))


def _is_lost(connection: Connection) -> bool:
    """Whether the table was dropped."""
    counts = [
        number(connection, f"select count(*) as n from {table}")
        for table in ("core.user_agents", "internal.user_agent_days")
    ]
    return counts[0] == 0 < counts[1]


def _keep_agents(connection: Connection, in_window: str, is_read_anew: bool) -> None:
    """Keep agents_seen (the window's, by day), agents_now (the window's texts; all days' texts if all are read) and agents_gone."""
    connection.create_temp(
        "agents_seen",
        f"""
        select distinct event_date, user_agent from core.events
        where {EVERY_DAY} and {in_window} and trim(user_agent) <> ''""",
    )
    others = f"select user_agent from internal.user_agent_days where not ({in_window})"
    connection.create_temp(
        "agents_now",
        f"select user_agent from agents_seen union {others}"
        if is_read_anew
        else "select distinct user_agent from agents_seen",
    )
    connection.create_temp(
        "agents_gone",
        f"""
        select distinct user_agent from internal.user_agent_days
        where {in_window} and user_agent not in (select user_agent from agents_now) and user_agent not in ({others})""",
    )


def _writes(in_window: str, is_read_anew: bool, has_new: bool) -> Iterator[str]:
    yield f"delete from internal.user_agent_days where {in_window}"
    yield "insert into internal.user_agent_days (event_date, user_agent) select event_date, user_agent from agents_seen"
    if is_read_anew:
        yield "delete from core.user_agents where true"
    else:
        yield "delete from core.user_agents where user_agent in (select user_agent from agents_gone)"
    if has_new:
        yield f"insert into core.user_agents ({COLUMNS}) select {COLUMNS} from agents_read"


def _rows(texts: list[str]) -> pa.Table:
    read = [parse(text) for text in texts]
    return pa.table(
        {
            "user_agent": pa.array(texts, pa.string()),
            "browser": pa.array([agent.browser for agent in read], pa.string()),
            "os": pa.array([agent.os for agent in read], pa.string()),
            "device_type": pa.array([agent.device_type for agent in read], pa.string()),
            "is_bot": pa.array([agent.is_bot for agent in read], pa.bool_()),
        }
    )
