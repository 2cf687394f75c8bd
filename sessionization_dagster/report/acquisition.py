"""Figures of where visits come from, what they lead to and who comes back. Answers in, words and charts out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sessionization_dagster.report import charts
from sessionization_dagster.report.parts import Figure, count, counted, share, table, unavailable
from sessionization_dagster.report.queries import MODELS, Answers, Days

LIFECYCLES = {"new": "New", "returning": "Returning", "resurrected": "Back after a pause"}
TRAFFIC = {"human": "People", "bot": "Bots", "internal": "Internal", "suspect": "Suspect"}
NOTHING = "No session started on these days."


def channels(answers: Answers) -> Figure:
    """Sessions by channel group."""
    title, answer = "Sessions by channel", answers["channels"]
    if lacking := unavailable(title, answer):
        return lacking
    if not answer.rows:
        return Figure(title, notice=NOTHING)
    total, engaged = (sum(int(row[name]) for row in answer.rows) for name in ("sessions", "engaged"))
    return Figure(
        title,
        f"{share(engaged, total)} of the {counted(total, 'session')} of people were engaged. "
        "Bots and internal traffic are not counted here.",
        charts.ranked_bars(
            [(row["channel_group"], int(row["sessions"]), share(row["sessions"], total)) for row in answer.rows],
            "Channel",
            "Sessions",
        ),
        table=table(
            "Sessions by channel, most first",
            ("Channel", *RESULTS),
            [(row["channel_group"], *_results(row, total)) for row in answer.rows],
        ),
    )


def sources(answers: Answers) -> Figure:
    """The sources and mediums with most sessions."""
    title, answer = "Sources", answers["sources"]
    if lacking := unavailable(title, answer):
        return lacking
    if not answer.rows:
        return Figure(title, notice=NOTHING)
    total, found = int(answer.rows[0]["all_sessions"]), int(answer.rows[0]["all_sources"])
    names = [f"{row['touch_source']} / {row['touch_medium']}" for row in answer.rows]
    shown = f"The {len(names)} of {count(found)} sources with most sessions" if found > len(names) else "By sessions"
    bars = [
        (name, int(row["sessions"]), share(row["sessions"], total))
        for name, row in zip(names, answer.rows, strict=True)
    ]
    return Figure(
        title,
        f"{shown}: source / medium of each session's first touch.",
        charts.ranked_bars(bars, "Source / medium", "Sessions"),
        table=table(
            "Sessions by source and medium, most first",
            ("Source / medium", *RESULTS),
            [(name, *_results(row, total)) for name, row in zip(names, answer.rows, strict=True)],
        ),
    )


def attribution(answers: Answers) -> Figure:
    """Conversions credited to each channel, by model."""
    title, answer = "Conversions by channel and model", answers["attribution"]
    if lacking := unavailable(title, answer):
        return lacking
    if not answer.rows:
        return Figure(title, notice="No conversion on these days. What is one, says the seed conversions.csv.")
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
    """Sessions of people, of bots, of one's own and suspect ones."""
    title, answer = "Traffic quality", answers["traffic"]
    if lacking := unavailable(title, answer):
        return lacking
    if not answer.rows:
        return Figure(title, notice=NOTHING)
    total = sum(int(row["sessions"]) for row in answer.rows)
    rows = [(TRAFFIC[row["traffic_type"]], int(row["sessions"])) for row in answer.rows]
    people = sum(sessions for name, sessions in rows if name == TRAFFIC["human"])
    return Figure(
        title,
        f"{share(people, total)} of the {counted(total, 'session')} are people's.",
        charts.ranked_bars([(name, n, share(n, total)) for name, n in rows], "Traffic", "Sessions"),
        table=table(
            "Sessions by kind of traffic",
            ("Traffic", "Sessions", "Share"),
            [(name, n, share(n, total)) for name, n in rows],
        ),
    )


def people(answers: Answers, days: Days) -> Figure:
    """New and returning people by day."""
    title, answer = "New and returning people", answers["people"]
    if lacking := unavailable(title, answer):
        return lacking
    if not answer.rows:
        return Figure(title, notice="Nobody was there on these days.")
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


def retention(answers: Answers) -> Figure:
    """Which share of a week's new people came back in each later week."""
    title, answer = "Retention by week", answers["retention"]
    if lacking := unavailable(title, answer):
        return lacking
    if not answer.rows:
        return Figure(title, notice="No week of new people begins on these days.")
    found: dict[date, dict[int, int]] = {}
    for row in answer.rows:
        found.setdefault(row["cohort_week"], {})[int(row["week_number"])] = int(row["people"])
    weeks = range(max(number for numbers in found.values() for number in numbers) + 1)
    cells = [
        (f"{week}", number, people_then, people_then / numbers[0])
        for week, numbers in found.items()
        for number, people_then in sorted(numbers.items())
    ]
    return Figure(
        title,
        "Of the people who first came in a week (it begins on the day given), the share that was there so many weeks later.",
        charts.heat_map(cells, "First week", "Weeks later", "People"),
        table=table(
            "People by first week and weeks later",
            ("First week", *(f"{number}" for number in weeks)),
            [(f"{week}", *(numbers.get(number, 0) for number in weeks)) for week, numbers in found.items()],
        ),
    )


RESULTS = ("Sessions", "Share", "Engaged", "Conversions", "Value")


def _results(row: Mapping[str, Any], total: int) -> tuple[int | str, ...]:
    """What the sessions of a row came to, under RESULTS."""
    sessions = int(row["sessions"])
    value = f"{float(row['value'] or 0):,.2f}"
    return sessions, share(sessions, total), share(row["engaged"], sessions), int(row["conversions"]), value
