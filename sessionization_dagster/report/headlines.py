"""The numbers at the top of the page, which the asset's metadata repeats."""

from __future__ import annotations

from sessionization_dagster.report.parts import Headline, count, counted, minutes, share
from sessionization_dagster.report.queries import Answers, Days


def headlines(answers: Answers, days: Days) -> list[Headline]:
    """The headline numbers, in the order of the page."""
    users = _single(answers, "users", "users")
    sessions = _sum(answers, "sessions_by_day", "sessions")
    events = _sum(answers, "events_by_day", "events")
    rejected = _sum(answers, "rejected_by_day", "rejected")
    median = _single(answers, "typical_duration", "median_minutes")
    daily = _sum(answers, "users_by_day", "users")
    per_day = None if daily is None else daily / len(days.all())
    linked, unlinked = _single(answers, "devices", "linked"), _single(answers, "devices", "unlinked")
    converted = _conversion(answers)
    return [
        _count("active_users", "Active users", users, f"people, over {counted(len(days.all()), 'day')}"),
        _number(
            "daily_active_users", "Users a day", per_day, "" if per_day is None else f"{per_day:,.1f}", "on average"
        ),
        _count("sessions", "Sessions", sessions, _ratio(sessions, users, "per user")),
        _number("median_session_minutes", "Median session", median, minutes(median), "from first to last event"),
        _number(
            "funnel_conversion_percent", "Funnel conversion", converted, f"{converted or 0:.1f}%", "first to last stage"
        ),
        _number(
            "linked_devices_percent",
            "Linked devices",
            _percent(linked, unlinked),
            share(linked or 0, (linked or 0) + (unlinked or 0)),
            "belong to a user",
        ),
        _count("events", "Events", events, _ratio(events, sessions, "per session")),
        _count(
            "rejected_rows",
            "Rejected rows",
            rejected,
            f"{share(rejected or 0, (rejected or 0) + (events or 0))} of all rows",
        ),
    ]


def _count(name: str, title: str, value: float | None, note: str) -> Headline:
    return _number(name, title, None if value is None else int(value), "" if value is None else count(value), note)


def _number(name: str, title: str, value: float | None, text: str, note: str) -> Headline:
    return Headline(name, title, "–" if value is None else text, "not known" if value is None else note, value)


def _single(answers: Answers, question: str, column: str) -> float | None:
    rows = answers[question].rows
    value = rows[0][column] if rows else None
    return None if value is None else float(value)


def _sum(answers: Answers, question: str, column: str) -> float | None:
    answer = answers[question]
    return None if answer.missing else float(sum(row[column] for row in answer.rows))


def _conversion(answers: Answers) -> float | None:
    rows = answers["funnel"].rows
    if not rows or not rows[0]["entries"]:
        return None
    return float(100 * rows[-1]["entries"] / rows[0]["entries"])


def _percent(part: float | None, rest: float | None) -> float | None:
    return None if part is None or rest is None or not part + rest else 100 * part / (part + rest)


def _ratio(part: float | None, whole: float | None, words: str) -> str:
    return f"{part / whole:,.1f} {words}" if part is not None and whole else ""
