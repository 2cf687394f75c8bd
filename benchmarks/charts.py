"""The page's plot: what one more day costs on ever longer histories, and merges by how far they reach back."""

from __future__ import annotations

from typing import Any

import altair as alt
import vl_convert

from benchmarks.summary import Summary


def plot(summary: Summary) -> str | None:
    """The plot as SVG; None where nothing of it was measured."""
    days = [
        {"days": history, "seconds": summary.part("sql", "one more day", variant, history=history), "variant": label}
        for history in summary.facts("one more day", "history")
        for variant, label in (("ours", "ours"), ("seed on all history", "seed, all history"))
    ]
    floor = summary.part("sql", "one more day", "floor on the day alone")
    days += [
        {"days": history, "seconds": floor, "variant": "floor, the day alone"}
        for history in {row["days"] for row in days}
    ]
    merged = [
        {"days": reach, "seconds": summary.part("sql", "merge", "ours", reach_days=reach)}
        for reach in summary.facts("merge", "reach_days")
    ]
    days = [row for row in days if row["seconds"] is not None]
    if not days and not merged:
        return None
    seconds = "SQL, seconds"
    left = _lines(
        days, alt.Y("seconds:Q", title=f"{seconds} (log)", scale=alt.Scale(type="log")), "Days of history"
    ).encode(color=alt.Color("variant:N", title=None, legend=alt.Legend(orient="top")))
    right = _lines(merged, alt.Y("seconds:Q", title=seconds), "Days that a merge reaches back")
    chart = alt.hconcat(left.properties(title="One more day"), right.properties(title="A merge of people"))
    chart = chart.configure(background="white", font="sans-serif")
    return str(vl_convert.vegalite_to_svg(chart.to_json()))


def _lines(rows: list[dict[str, Any]], y: alt.Y, title: str) -> alt.Chart:
    chart = alt.Chart(alt.InlineData(values=rows)).mark_line(point=True)
    return chart.encode(x=alt.X("days:Q", title=title), y=y).properties(width=320, height=240)
