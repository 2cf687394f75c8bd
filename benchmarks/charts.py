"""The page's plot: what one more day costs on ever longer histories, and merges by the events that they move."""

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
        {
            "events": record["later_events"],
            "seconds": record["parts"]["sql"],
            "reach": f"{record['reach_days']:>3} days",
        }
        for record in summary.records
        if record["scenario"] == "merge"
    ]
    days = [row for row in days if row["seconds"] is not None]
    if not days and not merged:
        return None
    seconds = "SQL, seconds"
    left = _chart(days).mark_line(point=True)
    left = left.encode(
        x=alt.X("days:Q", title="Days of history"),
        y=alt.Y("seconds:Q", title=f"{seconds} (log)", scale=alt.Scale(type="log")),
        color=alt.Color("variant:N", title=None, legend=alt.Legend(orient="top")),
    )
    right = _chart(merged).mark_point(filled=True, size=60)
    right = right.encode(
        x=alt.X("events:Q", title="Events of the merged people since"),
        y=alt.Y("seconds:Q", title=seconds),
        color=alt.Color("reach:N", title="back", legend=alt.Legend(orient="top")),
    )
    chart = alt.hconcat(left.properties(title="One more day"), right.properties(title="Merges of people"))
    chart = chart.resolve_scale(color="independent").configure(background="white", font="sans-serif")
    return str(vl_convert.vegalite_to_svg(chart.to_json()))


def _chart(rows: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=rows)).properties(width=320, height=240)
