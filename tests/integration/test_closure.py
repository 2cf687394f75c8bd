"""The raw rows that a sample brings along decide all about its visitors: the model says the same of them as of all rows.

The rows come from the warehouse's own closure, the tables from the plain-Python model: every visitor alone, without a dbt run for each.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sessionization_dagster.rebuild.visitor_sample import SCRATCH, RawData, SampleRequest, take_sample
from tests.integration.thin_driver import ThinDriver
from tests.oracle import model
from tests.oracle.compare import difference
from tests.oracle.model import RawRow, Settings

FIRST, LAST = datetime(2024, 3, 10), datetime(2024, 3, 13)
# Table -> the column that names the visitor, and None where it is the client.
OF_VISITORS = {
    "rudderstack.dbt_aliases_mapping": "dbt_visitor_id",
    "rudderstack.dbt_track_facts": "dbt_visitor_id",
    "segment.segment_users": "user_id",
}
OF_CLIENTS = {"measure_js.users": "client_id", "measure_js.events_sessionated": "client_id"}


def crowd(seed: int) -> list[RawRow]:
    """People with a few devices each, devices of several people, kiosks, alias calls, and event ids that were sent twice."""
    rng = Random(seed)
    users = [f"u{n}" for n in range(40)]
    devices = {f"d{n}": rng.sample(users, rng.choice((0, 1, 1, 1, 2, 3))) for n in range(60)}
    devices |= {f"kiosk{n}": rng.sample(users, 8) for n in range(2)}
    rows: list[RawRow] = []
    for number in range(500):
        device = rng.choice([*devices, "kiosk0"])
        user = rng.choice([*devices[device], None, None])
        rows.append(
            RawRow(
                rng.choice(("tracks", "tracks", "identifies")), f"e{number}",
                anonymous_id=rng.choice((device, device, device, None)) if user else device,
                user_id=user, timestamp=_instant(rng), event="seen",
            )
        )  # fmt: skip
    for number in range(6):
        earlier, user = rng.choice([*devices, *users]), rng.choice(users)
        rows.append(RawRow("aliases", f"a{number}", previous_id=earlier, user_id=user, timestamp=_instant(rng)))
    for number in range(40):
        # The same id on the same day from somebody else: the earlier one counts, and takes a login from the other.
        twin, device = rng.choice(rows[:500]), rng.choice(list(devices))
        assert twin.timestamp is not None
        rows.append(
            RawRow(
                "tracks", twin.id, anonymous_id=device, user_id=rng.choice([*devices[device], None]), event=f"copy {number}",
                timestamp=twin.timestamp.replace(hour=rng.randint(0, 23)),
            )
        )  # fmt: skip
    return [RawRow(**{**vars(row), "traits": (("number", str(place)),)}) for place, row in enumerate(rows)]


def _instant(rng: Random) -> datetime:
    return FIRST + timedelta(minutes=rng.randint(0, 4 * 24 * 60 - 1))


@pytest.mark.parametrize("policy", ["latest_user", "first_user", "merge"])
def test_the_rows_of_a_closure_say_of_its_visitor_what_all_rows_say(policy: str, tmp_path: Path) -> None:
    rows = crowd(len(policy))
    settings = Settings(identity_policy=policy, max_users_per_alias=2, blocked_ids=("nobody",))
    driver = ThinDriver(tmp_path, settings)
    driver.land(rows)
    driver.run_events(FIRST.date(), LAST.date())
    driver.run_identity(FIRST.date(), LAST.date())
    everything = model.tables(rows, settings, FIRST.date(), LAST.date())
    graph = everything["rudderstack.dbt_aliases_mapping"]
    visitors = sorted({row["dbt_visitor_id"] for row in graph})
    assert len(visitors) > 15
    sizes = []
    for visitor in visitors:
        closure = closure_of(driver, visitor, rows)
        sizes.append(len(closure))
        found = model.tables(closure, settings, FIRST.date(), LAST.date())
        ids = {row["alias"] for row in graph if row["dbt_visitor_id"] == visitor} | {visitor}
        for table, column in {**OF_VISITORS, **OF_CLIENTS}.items():
            owners = {visitor} if table in OF_VISITORS else ids
            columns = model.columns(settings)[table]
            expected, actual = ([row for row in side[table] if row[column] in owners] for side in (everything, found))
            text = difference(expected, actual, model.KEYS[table], columns)
            assert text is None, (visitor, table, text)
    assert min(sizes) < len(rows) / 4, "a closure that takes all rows proves nothing"


def closure_of(driver: ThinDriver, visitor: str, rows: list[RawRow]) -> list[RawRow]:
    """The rows that a sample of this visitor copies."""
    raw = RawData.of(driver.project.manifest, driver.tables, driver.settings.blocked_ids)
    path = driver.warehouse.path.with_name("copied.duckdb")
    path.unlink(missing_ok=True)
    with driver.warehouse.read_beside(path, SCRATCH) as connection:
        sample = take_sample(connection, raw, SampleRequest(size=1, salt="", visitors=(visitor,)))
        assert sample.visitors == (visitor,)
        copied: list[dict[str, Any]] = []
        for table in driver.tables:
            copied += connection.query(f"select properties from {SCRATCH}.raw.{table.name}").to_pylist()
    assert len(copied) == sample.raw_rows
    return [rows[int(json.loads(row["properties"])["number"])] for row in copied]


def test_a_visitor_with_whom_too_many_rows_hang_together_is_left_out_and_reported(tmp_path: Path) -> None:
    rows = crowd(1)
    driver = ThinDriver(tmp_path, Settings(identity_policy="merge", max_users_per_alias=2))
    driver.land(rows)
    driver.run_events(FIRST.date(), LAST.date())
    driver.run_identity(FIRST.date(), LAST.date())
    raw = RawData.of(driver.project.manifest, driver.tables, ())
    samples = []
    for max_rows in (len(rows), 100):
        with driver.warehouse.read_beside(tmp_path / f"{max_rows}.duckdb", SCRATCH) as connection:
            samples.append(take_sample(connection, raw, SampleRequest(size=100, salt="x", max_rows=max_rows)))
    whole, small = samples
    assert not whole.skipped
    assert whole.raw_rows > small.raw_rows > 0
    assert set(small.visitors) | set(small.skipped) == set(whole.visitors)
    assert small.skipped
    assert small.visitors
