"""The report's queries of the output tables: SQL text, bounded to the report's days, and the columns that each reads. Opens nothing.

A query runs only if its tables have the columns that it reads. The page names what is missing. The SQL is DuckDB's, and simple enough for
the other warehouse's dialect. Every query bounds the date that its table is divided by, except the one of the identity graph, which has no
date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

SHOWN_DAYS = 90
PAGES, COUNTRIES, JOURNEYS, SOURCES = 15, 15, 12, 15
JOURNEY_LENGTH = 5

Rows = Sequence[Mapping[str, Any]]
Columns = Mapping[str, Iterable[str]]


@dataclass(frozen=True)
class Days:
    """The days that a report shows, both included: dates in the reporting timezone."""

    first: date
    last: date

    @classmethod
    def before(cls, end: date, earliest: date, length: int = SHOWN_DAYS) -> Days:
        """The last days before the end, from the earliest on."""
        return cls(max(earliest, end - timedelta(days=length)), end - timedelta(days=1))

    def all(self) -> list[date]:
        """Each day, in order."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    @property
    def first_monday(self) -> date:
        """The first Monday that is not before them. It is after them if they have no Monday."""
        return self.first + timedelta(days=-self.first.weekday() % 7)

    def contain(self, column: str) -> str:
        """The SQL condition that a date column is within these days."""
        return f"{column} >= date '{self.first}' and {column} <= date '{self.last}'"


@dataclass(frozen=True)
class Answer:
    """The rows that a question found, or the missing tables (and columns) because of which it could not be asked."""

    rows: Rows = ()
    missing: tuple[str, ...] = ()


Answers = Mapping[str, Answer]


@dataclass(frozen=True)
class Question:
    """One query. {days:column} in its SQL means the condition that the column is within the report's days.

    Attributes:
        name: the name of its answer.
        reads: table -> the columns that it needs.
        sql: its text. {steps} means the columns of a journey that the table has. {monday} is the days' first Monday.
    """

    name: str
    reads: Mapping[str, Sequence[str]]
    sql: str = field(repr=False)

    def missing(self, columns: Columns) -> tuple[str, ...]:
        """The tables that are missing, and the columns that tables lack."""
        lacking = []
        for table, needed in self.reads.items():
            if table not in columns:
                lacking.append(table)
            else:
                lacking += [f"{table}.{column}" for column in needed if column not in set(columns[table])]
        return tuple(lacking)

    def text(self, days: Days, columns: Columns) -> str:
        """Its SQL for the given days."""
        return self.sql.format(days=_InDays(days), monday=days.first_monday, steps=", ".join(steps(columns)))


class _InDays:
    """An object that formats as the condition on the column in the format specification."""

    def __init__(self, days: Days) -> None:
        self._days = days

    def __format__(self, column: str) -> str:
        return self._days.contain(column)


def steps(columns: Columns) -> list[str]:
    """The columns of a journey's events: as many as the table has (var flow_length), at most five."""
    found = set(columns.get(FLOW, ()))
    later = [f"event_{number}" for number in range(2, JOURNEY_LENGTH + 1)]
    return ["event", *(name for name in later if name in found)]


EVENTS, REJECTED, FACTS = "core.events", "core.rejected_events", "rudderstack.dbt_track_facts"
DURATIONS, FLOW = "rudderstack.dbt_session_duration", "rudderstack.dbt_tracks_flow"
CLIENTS, FUNNEL = "measure_js.events_sessionated", "core.funnel_daily"
GRAPH, CHANGES = "core.identity_graph", "core.identity_changes"
CHANNELS, PEOPLE = "analytics.channels_daily", "analytics.visitor_days"
ATTRIBUTION = "analytics.attribution"


def _rounded(result: str) -> str:
    """SQL of a sum or mean of floats. Its last digits depend on the order of the rows, which a warehouse chooses anew each time."""
    return f"round({result}, 6)"


#: The attribution models: their usual name, and the column of their weights.
MODELS = {
    "First touch": "first_touch_weight",
    "Last touch": "last_touch_weight",
    "Linear": "linear_weight",
    "Position based": "position_based_weight",
    "Time decay": "time_decay_weight",
}

