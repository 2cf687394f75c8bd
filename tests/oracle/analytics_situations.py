"""The situations of one landing that the analytics tables turn on, found in its events and in the tables."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

from .inputs import Settings
from .situations import MICRO, State, true_names
from .touches import host, is_within, site

ENCODED_UMLAUT, BROKEN = "m%C3%BCller", ("100%", "%E4%41", "%zz")


def in_urls(state: State) -> set[str]:
    """Situations of urls and of what leads to them."""
    settings = state.settings
    events = [event for event in state.events if event["event_type"] in settings.session_event_types]
    urls = [event["url"] or "" for event in events]
    pairs = [(site(event["referrer"]), event) for event in events if event["referrer"]]
    hosts = {name: kind for name, _, kind in settings.seeds.referrer_hosts}
    ignored = settings.seeds.ignored_referrers
    names = [name for _, name, *_ in settings.seeds.click_ids]
    return {f"referrer of type {hosts[name]}" for name, _ in pairs if name in hosts} | true_names(
        {
            "url that is not of the web": any(url and host(url) is None for url in urls),
            "url with encoded characters": any(ENCODED_UMLAUT in url for url in urls),
            "url with a broken sequence": any(text in url for url in urls for text in BROKEN),
            "url with a question mark in its fragment": any(
                "#" in url.partition("?")[0] and "?" in url for url in urls
            ),
            "blank parameter": any("utm_source=&" in f"{url}&" or "utm_source=+&" in f"{url}&" for url in urls),
            "parameter twice": any(url.count("utm_source=") > 1 for url in urls),
            "two click ids": any(sum(f"{name}=c" in url for name in names) > 1 for url in urls),
            "campaign in columns": any(event["utm_source"] for event in events),
            "campaign in the column search": any("utm_source" in (event["search"] or "") for event in events),
            "referrer of the own site": any(name and name == site(event["url"]) for name, event in pairs),
            "referrer of the own site but for www": any(
                name and name == site(event["url"]) and host(event["referrer"]) != host(event["url"])
                for name, event in pairs
            ),
            "referrer of an own domain": any(
                name and is_within(name, domain) for name, _ in pairs for domain in settings.own_domains
            ),
            "ignored referrer": any(name in ignored for name, _ in pairs),
            "subdomain of an ignored referrer": any(
                name and name != domain and is_within(name, domain) for name, _ in pairs for domain in ignored
            ),
            "referrer that is not of the web": any(name is None for name, _ in pairs),
            "referrer of an unknown host": any(name == "blog.example" for name, _ in pairs),
        }
    )


def in_visits(state: State) -> set[str]:
    """Situations of sessions."""
    rows = state.tables["analytics.sessions"]
    starts: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        starts[row["dbt_visitor_id"]].append(row)
    later = [
        (a, b) for its in starts.values() for a in its for b in its if a["session_start_at"] < b["session_start_at"]
    ]
    direct = "(direct)"
    return (
        {f"channel {row['channel_group']}" for row in rows}
        | {f"traffic {row['traffic_type']}" for row in rows}
        | true_names(
            {
                "bounce": any(row["is_bounce"] for row in rows),
                "no bounce": any(row["is_bounce"] is False for row in rows),
                "bounce unknown": any(row["is_bounce"] is None for row in rows),
                "engaged time cut": any(row["engaged_seconds"] < row["session_duration_seconds"] for row in rows),
                "value of a conversion": any(row["conversion_value"] for row in rows),
                "value below nothing": any(row["conversion_value"] < 0 for row in rows),
                "conversion without a value": any(
                    row["conversion_count"] and not row["conversion_value"] for row in rows
                ),
                "landing without a url": any(row["landing_url"] is None for row in rows),
                "landing without a path": any(row["landing_url"] and row["landing_path"] is None for row in rows),
                "exit elsewhere": any(row["landing_url"] != row["exit_url"] for row in rows),
                "direct after a touch": any(
                    row["touch_source"] == direct != row["last_non_direct_source"] for row in rows
                ),
                "touch too old": any(a["touch_source"] != direct == b["last_non_direct_source"] for a, b in later),
                "os of a user agent": any(row["os"] for row in rows if row["browser"]),
            }
        )
    )


def in_attribution(state: State) -> set[str]:
    """Situations of conversions and visitors."""
    rows = state.tables["analytics.attribution"]
    lookback = timedelta(days=state.settings.attribution_lookback_days)
    ages = {row["conversion_at"] - row["touch_at"] for row in rows}
    touching = [row for row in state.tables["analytics.sessions"] if row["touch_source"] != "(direct)"]
    near_misses = {
        row["conversion_at"] - lookback - session["session_start_at"]
        for row in rows
        for session in touching
        if row["dbt_visitor_id"] == session["dbt_visitor_id"]
    }
    names = defaultdict(set)
    for row in rows:
        names[row["conversion_event_id"], row["conversion_date"]].add(row["conversion_name"])
    own_touch = {row["session_key"]: row["touch_source"] for row in touching}
    usual = Settings()
    return {f"conversion of {min(row['touch_count'], 4)} touches" for row in rows} | true_names(
        {
            "conversion owed to nobody": any(row["touch_source"] == "(direct)" for row in rows),
            "own touch too old": any(
                row["touch_source"] == "(direct)" and row["session_key"] in own_touch for row in rows
            ),
            "touch at the end of the lookback": lookback in ages,
            "touch a microsecond too old": MICRO in near_misses,
            "touch at the conversion": timedelta() in ages,
            "two conversions of one event": any(len(its) > 1 for its in names.values()),
            "visitor of several days": len(state.tables["analytics.visitor_days"])
            > len(state.tables["analytics.visitors"]),
            "other lookback": state.settings.attribution_lookback_days != usual.attribution_lookback_days,
            **{
                f"day {kind}": any(row["lifecycle"] == kind for row in state.tables["analytics.visitor_days"])
                for kind in ("new", "returning", "resurrected")
            },
            "later week": any(row["week_number"] for row in state.tables["analytics.retention_weekly"]),
            "cohort of several": any(row["cohort_size"] > 1 for row in state.tables["analytics.retention_weekly"]),
            "channel of several sessions": any(row["sessions"] > 1 for row in state.tables["analytics.channels_daily"]),
        }
    )
