"""Turns rows into Vega-Lite charts, built and validated by Altair. Colours are the page's CSS variables, so both themes share a chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import altair as alt

from sessionization_dagster.report.parts import Spec

Series = Sequence[tuple[date, str, float]]

# With more days, a mark on each point is clutter, and bars need no gap.
DAYS_WITH_POINTS = 45
ROW_HEIGHT = 30
# Width in pixels, rounded up, of a character in the text at a bar's end. It gives the room to the right of the longest bar.
CHARACTER_WIDTH = 8
WHOLE = ",d"
DAY_HEIGHT = 240
LABELLED_DAYS = 6


def days_axis(field: str, days: Sequence[date]) -> alt.X:
    """The horizontal axis of days, of which at most six have a label. Days are midnights in UTC, whatever the reader's timezone is."""
    labelled = [_millis(day) for day in days[:: -(-len(days) // LABELLED_DAYS)]]
    axis = alt.Axis(format="%-d %b", labelOverlap=True, values=labelled, grid=False, labelFlush=True)
    return alt.X(f"{field}:T", title=None, axis=axis, scale=alt.Scale(type="utc", nice=False))


def line_over_area(line: str, area: str, values: Sequence[tuple[date, float, float]]) -> Spec:
    """A line in front of an area, for each (day, line's value, area's value). Both are visible where they are equal."""
    rows = [
        {"at": _millis(day), "day": f"{day}", "line": low, "area": high, "line_name": line, "area_name": area}
        for day, low, high in values
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=days_axis("at", [day for day, *_ in values]))
    color = alt.Scale(domain=[line, area], range=["var(--series-1)", "var(--series-2)"])
    legend = alt.Legend(orient="top", symbolType="square", symbolStrokeWidth=0, symbolOpacity=1)
    y_axis = alt.Axis(format=WHOLE, tickCount=5, tickMinStep=1)
    areas = base.mark_area(opacity=0.35).encode(
        y=alt.Y("area:Q", title=None, axis=y_axis, stack=None),
        color=alt.Color("area_name:N", title=None, scale=color, legend=legend),
    )
    lines = base.mark_line(strokeWidth=2.2, point=len(values) <= DAYS_WITH_POINTS).encode(
        y=alt.Y("line:Q", title=None, axis=y_axis),
        color=alt.Color("line_name:N", title=None, scale=color, legend=legend),
    )
    # A rule as wide as a day catches the pointer. (Vega-Lite's nearest point would work too, but loses texts of its tooltip.)
    pointed = alt.selection_point(name="pointed", on="pointerover", fields=["at"], empty=False, clear="pointerout")
    rule = (
        base.mark_rule(strokeWidth=alt.ExprRef(f"max(3, width / {len(values)})"), color="var(--ink)")
        .encode(
            opacity=alt.condition(pointed, alt.value(0.15), alt.value(0)),
            tooltip=[
                alt.Tooltip("day:N", title="Day"),
                alt.Tooltip("line:Q", title=line, format=WHOLE),
                alt.Tooltip("area:Q", title=area, format=WHOLE),
            ],
        )
        .add_params(pointed)
    )
    return _spec(alt.layer(areas, lines, rule), DAY_HEIGHT)


def stacked_days(series: Series, days: Sequence[date], unit: str, kind: str) -> Spec:
    """Bars by day, stacked by name. The axis has every day, also days without a value."""
    names = list(dict.fromkeys(name for _, name, _ in series))
    # Invisible values, so that the axis begins and ends with these days.
    edges = [(day, names[0], 0) for day in (days[0], days[-1])]
    rows = [
        {"at": _millis(day), "day": f"{day}", "series": name, "place": names.index(name), "value": value}
        for day, name, value in [*series, *edges]
    ]
    # The names are in the scale's domain, which is data. A sort by them would put them into an expression, which must parse.
    legend = alt.Legend(orient="top") if len(names) > 1 else None
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar()
        .encode(
            x=days_axis("at", days).timeUnit("utcyearmonthdate"),
            y=alt.Y("value:Q", title=None, stack="zero", axis=alt.Axis(format=WHOLE, tickCount=4, tickMinStep=1)),
            color=alt.Color("series:N", title=None, scale=alt.Scale(domain=names), legend=legend),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("day:N", title="Day"),
                alt.Tooltip("series:N", title=kind),
                alt.Tooltip("value:Q", title=unit, format=WHOLE),
            ],
        )
    )
    return _spec(chart, DAY_HEIGHT - 40)


def ranked_bars(rows: Sequence[tuple[str, int, str]], name: str, unit: str) -> Spec:
    """One horizontal bar for each (label, value, share), in the order given. Value and share are at its end."""
    texts = [f"{value:,} · {share}" for _, value, share in rows]
    values = [
        {"label": label, "value": value, "share": share, "text": text}
        for (label, value, share), text in zip(rows, texts, strict=True)
    ]
    top = max((value for _, value, _ in rows), default=0) or 1
    text_width = CHARACTER_WIDTH * max(map(len, texts), default=0)
    room = alt.Scale(domain=[0, top], nice=False, range=[0, alt.ExprRef(f"max(10, width - {text_width})")])
    base = alt.Chart(alt.InlineData(values=values)).encode(
        y=alt.Y("label:N", title=None, sort=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=8)),
        x=alt.X("value:Q", title=None, axis=None, scale=room),
        tooltip=[
            alt.Tooltip("label:N", title=name),
            alt.Tooltip("value:Q", title=unit, format=WHOLE),
            alt.Tooltip("share:N", title="Share"),
        ],
    )
    bars = base.mark_bar(cornerRadiusEnd=3, height={"band": 0.66})
    texts = base.mark_text(align="left", baseline="middle", dx=6).encode(text="text:N")
    return _spec(alt.layer(bars, texts), ROW_HEIGHT * max(len(rows), 1))


