"""Who is who, on the pure functions: the policies' rules by hand, and all of them against the oracle on random sightings."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from sessionization_dagster.identity.graph import Sightings
from sessionization_dagster.identity.policies import IdentitySettings, Policy, resolve
from tests.oracle import model

START = datetime(2024, 1, 1)


@dataclass
class Seen:
    """Events in order, one a second: (anonymous_id, user_id), and alias calls."""

    events: list[tuple[str | None, str | None]] = field(default_factory=list)
    aliases: list[tuple[str, str]] = field(default_factory=list)

    def others_of(self, id_: str) -> set[str]:
        """The ids that alias calls join with one."""
        return {other for pair in self.aliases if id_ in pair for other in pair} - {id_}


def sightings(seen: Seen) -> tuple[list[str], Sightings]:
    calls = [(previous, user) for previous, user in seen.aliases]
    mentions: list[tuple[str | None, int, bool]] = []
    for second, (device, user) in enumerate(seen.events):
        mentions += [(device, second, False), (user, second, True)]
    for place, (previous, user) in enumerate(calls, start=len(seen.events)):
        mentions += [(previous, place, False), (user, place, True)]
    ids = sorted({text for text, _, _ in mentions if text is not None})
    number = {text: place for place, text in enumerate(ids)}
    pairs: dict[tuple[int, int], list[int]] = {}
    for second, (device, user) in enumerate(seen.events):
        if device is not None and user is not None:
            pairs.setdefault((number[device], number[user]), []).append(second)
    return ids, Sightings(
        is_user=np.array([any(text == id_ and user for text, _, user in mentions) for id_ in ids]),
        first_seen=np.array([min(at for text, at, _ in mentions if text == id_) for id_ in ids], dtype=np.int64),
        user_count=np.array(
            [len({user for device, user in pairs if device == number[id_]}) for id_ in ids], dtype=np.int64
        ),
        pair_anonymous=np.array([device for device, _ in pairs], dtype=np.int32),
        pair_user=np.array([user for _, user in pairs], dtype=np.int32),
        pair_first=np.array([min(at) for at in pairs.values()], dtype=np.int64),
        pair_last=np.array([max(at) for at in pairs.values()], dtype=np.int64),
        alias_left=np.array([number[previous] for previous, _ in calls], dtype=np.int32),
        alias_right=np.array([number[user] for _, user in calls], dtype=np.int32),
        alias_count=np.array([len(seen.others_of(id_)) for id_ in ids], dtype=np.int64),
    )


def visitors(seen: Seen, policy: str, guard: int = 5) -> dict[str, str]:
    ids, known = sightings(seen)
    named = resolve(known, IdentitySettings(Policy(policy), guard))
    return {id_: ids[name] for id_, name in zip(ids, named, strict=True)}


def test_a_device_goes_to_its_newest_or_its_oldest_user() -> None:
    seen = Seen([("d", "u1"), ("d", "u2"), ("d", None)])
    assert visitors(seen, "latest_user")["d"] == "u2"
    assert visitors(seen, "first_user")["d"] == "u1"
    assert visitors(seen, "merge") == {"d": "u1", "u1": "u1", "u2": "u1"}


def test_the_earliest_seen_user_names_the_person_and_the_smallest_of_a_tie() -> None:
    assert set(visitors(Seen([("d", "z"), ("d", "a")]), "merge").values()) == {"z"}
    assert visitors(Seen(aliases=[("a", "z")]), "merge") == {"a": "z", "z": "z"}


def test_a_shared_device_links_nobody_but_follows_an_alias() -> None:
    users: list[tuple[str | None, str | None]] = [("d", f"u{n}") for n in range(3)]
    assert visitors(Seen(users), "merge", guard=3) == {"d": "u0", "u0": "u0", "u1": "u0", "u2": "u0"}
    assert visitors(Seen(users), "merge", guard=2) == {"d": "d", "u0": "u0", "u1": "u1", "u2": "u2"}
    assert visitors(Seen(users, [("d", "u1")]), "merge", guard=2)["d"] == "u1"


@pytest.mark.parametrize("policy", list(Policy))
def test_alias_calls_of_an_id_that_is_joined_with_too_many_link_nothing(policy: Policy) -> None:
    calls = [("kiosk", f"u{n}") for n in range(3)]
    assert set(visitors(Seen(aliases=calls), policy, guard=3).values()) == {"u0"}
    found = visitors(Seen([("kiosk", "u2"), ("phone", "u1")], [*calls, ("phone", "u9")]), policy, guard=2)
    assert found["kiosk"] == "u2"  # as though nobody had called: the login says whose it is
    assert found["phone"] == found["u9"]
    assert found["u0"] == "u0"


def test_two_devices_that_an_alias_call_joins_are_named_by_the_one_seen_first() -> None:
    seen = Seen([("z", None), ("a", None)], [("a", "z")])
    ids, known = sightings(seen)
    named = resolve(replace(known, is_user=np.zeros(2, dtype=np.bool_)), IdentitySettings(Policy.LATEST_USER, 5))
    assert [ids[name] for name in named] == ["z", "z"]


def test_an_alias_wins_over_logins() -> None:
    seen = Seen([("d", "u1"), ("e", "u1")], [("d", "u2")])
    for policy in ("latest_user", "first_user"):
        assert visitors(seen, policy) == {"d": "u2", "e": "u1", "u1": "u1", "u2": "u2"}


def test_an_anonymous_id_equal_to_a_user_id_is_that_user() -> None:
    seen = Seen([("same", None), ("d", "same"), ("same", "other")])
    assert visitors(seen, "latest_user") == {"d": "same", "other": "other", "same": "same"}


def test_a_device_without_a_user_is_its_own_visitor() -> None:
    assert visitors(Seen([("d", None)]), "merge") == {"d": "d"}


@pytest.mark.parametrize("policy", list(Policy))
def test_random_sightings_agree_with_the_oracle(policy: Policy) -> None:
    for seed in range(300):
        chance = random.Random(seed)
        ids = [f"d{n}" for n in range(6)] + ["u0", "u1"]
        users = [f"u{n}" for n in range(5)] + ["d0"]
        seen = Seen()
        for _ in range(chance.randrange(1, 25)):
            device = chance.choice(ids)
            seen.events.append((device, chance.choice(users) if chance.random() < 0.4 else None))
        for _ in range(chance.choice([0, 0, 1, 3, 8])):
            seen.aliases.append((chance.choice(ids[:3] if chance.random() < 0.6 else ids), chance.choice(users)))
        guard = chance.choice([1, 2, 5])
        assert visitors(seen, policy, guard) == oracle_visitors(seen, policy, guard), f"seed {seed}: {seen}"


def oracle_visitors(seen: Seen, policy: Policy, guard: int) -> dict[str, str]:
    rows = list(raw_rows(seen))
    settings = model.Settings(identity_policy=policy.value, max_users_per_alias=guard)
    graph = model.tables(rows, settings, START.date(), START.date())["core.identity_graph"]
    return {row["alias"]: row["dbt_visitor_id"] for row in graph}


def raw_rows(seen: Seen) -> Iterable[model.RawRow]:
    for second, (device, user) in enumerate(seen.events):
        at = START + timedelta(seconds=second)
        yield model.RawRow("tracks", f"e{second:04}", anonymous_id=device, user_id=user, timestamp=at, event="e")
    for place, (previous, user) in enumerate(seen.aliases, start=len(seen.events)):
        at = START + timedelta(seconds=place)
        yield model.RawRow("aliases", f"e{place:04}", previous_id=previous, user_id=user, timestamp=at)
