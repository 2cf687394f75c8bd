"""The histories for the analytics tables contain what they promise, and leave those for the other tables as they are."""

from collections import Counter, defaultdict
from random import Random
from typing import Any

import pytest

from .analytics import ANALYTICS_KEYS
from .analytics_situations import in_attribution, in_urls, in_visits
from .compare import difference
from .histories import History, history
from .intake import OPTIONAL
from .landing import is_decidable
from .model import tables
from .seeds import Seeds
from .situations import State

SEEDS = range(60)
# Every situation is in at least this many of the sixty histories.
FEWEST = 4
SITUATIONS = """
blank parameter; bounce; bounce unknown; campaign in columns; campaign in the column search; channel AI Assistant;
channel Affiliates; channel Audio; channel Cross-network; channel Direct; channel Display; channel Email; channel
Mobile Push Notifications; channel Organic Search; channel Organic Shopping; channel Organic Social; channel Organic
Video; channel Paid Other; channel Paid Search; channel Paid Shopping; channel Paid Social; channel Referral; channel
SMS; channel Unassigned; channel of several sessions; cohort of several; conversion of 1 touches; conversion of 2
touches; conversion of 3 touches; conversion of 4 touches; conversion owed to nobody; conversion without a value; day
new; day resurrected; day returning; direct after a touch; engaged time cut; exit elsewhere; ignored referrer; landing
without a path; landing without a url; later week; no bounce; os of a user agent; other lookback; own touch too old;
parameter twice; referrer of an own domain; referrer of an unknown host; referrer of the own site; referrer of the own
site but for www; referrer of type ai; referrer of type email; referrer of type search; referrer of type shopping;
referrer of type social; referrer of type video; referrer that is not of the web; subdomain of an ignored referrer;
touch a microsecond too old; touch at the conversion; touch at the end of the lookback; touch too old; traffic bot;
traffic human; traffic internal; two click ids; two conversions of one event; url that is not of the web; url with a
broken sequence; url with a question mark in its fragment; url with encoded characters; value below nothing; value of
a conversion; visitor of several days
"""


@pytest.fixture(scope="module")
def states() -> list[State]:
    """What lies in the landing at the end of each history."""
    found = [history(seed, Seeds()) for seed in SEEDS]
    return [State(one.final_rows(), one.settings, one.dates) for one in found]


def test_every_situation_occurs(states: list[State]) -> None:
    """Each named situation is found often enough, and each found one is named."""
    counts: Counter[str] = Counter()
    for state in states:
        counts.update(in_urls(state) | in_visits(state) | in_attribution(state))
    promised = {" ".join(name.split()) for name in SITUATIONS.split(";")}
    assert {name: counts[name] for name in promised if counts[name] < FEWEST} == {}
    assert set(counts) - promised == set()


def test_weights_add_up(states: list[State]) -> None:
    """To one for each conversion and model; and the tables agree with one another."""
    for state in states:
        total: dict[tuple[Any, ...], list[float]] = defaultdict(list)
        for row in state.tables["analytics.attribution"]:
            for name in (name for name in row if name.endswith("_weight")):
                total[row["conversion_event_id"], row["conversion_date"], row["conversion_name"], name].append(
                    row[name]
                )
        assert all(sum(weights) == pytest.approx(1, abs=1e-12) for weights in total.values())
        sessions = state.tables["analytics.sessions"]
        for table, column in (
            ("visitors", "conversion_count"),
            ("visitors", "event_count"),
            ("visitor_days", "event_count"),
            ("visitor_days", "page_count"),
        ):
            found = sum(row[column] for row in state.tables[f"analytics.{table}"])
            assert found == sum(row[column] for row in sessions)
        assert len(total) == 5 * sum(row["conversion_count"] for row in sessions)
        assert sum(row["sessions"] for row in state.tables["analytics.channels_daily"]) == len(sessions)


def test_the_order_of_rows_does_not_matter(states: list[State]) -> None:
    """The tables depend on what the landing holds, not on where."""
    for number, state in enumerate(states[:20]):
        rows = list(state.rows)
        assert all(is_decidable(row, rows) for row in rows)
        Random(number).shuffle(rows)
        actual = tables(rows, state.settings, state.dates[0], state.dates[-1])
        for name, key in ANALYTICS_KEYS.items():
            assert difference(state.tables[name], actual[name], key) is None


def test_histories_without_seeds_show_nothing_of_it() -> None:
    """No campaign, no user agent, no number among the properties, and none of the tables."""
    for one in map(history, range(20)):
        assert not one.settings.analytics
        for row in one.final_rows():
            assert not any(getattr(row, name) for name in OPTIONAL if name.startswith("utm_") or name == "user_agent")
            assert all(isinstance(value, str) for _, value in row.traits)


def test_a_seed_gives_the_same_history() -> None:
    """With the same seeds of the tables."""

    def described(one: History) -> str:
        return one.describe()

    again = history.__wrapped__(3, Seeds())
    assert described(again) == described(history(3, Seeds())) != described(history(3))
