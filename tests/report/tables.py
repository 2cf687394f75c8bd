"""Output tables made by hand, without dbt: some random rows of what the report reads, with names that want to break out of a page."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

from sessionization_dagster.report.answers import ask
from sessionization_dagster.report.queries import TABLES, Answer, Days
from sessionization_dagster.warehouses.base import Connection, TableLayout
from sessionization_dagster.warehouses.duckdb import DuckDBConnection

PROMISED = yaml.safe_load((Path(__file__).parents[2] / "docs" / "tables.yml").read_text())
TYPES = {
    "text": "varchar",
    "timestamp": "timestamp",
    "date": "date",
    "integer": "bigint",
    "number": "double",
    "json": "json",
}

ARROW = {
    "varchar": pa.string(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "json": pa.string(),
}

DAYS = Days(date(2024, 2, 20), date(2024, 3, 20))
HOSTILE = [
    "</script><img src=x onerror=window.broken=1>",
    "<!--<script>",
    "\"onmouseover='window.broken=1'",
    "{{ 7*7 }} &lt;b&gt; & \\u003c",
    "]]> \u2028 ',\"",
    "javascript:window.broken=1",
    "https://tracker.example/pixel.gif",
]

Rows = list[dict[str, Any]]
Tables = dict[str, Rows]


def random_tables(seed: int, names: list[str] = HOSTILE) -> Tables:
    """Rows for every table that the report reads, from ten days before the report's days to ten days after."""
    draw = random.Random(seed)
    days = [DAYS.first + timedelta(days=number) for number in range(-10, len(DAYS.all()) + 10)]

    def one(choices: list[Any]) -> Any:
        return draw.choice(choices)

    def name() -> str:
        return one(names)

    def at(day: date) -> datetime:
        return datetime(day.year, day.month, day.day) + timedelta(seconds=draw.randrange(86400))

    visitors = [f"v{number}" for number in range(40)]
    minutes = [0, 0.5, 0.999, 1, 4.9, 5, 14.99, 15, 29.9, 30, 59, 60, 119.9, 120, 500]
    tables: Tables = {table: [] for table in TABLES}
    for _ in range(1500):
        day = one(days)
        session = f"s{draw.randrange(300)}"
        tables["core.events"].append({"event_date": day, "source": one(["rudderstack", name()]), "timestamp": at(day)})
        tables["rudderstack.dbt_track_facts"].append({"event_date": day, "dbt_visitor_id": one(visitors)})
        tables["rudderstack.dbt_session_duration"].append({"session_start_date": day, "session_duration": one(minutes)})
        tables["measure_js.events_sessionated"].append(
            {
                "event_date": day,
                "url": one(
                    [name(), f"/page/{draw.randrange(30)}", f"/page/{draw.randrange(30)}?q={draw.randrange(9)}", None]
                ),
                "country": one([name(), None]),
                "client_id": one(visitors),
                "session_id": session,
            }
        )
        length = draw.randrange(1, 6)
        path = [one([names[0], names[2], None]) for _ in range(length)] + [None] * (5 - length)
        flow = dict(zip(("event", "event_2", "event_3", "event_4", "event_5"), path, strict=True))
        tables["rudderstack.dbt_tracks_flow"].append(
            {"event_date": day, "track_sequence_number": one([1, 1, 2]), **flow}
        )
    for day in days:
        for number, stage in enumerate(names[:3], 1):
            tables["core.funnel_daily"].append(
                {"date": day, "stage_number": number, "stage_name": stage, "entries": draw.randrange(50 // number)}
            )
        tables["core.rejected_events"] += [
            {"event_date": one([day, None]), "reason": one(["no_identity", name()])} for _ in range(3)
        ]
        tables["core.identity_changes"].append(
            {"partition_date": day, "alias": f"a{draw.randrange(9)}", "dbt_visitor_id": one(visitors)}
        )
    _add_analytics(tables, draw, days, names)
    for number in range(200):
        kind = one(["anonymous_id", "user_id"])
        visitor = f"id{number}" if kind == "user_id" or draw.random() < 0.5 else f"id{draw.randrange(number + 1)}"
        tables["core.identity_graph"].append({"alias": f"id{number}", "alias_type": kind, "dbt_visitor_id": visitor})
    return tables


def _add_analytics(tables: Tables, draw: random.Random, days: list[date], names: list[str]) -> None:
    weights = ("first_touch_weight", "last_touch_weight", "linear_weight", "position_based_weight", "time_decay_weight")
    for number in range(400):
        day = draw.choice(days)
        tables["analytics.channels_daily"].append(
            {
                "date": day,
                "channel_group": draw.choice(["Direct", "Email", draw.choice(names)]),
                "touch_source": draw.choice(["google", draw.choice(names)]),
                "touch_medium": draw.choice(["cpc", draw.choice(names)]),
                "traffic_type": draw.choice(["human", "human", "bot", "internal", "suspect"]),
                "sessions": draw.randrange(1, 9),
                "engaged_sessions": draw.randrange(2),
                "conversions": draw.randrange(3),
                "conversion_value": draw.randrange(1000) / 8,
            }
        )
        tables["analytics.attribution"].append(
            {
                "conversion_event_id": f"c{number}", "conversion_date": day, "channel_group": draw.choice(["Direct", draw.choice(names)]),
                **{weight: draw.randrange(9) / 8 for weight in weights},
            }
        )  # fmt: skip
    for number in range(150):
        visits = sorted(draw.sample(days, draw.randrange(1, 7)))
        tables["analytics.visitor_days"] += [
            {
                "dbt_visitor_id": f"v{number}",
                "date": day,
                "lifecycle": draw.choice(["returning", "resurrected"]) if place else "new",
            }
            for place, day in enumerate(visits)
        ]


def columns_of(table: str, without: dict[str, str] | None = None) -> dict[str, str]:
    """The table's promised columns with their types in DuckDB's words, but for the one that is left out."""
    schema, name = table.split(".")
    return {
        column: TYPES[kind]
        for column, kind in PROMISED[schema][name].items()
        if kind in TYPES and (without or {}).get(table) != column
    }


def fill(connection: Connection, tables: Tables, without: dict[str, str] | None = None) -> None:
    """Make the given tables with their rows; without leaves a column out: table -> column."""
    for table, rows in tables.items():
        columns = columns_of(table, without)
        declared = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        schema, name = table.split(".")
        connection.create_missing(TableLayout(schema, name, declared))
        given = [column for column in columns if any(column in row for row in rows)]
        if given:
            types = pa.schema([(column, ARROW[columns[column]]) for column in given])
            connection.register("incoming", pa.Table.from_pylist(rows, schema=types))
            names = ", ".join(f'"{column}"' for column in given)
            connection.execute(f"insert into {table} ({names}) select {names} from incoming")


def answers_of(tables: Tables, days: Days = DAYS, without: dict[str, str] | None = None) -> dict[str, Answer]:
    """The report's answers over the given tables (others do not exist); without leaves a column out: table -> column."""
    with duckdb.connect() as native:
        connection = DuckDBConnection(native)
        fill(connection, tables, without)
        columns = {table: columns_of(table, without) for table in tables}
        return ask(connection, columns, days)
