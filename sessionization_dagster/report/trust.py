"""Figures about how far the data can be trusted: identity, events, rejected rows, newest data. Answers in, texts and charts out."""

from __future__ import annotations

from sessionization_dagster.report import charts
from sessionization_dagster.report.parts import Figure, count, counted, moment, share, table, unavailable
from sessionization_dagster.report.queries import Answers, Days, Rows


def devices(answers: Answers) -> Figure:
    """Devices that belong to a user, and those that do not."""
    title, answer = "Devices linked to a user", answers["devices"]
    if lacking := unavailable(title, answer):
        return lacking
    linked, unlinked = (int(answer.rows[0][name]) for name in ("linked", "unlinked"))
    total = linked + unlinked
    if not total:
        return Figure(title, notice="No device is known yet.")
    rows = [(label, n, share(n, total)) for label, n in (("Linked to a user", linked), ("Not linked", unlinked))]
    return Figure(
        title,
        f"{share(linked, total)} of the {counted(total, 'device')} known so far belong to a user who logged in.",
        charts.ranked_bars(rows, "Devices", "Devices"),
        table=table("Devices known so far", ("Kind", "Devices", "Share"), rows),
    )


def reassignments(answers: Answers, days: Days) -> Figure:
    """Ids that moved to another person."""
    title, answer = "Identity re-assignments", answers["reassignments"]
    if lacking := unavailable(
        title, answer, nothing="No id went from one person to another in the runs of these days."
    ):
        return lacking
    total = sum(int(row["changes"]) for row in answer.rows)
    return Figure(
        title,
        f"{counted(total, 'id')} went from one person to another, on the first day of the run that found it.",
        charts.stacked_days(
            [(row["day"], "Ids", int(row["changes"])) for row in answer.rows], days.all(), "Ids", "Kind"
        ),
        table=table(
            "Ids that moved, by day",
            ("Day", "Ids", "People who received one"),
            [(f"{row['day']}", int(row["changes"]), int(row["visitors"])) for row in reversed(answer.rows)],
        ),
    )


def events(answers: Answers, days: Days) -> Figure:
    """Events by day and source."""
    title, answer = "Events by source", answers["events_by_day"]
    if lacking := unavailable(title, answer, nothing="No event on these days."):
        return lacking
    return _by_day(title, answer.rows, days, "source", "events", "Events", "Source")


def rejected(answers: Answers, days: Days) -> Figure:
    """Rejected rows by day and reason."""
    title, answer = "Rejected rows by reason", answers["rejected_by_day"]
    if lacking := unavailable(title, answer, nothing="No row was rejected: every raw row of these days is an event."):
        return lacking
    return _by_day(title, answer.rows, days, "reason", "rejected", "Rows", "Reason")


def _by_day(title: str, rows: Rows, days: Days, column: str, number: str, unit: str, kind: str) -> Figure:
    dated = [row for row in rows if row["day"] is not None]
    totals: dict[str, int] = {}
    for row in rows:
        totals[row[column]] = totals.get(row[column], 0) + int(row[number])
    note = ", ".join(f"{name}: {count(n)}" for name, n in sorted(totals.items(), key=lambda item: (-item[1], item[0])))
    undated = sum(int(row[number]) for row in rows if row["day"] is None)
    if undated:
        note += f". {counted(undated, 'row')} without a day of their own, whatever their age, are in the table only"
    series = [
        (row["day"], row[column], int(row[number])) for row in sorted(dated, key=lambda row: -totals[row[column]])
    ]
    newest_first = sorted(
        rows, key=lambda row: (row["day"] is None, row["day"] and -row["day"].toordinal(), row[column])
    )
    return Figure(
        title,
        f"{note}.",
        charts.stacked_days(series, days.all(), unit, kind) if series else None,
        table=table(
            f"{title}, by day",
            ("Day", kind, unit),
            [
                ("no day" if row["day"] is None else f"{row['day']}", row[column], int(row[number]))
                for row in newest_first
            ],
        ),
    )


def newest(answers: Answers) -> Figure:
    """The newest event of each source."""
    title, answer = "Newest data", answers["newest"]
    if lacking := unavailable(title, answer, nothing="No event on these days."):
        return lacking
    return Figure(
        title,
        f"The newest event of these days happened on {moment(answer.rows[0]['newest_at'])}.",
        table=table(
            "Newest event by source",
            ("Source", "Newest event", "Events"),
            [(row["source"], moment(row["newest_at"]), int(row["events"])) for row in answer.rows],
        ),
    )
