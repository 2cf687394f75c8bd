"""Figures about where visits come from, what they lead to and who comes back. Answers in, texts and charts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sessionization_dagster.report import charts
from sessionization_dagster.report.parts import Figure, count, counted, share, table, unavailable
from sessionization_dagster.report.queries import MODELS, Answer, Answers, Days

LIFECYCLES = {"new": "New", "returning": "Returning", "resurrected": "Back after a pause"}
TRAFFIC = {"human": "People", "bot": "Bots", "internal": "Internal", "suspect": "Suspect"}
NOTHING = "No session started on these days."


def channels(answers: Answers) -> Figure:
    """Sessions by channel group."""
    answer = answers["channels"]
    total, engaged = (sum(int(row[name]) for row in answer.rows) for name in ("sessions", "engaged"))
    note = (
        f"{share(engaged, total)} of the {counted(total, 'session')} of people were engaged. "
        "Bots and internal traffic are not counted here."
    )
    rows = [(row["channel_group"], row) for row in answer.rows]
    return _results("Sessions by channel", "Channel", "Sessions by channel, most first", answer, note, rows, total)


def sources(answers: Answers) -> Figure:
    """The sources and mediums with the most sessions."""
    answer = answers["sources"]
    total, found = (int(answer.rows[0][name]) if answer.rows else 0 for name in ("all_sessions", "all_sources"))
    shown = len(answer.rows)
    ranked = f"The {shown} of {count(found)} sources with most sessions" if found > shown else "By sessions"
    note = f"{ranked}: source / medium of each session's first touch."
    rows = [(f"{row['touch_source']} / {row['touch_medium']}", row) for row in answer.rows]
    return _results(
        "Sources", "Source / medium", "Sessions by source and medium, most first", answer, note, rows, total
    )


def _results(
    title: str,
    name: str,
    caption: str,
    answer: Answer,
    note: str,
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    total: int,
) -> Figure:
    """Sessions by the name of each row, and in the table also their results."""
    if lacking := unavailable(title, answer, nothing=NOTHING):
        return lacking
    cells = [
        (
            label,
            int(row["sessions"]),
            share(row["sessions"], total),
            share(row["engaged"], row["sessions"]),
            int(row["conversions"]),
            f"{float(row['value'] or 0):,.2f}",
        )
        for label, row in rows
    ]
    return Figure(
        title,
        note,
        charts.ranked_bars([(label, sessions, part) for label, sessions, part, *_ in cells], name, "Sessions"),
        table=table(caption, (name, "Sessions", "Share", "Engaged", "Conversions", "Value"), cells),
    )


def attribution(answers: Answers) -> Figure:
    """Conversions credited to each channel, by model."""
    title, answer = "Conversions by channel and model", answers["attribution"]
    if lacking := unavailable(
        title, answer, nothing="No conversion on these days. The seed conversions.csv defines conversions."
    ):
        return lacking
    bars = [
        (row["channel_group"], model, float(row[column])) for row in answer.rows for model, column in MODELS.items()
    ]
    total = round(sum(float(row["last_touch_weight"]) for row in answer.rows))
    return Figure(
        title,
        f"{counted(total, 'conversion')} of these days, credited to the channels of the visits before them, by five models.",
        charts.grouped_bars(bars, "Channel", "Model", "Conversions"),
        table=table(
            "Conversions credited to each channel",
            ("Channel", *MODELS),
            [
                (row["channel_group"], *(f"{float(row[column]):,.1f}" for column in MODELS.values()))
                for row in answer.rows
            ],
        ),
    )


def traffic(answers: Answers) -> Figure:
    """Sessions of people, bots and one's own people, and suspect sessions."""
    title, answer = "Traffic quality", answers["traffic"]
    if lacking := unavailable(title, answer, nothing=NOTHING):
        return lacking
    total = sum(int(row["sessions"]) for row in answer.rows)
    people = sum(int(row["sessions"]) for row in answer.rows if row["traffic_type"] == "human")
    rows = [(TRAFFIC[row["traffic_type"]], int(row["sessions"]), share(row["sessions"], total)) for row in answer.rows]
    return Figure(
        title,
        f"{share(people, total)} of the {counted(total, 'session')} are people's.",
        charts.ranked_bars(rows, "Traffic", "Sessions"),
        table=table("Sessions by kind of traffic", ("Traffic", "Sessions", "Share"), rows),
    )


def people(answers: Answers, days: Days) -> Figure:
    """New and returning people by day."""
    title, answer = "New and returning people", answers["people"]
    if lacking := unavailable(title, answer, nothing="Nobody was there on these days."):
        return lacking
    found = {(row["day"], row["lifecycle"]): int(row["people"]) for row in answer.rows}
    new = sum(number for (_, lifecycle), number in found.items() if lifecycle == "new")
    series = [
        (day, LIFECYCLES[name], found[day, name]) for name in LIFECYCLES for day in days.all() if (day, name) in found
    ]
    return Figure(
        title,
        f"{counted(new, 'person', 'people')} came for the first time. "
        "Who comes back after more days than the var returning_days says is counted apart.",
        charts.stacked_days(series, days.all(), "People", "Kind"),
        table=table(
            "People by day",
            ("Day", *LIFECYCLES.values()),
            [(f"{day}", *(found.get((day, name), 0) for name in LIFECYCLES)) for day in reversed(days.all())],
        ),
    )


def retention(answers: Answers, days: Days) -> Figure:
    """The share of a week's new people that came back in each later week."""
    title, answer = "Retention by week", answers["retention"]
    if lacking := unavailable(title, answer, nothing="No week of new people begins on these days."):
        return lacking
    found: dict[date, dict[int, int]] = {}
    for row in answer.rows:
        week = days.first_monday + timedelta(weeks=int(row["first_week"]))
        found.setdefault(week, {})[int(row["week_number"])] = int(row["people"])
    weeks = range(max(number for numbers in found.values() for number in numbers) + 1)
    cells = [
        (f"{week}", number, people_then, people_then / numbers[0])
        for week, numbers in found.items()
        for number, people_then in sorted(numbers.items())
    ]
    return Figure(
        title,
        "Of the people who first came in a week (it begins on the day given), the share that was there that many weeks later.",
        charts.heat_map(cells, "First week", "Weeks later", "People"),
        table=table(
            "People by first week and weeks later",
            ("First week", *(f"{number}" for number in weeks)),
            [(f"{week}", *(numbers.get(number, 0) for number in weeks)) for week, numbers in found.items()],
        ),
    )
