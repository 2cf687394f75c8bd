"""Figures about what people did: activity, durations, pages, countries, funnel, journeys. Answers in, texts and charts out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from sessionization_dagster.report import charts
from sessionization_dagster.report.parts import (
    Figure,
    Journey,
    count,
    counted,
    day_text,
    minutes,
    share,
    table,
    unavailable,
)
from sessionization_dagster.report.queries import JOURNEY_LENGTH, Answer, Answers, Days

NAMELESS = "(no name)"
SITE = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]+(?=/)", re.IGNORECASE)
BUCKETS = ("one moment", "under 1 min", "1–5 min", "5–15 min", "15–30 min", "30–60 min", "1–2 h", "2 h and more")


def activity(answers: Answers, days: Days) -> Figure:
    """People and sessions by day."""
    title = "Daily active users and sessions"
    by_user, by_session = answers["users_by_day"], answers["sessions_by_day"]
    if lacking := unavailable(title, by_user, by_session, nothing="No session on these days."):
        return lacking
    users = {row["day"]: int(row["users"]) for row in by_user.rows}
    sessions = {row["day"]: int(row["sessions"]) for row in by_session.rows}
    shown = days.all()
    busiest = max(shown, key=lambda day: users.get(day, 0))
    rows = [(day, users.get(day, 0), sessions.get(day, 0)) for day in shown]
    return Figure(
        title,
        f"Users are people: devices of one person count once. Busiest day: {day_text(busiest)}, with "
        f"{counted(users.get(busiest, 0), 'user')}.",
        charts.line_over_area("Active users", "Sessions started", rows),
        table=table(
            "Active users and sessions started, by day",
            ("Day", "Active users", "Sessions started"),
            [(f"{day}", *numbers) for day, *numbers in reversed(rows)],
        ),
    )


def duration(answers: Answers) -> Figure:
    """How long sessions last."""
    title = "Session duration"
    answer, typical = answers["durations"], answers["typical_duration"]
    if lacking := unavailable(title, answer, typical):
        return lacking
    if not answer.rows:
        return Figure(title, notice="No session started on these days.")
    found = {row["bucket"]: int(row["sessions"]) for row in answer.rows}
    total = sum(found.values())
    rows = [(label, found.get(place, 0), share(found.get(place, 0), total)) for place, label in enumerate(BUCKETS)]
    (middle,) = typical.rows
    return Figure(
        title,
        f"Half of the {count(total)} sessions last longer than {minutes(middle['median_minutes'])}; the mean is "
        f"{minutes(middle['mean_minutes'])}. From first to last event: a session of one event lasts one moment.",
        charts.ranked_bars(rows, "Duration", "Sessions"),
        table=table("Sessions by duration", ("Duration", "Sessions", "Share"), rows),
    )


def pages(answers: Answers) -> Figure:
    """The pages with the most events."""
    rows = [{**row, "place": row["page"], "found": row["all_pages"]} for row in answers["pages"].rows]
    site = common_site([row["page"] for row in rows])
    answer = Answer([{**row, "label": row["page"].removeprefix(site)} for row in rows], answers["pages"].missing)
    figure = _places(answer, "Top pages", "Page", "pages", "No event of these days carries a page's address.")
    return replace(figure, note=f"{figure.note} All of them on {site}.") if site else figure


def countries(answers: Answers) -> Figure:
    """The countries with the most events."""
    rows = [
        {**row, "place": row["country"], "label": row["country"], "found": row["all_countries"]}
        for row in answers["countries"].rows
    ]
    answer = Answer(rows, answers["countries"].missing)
    return _places(answer, "Traffic by country", "Country", "countries", "No event of these days carries a country.")


def common_site(urls: list[str]) -> str:
    """The scheme and host that all addresses share, if each continues with a path; otherwise an empty text."""
    sites = {match[0] if (match := SITE.match(url)) else "" for url in urls}
    return sites.pop() if len(sites) == 1 else ""


def _places(answer: Answer, title: str, name: str, many: str, nothing: str) -> Figure:
    """Places with the most events. Rows have a place, a label for the chart, and the total numbers of places and events."""
    if lacking := unavailable(title, answer, nothing=nothing):
        return lacking
    total, found = int(answer.rows[0]["all_events"]), int(answer.rows[0]["found"])
    shown = (
        f"The {len(answer.rows)} of {count(found)} {many} with most events" if found > len(answer.rows) else "By events"
    )
    bars = [(row["label"] or NAMELESS, int(row["events"]), share(row["events"], total)) for row in answer.rows]
    cells = [
        (
            row["place"] or NAMELESS,
            int(row["events"]),
            share(row["events"], total),
            int(row["devices"]),
            int(row["sessions"]),
        )
        for row in answer.rows
    ]
    return Figure(
        title,
        f"{shown}, of {counted(total, 'event')} that name a {name.lower()}.",
        charts.ranked_bars(bars, name, "Events"),
        table=table(f"{title}, most events first", (name, "Events", "Share", "Devices", "Sessions"), cells),
    )


def funnel(answers: Answers) -> Figure:
    """How far the entries of these days got in the funnel."""
    title, answer = "Funnel", answers["funnel"]
    if lacking := unavailable(title, answer):
        return lacking
    if not answer.rows or not answer.rows[0]["entries"]:
        return Figure(
            title, notice="Nobody entered the funnel on these days. Its stages are the seed funnel_events.csv."
        )
    names = [row["stage_name"] or NAMELESS for row in answer.rows]
    entries = [int(row["entries"]) for row in answer.rows]
    rows = list(zip(names, entries, strict=True))
    previous = [entries[0], *entries]
    return Figure(
        title,
        f"{share(entries[-1], entries[0])} of the {counted(entries[0], 'entry', 'entries')} of these days came to “{names[-1]}”, "
        "whenever they did.",
        charts.ranked_bars([(label, n, share(n, entries[0])) for label, n in rows], "Stage", "Entries"),
        table=table(
            "Funnel by stage",
            ("Stage", "Entries", "Of the first stage", "Of the stage before"),
            [(label, n, share(n, entries[0]), share(n, previous[place])) for place, (label, n) in enumerate(rows)],
        ),
    )


def journeys(answers: Answers) -> Figure:
    """How sessions begin."""
    title, answer = f"How sessions begin: the first {JOURNEY_LENGTH} events", answers["journeys"]
    if lacking := unavailable(title, answer, nothing="No session on these days."):
        return lacking
    total, most = int(answer.rows[0]["all_sessions"]), int(answer.rows[0]["sessions"])
    found = [
        Journey(
            _steps(row), counted(row["sessions"], "session"), share(row["sessions"], total), int(row["sessions"]) / most
        )
        for row in answer.rows
    ]
    return Figure(
        title,
        f"The {len(found)} most frequent of {counted(int(answer.rows[0]['all_journeys']), 'beginning')}, "
        f"among {counted(total, 'session')}. A shorter one is a whole session.",
        journeys=found,
        table=table(
            "Most frequent beginnings of sessions",
            ("First events", "Sessions", "Share"),
            [(" → ".join(_steps(row)), int(row["sessions"]), share(row["sessions"], total)) for row in answer.rows],
        ),
    )


def _steps(row: Mapping[str, object]) -> tuple[str, ...]:
    """The events of a journey. If names follow an event without a name, it is unnamed; if no names follow, the session has ended."""
    names = [row.get("event"), *(row.get(f"event_{number}") for number in range(2, JOURNEY_LENGTH + 1))]
    while len(names) > 1 and names[-1] is None:
        names.pop()
    return tuple(str(name or NAMELESS) for name in names)
