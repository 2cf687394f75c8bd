"""The parts of a page: sections, figures, data tables, headline numbers; and numbers and times as text. No SQL, no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sessionization_dagster.report.queries import Answer

# A Vega-Lite chart as JSON-like data.
Spec = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """The numbers behind a figure, as its text alternative. Cells are text; numeric says which columns are aligned right."""

    caption: str
    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Journey:
    """One path through the first events of a session, how often it occurred, and its width relative to the most frequent one, 0..1."""

    steps: tuple[str, ...]
    count: str
    share: str
    width: float


@dataclass(frozen=True)
class Figure:
    """One chart or list with its table; or, if there is nothing to draw, a notice that says why."""

    title: str
    note: str = ""
    chart: Spec | None = None
    journeys: Sequence[Journey] = ()
    table: Table | None = None
    notice: str = ""


@dataclass(frozen=True)
class Section:
    """Figures under one heading."""

    id: str
    title: str
    figures: Sequence[Figure]


@dataclass(frozen=True)
class Headline:
    """One number: its title, its text, and its value (None if it could not be computed)."""

    name: str
    title: str
    text: str
    note: str
    value: int | float | None


def count(value: float) -> str:
    """A whole number, with thousands separators."""
    return f"{value:,.0f}"


def counted(value: float, one: str, many: str | None = None) -> str:
    """A whole number with its unit: 1 session, 2,000 sessions."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def share(part: float, whole: float) -> str:
    """A part of the whole in per cent. A part that is above zero but too small for the last digit is shown as such."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    return "<0.1%" if 0 < percent < 0.05 else f"{percent:.1f}%"


def minutes(value: float | None) -> str:
    """A duration: 12 min 5 s, 1 h 30 min."""
    if value is None:
        return "–"
    seconds = round(value * 60)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def day_text(day: date) -> str:
    """A day for people: 4 January 2024."""
    return f"{day.day} {day:%B %Y}"


def moment(at: datetime) -> str:
    """A time in UTC, to the minute."""
    return f"{day_text(at)}, {at:%H:%M} UTC"


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str | float]]) -> Table:
    """A table. Number cells are given as numbers and become text here."""
    numeric = tuple(
        bool(rows) and all(isinstance(row[place], int | float) for row in rows) for place in range(len(columns))
    )
    cells = [tuple(cell if isinstance(cell, str) else count(cell) for cell in row) for row in rows]
    return Table(caption, tuple(columns), numeric, cells)


def unavailable(title: str, *asked: Answer, nothing: str = "") -> Figure | None:
    """A figure that says which tables are missing, or (with the text of `nothing`) that no answer has rows; None if an answer has rows."""
    missing = sorted({name for answer in asked for name in answer.missing})
    if missing:
        return Figure(title, notice=f"Not there yet: {', '.join(missing)}. Materialise it, then this report again.")
    if nothing and not any(answer.rows for answer in asked):
        return Figure(title, notice=nothing)
    return None