QUESTIONS = (
    Question(
        "users_by_day",
        {FACTS: ("event_date", "dbt_visitor_id")},
        f"""select event_date as day, count(distinct dbt_visitor_id) as users
        from {FACTS} where {{days:event_date}} group by event_date order by day""",
    ),
    Question(
        "users",
        {FACTS: ("event_date", "dbt_visitor_id")},
        f"select count(distinct dbt_visitor_id) as users from {FACTS} where {{days:event_date}}",
    ),
    Question(
        "sessions_by_day",
        {DURATIONS: ("session_start_date",)},
        f"""select session_start_date as day, count(*) as sessions
        from {DURATIONS} where {{days:session_start_date}} group by session_start_date order by day""",
    ),
    Question(
        "durations",
        {DURATIONS: ("session_start_date", "session_duration")},
        f"""select bucket, count(*) as sessions from (
            select case
                when session_duration = 0 then 0 when session_duration < 1 then 1 when session_duration < 5 then 2
                when session_duration < 15 then 3 when session_duration < 30 then 4 when session_duration < 60 then 5
                when session_duration < 120 then 6 else 7 end as bucket
            from {DURATIONS} where {{days:session_start_date}}) as bucketed
        group by bucket order by bucket""",
    ),
    # The median: the middle one of an odd number of sessions, or the mean of the two middle ones of an even number.
    Question(
        "typical_duration",
        {DURATIONS: ("session_start_date", "session_duration")},
        f"""select
            avg(case when 2 * place between sessions and sessions + 2 then session_duration end) as median_minutes,
            {_rounded("avg(session_duration)")} as mean_minutes
        from (
            select session_duration, row_number() over (order by session_duration) as place, count(*) over () as sessions
            from {DURATIONS} where {{days:session_start_date}}) as placed""",
    ),
    # Bots, one's own people and machines are counted separately, because questions about where visits come from do not mean them.
    Question(
        "channels",
        {
            CHANNELS: (
                "date",
                "channel_group",
                "traffic_type",
                "sessions",
                "engaged_sessions",
                "conversions",
                "conversion_value",
            )
        },
        f"""select channel_group, sum(sessions) as sessions, sum(engaged_sessions) as engaged, sum(conversions) as conversions,
            {_rounded("sum(conversion_value)")} as value
        from {CHANNELS} where {{days:date}} and traffic_type = 'human' group by channel_group order by sessions desc, channel_group""",
    ),
    Question(
        "sources",
        {
            CHANNELS: (
                "date",
                "touch_source",
                "touch_medium",
                "traffic_type",
                "sessions",
                "engaged_sessions",
                "conversions",
                "conversion_value",
            )
        },
        f"""select touch_source, touch_medium, sum(sessions) as sessions, sum(engaged_sessions) as engaged, sum(conversions) as conversions,
            {_rounded("sum(conversion_value)")} as value, sum(sum(sessions)) over () as all_sessions, count(*) over () as all_sources
        from {CHANNELS} where {{days:date}} and traffic_type = 'human'
        group by touch_source, touch_medium order by sessions desc, touch_source, touch_medium limit {SOURCES}""",
    ),
    Question(
        "traffic",
        {CHANNELS: ("date", "traffic_type", "sessions")},
        f"""select traffic_type, sum(sessions) as sessions
        from {CHANNELS} where {{days:date}} group by traffic_type order by sessions desc, traffic_type""",
    ),
    Question(
        "people",
        {PEOPLE: ("date", "lifecycle")},
        f"""select date as day, lifecycle, count(*) as people
        from {PEOPLE} where {{days:date}} group by date, lifecycle order by day, lifecycle""",
    ),
    # The numbers of analytics.retention_weekly, which reads all dates. Who is new in a week that begins on these days has no earlier date.
    # Weeks are numbered from the days' first Monday on.
    Question(
        "retention",
        {PEOPLE: ("date", "dbt_visitor_id", "lifecycle")},
        f"""select first_week, week - first_week as week_number, count(distinct dbt_visitor_id) as people
        from (
            select dbt_visitor_id, week,
                min(case when lifecycle = 'new' then week end) over (partition by dbt_visitor_id) as first_week
            from (
                select dbt_visitor_id, lifecycle, date_diff('day', date '{{monday}}', date) // 7 as week
                from {PEOPLE} where {{days:date}} and date >= date '{{monday}}') as visits) as visits
        where first_week is not null
        group by first_week, week order by first_week, week""",
    ),
    Question(
        "attribution",
        {ATTRIBUTION: ("conversion_date", "conversion_event_id", "channel_group", *MODELS.values())},
        f"""select channel_group, {", ".join(f"{_rounded(f'sum({column})')} as {column}" for column in MODELS.values())}
        from {ATTRIBUTION} where {{days:conversion_date}} group by channel_group order by last_touch_weight desc, channel_group""",
    ),
    Question(
        "pages",
        {CLIENTS: ("event_date", "url", "client_id", "session_id")},
        # Without the query, which often differs from view to view.
        f"""select regexp_extract(url, '^[^?]*') as page, count(*) as events, count(distinct client_id) as devices,
            count(distinct session_id) as sessions, sum(count(*)) over () as all_events, count(*) over () as all_pages
        from {CLIENTS} where {{days:event_date}} and url is not null
        group by page order by events desc, page limit {PAGES}""",
    ),
    Question(
        "countries",
        {CLIENTS: ("event_date", "country", "client_id", "session_id")},
        f"""select country, count(*) as events, count(distinct client_id) as devices, count(distinct session_id) as sessions,
            sum(count(*)) over () as all_events, count(*) over () as all_countries
        from {CLIENTS} where {{days:event_date}} and country is not null
        group by country order by events desc, country limit {COUNTRIES}""",
    ),
    Question(
        "funnel",
        {FUNNEL: ("date", "stage_number", "stage_name", "entries")},
        f"""select stage_number, stage_name, sum(entries) as entries
        from {FUNNEL} where {{days:date}} group by stage_number, stage_name order by stage_number""",
    ),
    Question(
        "journeys",
        {FLOW: ("event_date", "track_sequence_number", "event")},
        f"""select {{steps}}, count(*) as sessions, sum(count(*)) over () as all_sessions, count(*) over () as all_journeys
        from {FLOW} where {{days:event_date}} and track_sequence_number = 1
        group by {{steps}} order by sessions desc, {{steps}} limit {JOURNEYS}""",
    ),
    # A device is linked if the visitor that it belongs to is a user.
    Question(
        "devices",
        {GRAPH: ("alias", "alias_type", "dbt_visitor_id")},
        f"""select
            count(case when users.alias is not null then 1 end) as linked,
            count(case when users.alias is null then 1 end) as unlinked
        from {GRAPH} as devices
        left join (select alias from {GRAPH} where alias_type = 'user_id') as users on devices.dbt_visitor_id = users.alias
        where devices.alias_type = 'anonymous_id'""",
    ),
    Question(
        "reassignments",
        {CHANGES: ("partition_date", "alias", "dbt_visitor_id", "previous_visitor_id")},
        f"""select partition_date as day, count(*) as changes, count(distinct dbt_visitor_id) as visitors
        from {CHANGES} where {{days:partition_date}} group by partition_date order by day""",
    ),
    Question(
        "events_by_day",
        {EVENTS: ("event_date", "source")},
        f"""select event_date as day, source, count(*) as events
        from {EVENTS} where {{days:event_date}} group by event_date, source order by day, source""",
    ),
    # Rows without a day belong to every report.
    Question(
        "rejected_by_day",
        {REJECTED: ("event_date", "reason")},
        f"""select event_date as day, reason, count(*) as rejected
        from {REJECTED} where {{days:event_date}} or event_date is null group by event_date, reason order by day, reason""",
    ),
    Question(
        "newest",
        {EVENTS: ("event_date", "source", "timestamp")},
        f"""select source, count(*) as events, max(timestamp) as newest_at
        from {EVENTS} where {{days:event_date}} group by source order by newest_at desc, source""",
    ),
)

TABLES = sorted({table for question in QUESTIONS for table in question.reads})
