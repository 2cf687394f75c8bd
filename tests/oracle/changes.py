"""What happens to a landing after its first load: late, corrected and deleted rows, some aimed at a rule."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from .draws import other_attribute, random_event
from .editor import Editor
from .faults import broken
from .inputs import RawRow
from .intake import event_id
from .landing import Edit, Landing
from .model import tables
from .world import DAY, MICRO, World


class Changes(Editor):
    """Draws edits for one landing and does them to it."""

    def __init__(self, world: World, landing: Landing, withheld: list[RawRow], budget: int) -> None:
        """Begin with the rows that arrive late, and how many rows may still be put altogether."""
        super().__init__(world, landing, budget)
        self.withheld = withheld

    def draw(self) -> list[Edit]:
        """The edits of one random change; possibly none, where the landing offers no place for it."""
        kinds: dict[Callable[[], list[Edit]], int] = {
            self.late_rows: 4,
            self.new_burst: 2,
            self.new_alias: 2,
            self.join_shared_device: 3,
            self.bridge: 2,
            self.unbridge: 2,
            self.delete_some: 2,
            self.delete_alias: 2,
            self.delete_alias_of_hub: 5,
            self.delete_first_of_user: 2,
            self.delete_kept_duplicate: 2,
            self.delete_device_or_file: 2,
            self.leave_shared_device: 3,
            self.correct_user: 3,
            self.correct_time: 4,
            self.correct_attribute: 6,
            self.correct_event: 2,
            self.correct_client: 3,
            self.new_funnel_pass: 1,
            self.break_or_mend: 4,
        }
        return self.rng.choices(list(kinds), list(kinds.values()))[0]()

    # Rows that come.

    def late_rows(self) -> list[Edit]:
        """Some of the rows that were held back."""
        count = self.rng.randint(1, 12)
        late, self.withheld[:] = self.withheld[:count], self.withheld[count:]
        return self.put(late)

    def new_burst(self) -> list[Edit]:
        """A burst of new events, half of the time exactly at a gap from a present one of the same owner."""
        anchors = self.pick(lambda row: row.timestamp and (row.anonymous_id or row.user_id))
        if not anchors or self.rng.random() < 0.5:
            return self.put(self.world.burst())
        _, row = anchors[0]
        start = row.instant + self.rng.choice((-1, 1)) * self.world.gap()
        return self.put(self.world.burst(start, [(row.anonymous_id, row.user_id), (row.anonymous_id, None)]))

    def new_funnel_pass(self) -> list[Edit]:
        """A walk through the funnel."""
        return self.put(self.world.funnel_pass())

    def new_alias(self) -> list[Edit]:
        """One or two alias calls, preferably of a device that has more users than the guard allows."""
        allowed = self.world.settings.max_users_per_alias
        crowded = [device for device, users in self._users_of_devices().items() if len(users) > allowed]
        return self.put(self.world.aliases(self.rng.choice([None, *crowded])))

    def join_shared_device(self) -> list[Edit]:
        """Users for a device that has as many as the guard allows, or nearly, until it has one more."""
        world, users_of = self.world, self._users_of_devices()
        allowed = world.settings.max_users_per_alias
        nearly = [device for device, users in users_of.items() if allowed - 1 <= len(users) <= allowed]
        if not nearly:
            return self.put(world.shared_device())
        device = self.rng.choice(nearly)
        joining = [user for user in world.users if user not in users_of[device]]
        count = allowed + 1 - len(users_of[device])
        return self.put(world.row(device, user, world.instant()) for user in joining[:count])

    def bridge(self) -> list[Edit]:
        """An event between two sessions of one visitor, where possible near enough to both to make them one."""
        sessions = self._sessions()
        adjacent = [
            (before[-1], after[0])
            for its in sessions.values()
            for before, after in pairwise(its)
            if after[0]["timestamp"] - before[-1]["timestamp"] <= 2 * self.world.timeout
        ]
        if not adjacent:
            return []
        before, after = self.rng.choice(adjacent)
        at = self.rng.choice((before["timestamp"] + self.world.timeout, after["timestamp"] - self.world.timeout))
        user = None if before["anonymous_id"] else before["dbt_visitor_id"]
        return self.put([self.world.row(before["anonymous_id"], user, at, "tracks")])

    # Rows that go.

    def unbridge(self) -> list[Edit]:
        """Delete an event that alone holds its session together."""
        holding = set()
        for session in (session for its in self._sessions().values() for session in its):
            for before, middle, after in zip(session, session[1:], session[2:], strict=False):
                if after["timestamp"] - before["timestamp"] > self.world.timeout:
                    holding.add((middle["event_id"], middle["timestamp"]))
        sources = self.world.settings.sources
        return self.delete(self.pick(lambda row: (event_id(row, sources), row.timestamp) in holding))

    def delete_some(self) -> list[Edit]:
        """Delete a few rows, whichever."""
        return self.delete(self.pick(lambda row: True, self.rng.randint(1, 3)))

    def delete_alias(self) -> list[Edit]:
        """Delete an alias call."""
        return self.delete(self.pick(lambda row: row.table == "aliases"))

    def delete_alias_of_hub(self) -> list[Edit]:
        """Delete an alias call of an id that such calls join with more others than the guard allows; else make such an id."""
        others: dict[str, set[str]] = defaultdict(set)
        for row in self.landing.rows():
            if row.table == "aliases" and row.previous_id and row.user_id:
                others[row.previous_id].add(row.user_id)
        hubs = {hub for hub, joined in others.items() if len(joined) > self.world.settings.max_users_per_alias}
        calls = self.pick(lambda row: row.table == "aliases" and row.previous_id in hubs)
        return self.delete(calls) if calls else self.put(self.world.hub())

    def delete_first_of_user(self) -> list[Edit]:
        """Delete the first event of a user, who may have named a person by it."""
        user = self.rng.choice(self.world.users)
        its = self.pick(lambda row: row.timestamp and user in (row.user_id, row.anonymous_id), count=250)
        return self.delete([min(its, key=lambda found: found[1].instant)] if its else [])

    def delete_kept_duplicate(self) -> list[Edit]:
        """Delete the earliest row of an event id that several rows carry."""
        rows_by_id: dict[tuple[str, str], list[tuple[str, RawRow]]] = defaultdict(list)
        for file, row in self.landing.located():
            if row.id and row.timestamp:
                rows_by_id[row.source, row.id].append((file, row))
        doubled = [rows for rows in rows_by_id.values() if len(rows) > 1]
        return self.delete([min(self.rng.choice(doubled), key=lambda found: found[1].instant)] if doubled else [])

    def delete_device_or_file(self) -> list[Edit]:
        """Delete everything of a device, or a small file."""
        if self.rng.random() < 0.6:
            device = self.rng.choice(self.world.devices)
            return self.delete(self.pick(lambda row: row.anonymous_id == device, count=20))
        small = [file for file, rows in self.landing.files.items() if len(rows) <= 15]
        return self.delete((file, row) for file in small[:1] for row in self.landing.files[file])

    def leave_shared_device(self) -> list[Edit]:
        """Take users off a device that has more than the guard allows, until it has as many."""
        users_of = self._users_of_devices()
        allowed = self.world.settings.max_users_per_alias
        crowded = [device for device, users in users_of.items() if len(users) > allowed]
        if not crowded:
            return self.join_shared_device()
        device = self.rng.choice(crowded)
        leaving = self.rng.sample(sorted(users_of[device]), len(users_of[device]) - allowed)
        return self.delete(self.pick(lambda row: row.anonymous_id == device and row.user_id in leaving, count=250))

    # Rows that change.

    def correct_user(self) -> list[Edit]:
        """Another user, none, or another device on one row."""
        edits = []
        for file, row in self.pick(lambda row: row.user_id or row.anonymous_id):
            user = self.rng.choice([*self.world.users, None])
            device = self.rng.choice((row.anonymous_id, row.anonymous_id, self.rng.choice(self.world.devices)))
            edits += self.correct(file, row, replace(row, user_id=user, anonymous_id=device))
        return edits

    def correct_time(self) -> list[Edit]:
        """Another time on one row: a microsecond off, at a gap from where it was, or on another day."""
        rng = self.rng
        edits = []
        for file, row in self.pick(lambda row: row.timestamp):
            shift = rng.choice((MICRO, self.world.gap(), timedelta(hours=3), DAY, rng.randint(1, 3) * DAY))
            at = row.instant + rng.choice((-1, 1)) * shift
            edits += self.correct(
                file, row, replace(row, timestamp=at, received_at=self.world.received(at, row.source))
            )
        return edits

    def correct_attribute(self) -> list[Edit]:
        """Another value of one attribute, or other traits, on a few rows."""
        edits = []
        for file, row in self.pick(lambda row: row.table != "aliases", self.rng.randint(1, 3)):
            edits += self.correct(file, row, replace(row, **other_attribute(self.rng, row, self.world.settings)))
        return edits

    def correct_event(self) -> list[Edit]:
        """Another event on one row, half of the time on one that is a stage of the funnel."""
        stages = {event for _, _, event in self.world.settings.funnel} if self.rng.random() < 0.5 else None
        edits = []
        for file, row in self.pick(lambda row: row.event and (stages is None or row.event in stages)):
            edits += self.correct(
                file, row, replace(row, event=random_event(self.rng, row.source, row.table, self.world.settings))
            )
        return edits

    def correct_client(self) -> list[Edit]:
        """A user on a row of a device that had none, or none on all rows of a device that had few with one."""
        users_of = self._users_of_devices()
        joining = self.pick(lambda row: row.anonymous_id and row.anonymous_id not in users_of)
        edits = []
        if self.rng.random() < 0.5:
            for file, row in joining:
                edits += self.correct(file, row, replace(row, user_id=self.rng.choice(self.world.users)))
            return edits
        with_user = self.pick(lambda row: row.anonymous_id and row.user_id, count=250)
        rows_of = Counter(row.anonymous_id for _, row in with_user if row.anonymous_id)
        leaving = min(self.rng.sample(sorted(rows_of), min(3, len(rows_of))), key=rows_of.__getitem__, default=None)
        for file, row in with_user:
            if row.anonymous_id == leaving:
                edits += self.correct(file, row, replace(row, user_id=None))
        return edits

    def break_or_mend(self) -> list[Edit]:
        """A fault on a sound row, or a sound row in place of one that lacks something."""
        if self.rng.random() < 0.5:
            whole = self.pick(lambda row: row.id)
            return [edit for file, row in whole for edit in self.correct(file, row, broken(self.world, row))]
        edits = []
        for file, row in self.pick(lambda row: row.table != "aliases" and not (row.id and row.timestamp)):
            at = row.timestamp or self.world.instant()
            sound = self.world.row(row.anonymous_id, row.user_id, at, row.table, row.source)
            edits += self.correct(file, row, replace(sound, id=row.id or sound.id))
        return edits

    def _users_of_devices(self) -> dict[str, set[str]]:
        """The users that each device has rows with, sound or not."""
        users_of: dict[str, set[str]] = defaultdict(set)
        for row in self.landing.rows():
            if row.anonymous_id and row.user_id:
                users_of[row.anonymous_id].add(row.user_id)
        return users_of

    def _sessions(self) -> dict[str, list[list[dict[str, Any]]]]:
        """The events of each visitor's sessions, as the landing is now."""
        world = self.world
        found: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        settings = replace(world.settings, analytics=False)
        now = tables(self.landing.rows(), settings, world.dates[0], world.dates[-1])
        for row in now["rudderstack.dbt_track_facts"]:
            found[row["dbt_visitor_id"]][row["session_id"]].append(row)
        return {visitor: list(sessions.values()) for visitor, sessions in found.items()}
