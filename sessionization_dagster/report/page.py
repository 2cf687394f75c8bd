"""Turns sections into one HTML page that requests nothing from the network. No SQL, no clock.

Jinja escapes every text. Charts and their data are in the page as JSON that cannot close a script. The page's own policy (CSP) allows
only its own scripts, by their digests, and no request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from sessionization_dagster.report.chart_library import chart_library, digest_of
from sessionization_dagster.report.headlines import headlines
from sessionization_dagster.report.parts import Figure, Headline, Section, day_text, moment
from sessionization_dagster.report.queries import SHOWN_DAYS, Answers, Days
from sessionization_dagster.report.sections import sections

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Page:
    """The page, and the headline numbers on it."""

    html: str
    headlines: Sequence[Headline]


def build_page(answers: Answers, days: Days, timezone: str, run_id: str, written_at: datetime) -> Page:
    """The page for the answers. written_at is UTC; days are dates in the timezone."""
    numbers = headlines(answers, days)
    parts = sections(answers, days)
    ids = {id(figure): f"{section.id}-{place}" for section in parts for place, figure in enumerate(section.figures, 1)}
    html = _template().render(
        sections=parts,
        figure_id=lambda figure: ids[id(figure)],
        # The text of the chart for screen readers. Vega writes it over the label of the element that it draws in.
        charts={
            ids[id(figure)]: {**figure.chart, "description": _spoken(figure)}
            for figure in _figures(parts)
            if figure.chart
        },
        spoken=_spoken,
        headlines=numbers,
        first=day_text(days.first),
        last=day_text(days.last),
        number_of_days=len(days.all()),
        most_days=SHOWN_DAYS,
        timezone=timezone,
        run_id=run_id,
        written_at=moment(written_at),
        **_fixed(),
    )
    return Page(html, numbers)


def _figures(parts: Sequence[Section]) -> list[Figure]:
    return [figure for section in parts for figure in section.figures]


def _spoken(figure: Figure) -> str:
    return f"Chart: {figure.title}. Its numbers are in the data table below."


@cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(HERE)
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True).get_template(
        "page.html"
    )


@cache
def _fixed() -> dict[str, Any]:
    """The common parts of all pages: style, script, the chart library (packed to a third of its size) and the digests of both scripts."""
    library = chart_library()
    script = (HERE / "page.js").read_text(encoding="utf-8")
    return {
        "style": Markup((HERE / "page.css").read_text(encoding="utf-8")),
        "script": Markup(script),
        "library": library.packed,
        "digests": Markup(f"'sha256-{digest_of(script)}' 'sha256-{library.digest}'"),
    }
