"""Asks a warehouse the report's questions: which of its tables exist, which days it shows, and the answers."""

from __future__ import annotations

from datetime import date, timedelta

from sessionization_dagster.report.queries import EVENTS, QUESTIONS, TABLES, Answer, Answers, Columns, Days, Rows
from sessionization_dagster.warehouses.base import Connection

A_DAY = timedelta(days=1)


def answers_until(connection: Connection, end: date, partitions: tuple[date, date]) -> tuple[Days, Answers]:
    """The days of the report of a run whose days end before `end`, and the answers. partitions: the first and the last day."""
    first, last = partitions
    columns = columns_of_tables(connection)
    # After a run of an old day, for example for late rows, the report still shows the days that people look at.
    newest = newest_day(connection, columns, Days.before(last + A_DAY, earliest=first))
    days = Days.before(max(end, newest + A_DAY) if newest else end, earliest=first)
    return days, ask(connection, columns, days)


def columns_of_tables(connection: Connection) -> Columns:
    """Table -> its columns, for the tables of the questions that exist. Does not read their rows."""
    described = connection.describe([(schema, name) for schema, name in (table.split(".") for table in TABLES)])
    return {".".join(table): [name for name, _ in found.columns] for table, found in described.items()}


def newest_day(connection: Connection, columns: Columns, days: Days) -> date | None:
    """The newest of the days with an event, or None."""
    if "event_date" not in columns.get(EVENTS, ()):
        return None
    (row,) = _rows(connection, f"select max(event_date) as day from {EVENTS} where {days.contain('event_date')}")
    day: date | None = row["day"]
    return day


def ask(connection: Connection, columns: Columns, days: Days) -> dict[str, Answer]:
    """Ask every question whose tables and columns exist."""
    answers = {}
    for question in QUESTIONS:
        missing = question.missing(columns)
        answers[question.name] = (
            Answer(missing=missing) if missing else Answer(_rows(connection, question.text(days, columns)))
        )
    return answers


def _rows(connection: Connection, sql: str) -> Rows:
    rows: Rows = connection.query(sql).to_pylist()
    return rows