def grouped_bars(rows: Sequence[tuple[str, str, float]], name: str, kind: str, unit: str) -> Spec:
    """Horizontal bars for (label, kind, value), in the order given. Each label has one bar per kind, side by side."""
    labels, kinds = list(dict.fromkeys(label for label, _, _ in rows)), list(dict.fromkeys(kind for _, kind, _ in rows))
    values = [{"label": label, "kind": kind_of, "value": value} for label, kind_of, value in rows]
    chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            y=alt.Y("label:N", title=None, sort=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=8)),
            yOffset=alt.YOffset("kind:N", scale=alt.Scale(domain=kinds)),
            x=alt.X("value:Q", title=None, axis=alt.Axis(format="~s", tickCount=5)),
            color=alt.Color("kind:N", title=None, scale=alt.Scale(domain=kinds), legend=alt.Legend(orient="top")),
            tooltip=[
                alt.Tooltip("label:N", title=name),
                alt.Tooltip("kind:N", title=kind),
                alt.Tooltip("value:Q", title=unit, format=",.1f"),
            ],
        )
    )
    return _spec(chart, 12 * len(labels) * len(kinds))


def heat_map(rows: Sequence[tuple[str, int, int, float]], row_name: str, column_name: str, unit: str) -> Spec:
    """A cell for each (row, column, value, share of 0..1), darker for a larger share. Rows are in the order given."""
    values = [
        {"row": row, "column": column, "value": value, "share": share, "text": f"{share:.0%}"}
        for row, column, value, share in rows
    ]
    base = alt.Chart(alt.InlineData(values=values)).encode(
        y=alt.Y("row:N", title=None, sort=None, axis=alt.Axis(ticks=False, domain=False)),
        x=alt.X(
            "column:O",
            title=column_name,
            axis=alt.Axis(orient="top", ticks=False, domain=False, labelAngle=0, labelOverlap=True),
        ),
        tooltip=[
            alt.Tooltip("row:N", title=row_name),
            alt.Tooltip("column:O", title=column_name),
            alt.Tooltip("value:Q", title=unit, format=WHOLE),
            alt.Tooltip("text:N", title="Share"),
        ],
    )
    # Opacity instead of lightness, so that it works on the background of either theme.
    cells = base.mark_rect(color="var(--series-1)", cornerRadius=2).encode(
        opacity=alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.06, 1]), legend=None)
    )
    return _spec(cells, (ROW_HEIGHT - 4) * len({row for row, *_ in rows}) + ROW_HEIGHT)


def _millis(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _spec(chart: alt.Chart | alt.LayerChart | alt.FacetChart, height: int) -> Spec:
    """The chart as JSON-like data. It takes the width of its place on the page, and its style from the page."""
    spec: Spec = chart.properties(width="container", height=height).to_dict()
    # Remove Altair's theme and the schema's address: the page has its own theme and needs no address.
    spec.pop("config", None)
    spec.pop("$schema", None)
    return {**spec, "autosize": {"type": "fit-x", "contains": "padding"}}
