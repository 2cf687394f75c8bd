"""Landing folders that change at random, through the landing, all models and the checks of both: no row is lost or doubled."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.dbt.runner import Event
from sessionization_dagster.landing import RemovedFiles
from sessionization_dagster.window import Window
from tests.integration.thin_driver import ThinDriver
from tests.landing.accounted_folders import Landed, landings
from tests.landing.conftest import Case
from tests.landing.fuzzed_folders import CHANGES, Folder, sound_folder
from tests.oracle.model import Settings

SOURCES = ("rudderstack", "segment", "mixpanel", "measure_js")
DAY = date(2024, 3, 4)
LANDINGS = 2
CHECKS = ("assert_landed_files_became_events", "events_conserved")


def query(driver: ThinDriver, sql: str) -> list[dict[str, Any]]:
    with driver.warehouse.connect() as connection:
        return connection.query(sql).to_pylist()


def failed_checks(driver: ThinDriver) -> set[str]:
    """Which of the dbt tests found rows."""
    events: list[Event] = []
    variables = {**driver.variables, **Window(DAY, DAY + timedelta(days=1)).as_dbt_vars()}
    driver.project.runner.invoke(["test", "--select", *CHECKS], variables, events.append)
    results = {event["data"]["node_info"]["node_name"]: event["data"]["node_info"]["node_status"] for event in events}
    assert results.keys() >= set(CHECKS)
    return {name for name, status in results.items() if status != "pass"}


def assert_all_outcomes(driver: ThinDriver, folder: Folder, landed: Landed) -> set[str]:
    """Each raw row is one event or one rejected row, and a file that made no event is found. Returns the reasons."""
    outcomes = query(
        driver,
        """
        select coalesce(properties ->> '$.mark', properties ->> '$.properties.mark') as mark, null as source_file, 'event' as outcome
        from core.events
        union all
        select coalesce(raw ->> '$.properties.mark', raw ->> '$.properties.properties.mark'), source_file, reason
        from core.rejected_events where reason <> 'unreadable'""",
    )
    raw: Counter[str] = Counter()
    for (mark, _, _), count in landed.rows.items():
        raw[mark] += count
    assert Counter(row["mark"] for row in outcomes) == raw, folder.shown(str(outcomes))
    (twice,) = query(
        driver, "select count(*) - count(distinct (event_id, event_date, source)) as events from core.events"
    )
    assert twice["events"] == 0, folder.shown()
    rejected = Counter(row["source_file"] for row in outcomes if row["outcome"] != "event")
    # The check does not ask of files that are gone: nobody can mend those.
    rows: Counter[str] = Counter()
    for (_, file, table), count in landed.rows.items():
        if landed.statuses[file, table] == "loaded":
            rows[file] += count
    is_found = "assert_landed_files_became_events" in failed_checks(driver)
    assert is_found == any(rejected[file] == count > 0 for file, count in rows.items()), folder.shown(str(outcomes))
    return {row["outcome"] for row in outcomes}


@pytest.mark.parametrize(("seed", "removed"), [(3, RemovedFiles.KEEP), (12, RemovedFiles.REMOVE)])
def test_every_row_of_a_changed_folder_is_an_event_or_named(tmp_path: Path, seed: int, removed: RemovedFiles) -> None:
    driver = ThinDriver(tmp_path, Settings(sources=SOURCES))
    folder = sound_folder(random.Random(seed), SOURCES, f"seed {seed}")
    case = Case(tmp_path / "landing", tables=raw_tables(driver.project.manifest, SOURCES), removed=removed)
    # Rows without an id, a time or a person.
    for _ in range(8):
        CHANGES["drop a name"](folder)
    with driver.warehouse.connect() as connection:
        for name in (*(table.name for table in case.tables), "landing_rejects"):
            connection.execute(f"drop table raw.{name}")
        case.connection = connection.native
        *_, landed = landings(case, folder, LANDINGS)
    driver.run(DAY, DAY)
    assert assert_all_outcomes(driver, folder, landed) > {"event"}
