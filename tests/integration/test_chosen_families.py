"""What is stored changes: families that come and go, and tables of an earlier version that are views now. Rows stay those of the oracle."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.settings.environment import Environment
from tests.integration.thin_driver import ThinDriver, parsed_project
from tests.oracle.model import RawRow, Settings

FIRST, LAST = date(2024, 3, 10), date(2024, 3, 11)
EVENTS = [
    RawRow("tracks", f"{name} {day} {hour}", name, timestamp=datetime(2024, 3, day, hour), event="page")
    for name in ("ada", "ben")
    for day in (10, 11)
    for hour in (9, 10, 23)
]
LOGIN = RawRow("identifies", "login", "ada", "ben", timestamp=datetime(2024, 3, 11, 12))
LATE = RawRow("tracks", "late", "ben", timestamp=datetime(2024, 3, 10, 9, 20), event="viewed_product")


def chosen(families: str) -> DbtProject:
    return DbtProject.of(Environment.from_env({"SESSIONIZATION_FAMILIES": families}))


def test_definitions_load_with_the_chosen_families_alone(tmp_path: Path) -> None:
    names = {
        "SESSIONIZATION_DUCKDB_PATH": str(tmp_path / "sessionization.duckdb"),
        "SESSIONIZATION_FAMILIES": "mixpanel,segment",
    }
    graph = build_definitions(Environment.from_env(names)).resolve_asset_graph()
    groups = {key.path[0] for key in graph.get_all_asset_keys()}
    assert {"core", "mixpanel", "segment"} <= groups
    assert not groups & {"rudderstack", "measure_js", "analytics"}
    checked = {key.asset_key.to_user_string() for key in graph.asset_check_keys}
    assert not {name.split("/")[0] for name in checked} & {"rudderstack", "measure_js", "analytics"}
    assert {"core/identity_graph", "core/user_agents"} <= checked


def schemas(project: DbtProject) -> set[str]:
    return {model.relation[0] for model in project.manifest.models}


def test_families_come_and_go_and_are_right_whenever_they_are_there(tmp_path: Path) -> None:
    two = chosen("mixpanel, segment")
    assert schemas(two) == {"staging", "core", "monitoring", "mixpanel", "segment"}
    driver = ThinDriver(tmp_path, Settings(), two)
    driver.land(EVENTS)
    driver.run(FIRST, LAST)
    assert not driver.differences(EVENTS, FIRST, LAST)
    with pytest.raises(Exception, match=r"rudderstack"):
        driver.rows("rudderstack.dbt_session_tracks", ["session_id"])

    driver = driver.with_project(parsed_project())
    driver.run(FIRST, FIRST)
    assert not driver.differences(EVENTS, FIRST, LAST)

    driver = driver.with_project(two)
    driver.land([*EVENTS, LATE, LOGIN])
    driver.run(FIRST, LAST)
    assert not driver.differences([*EVENTS, LATE, LOGIN], FIRST, LAST)
    assert not driver.rows("internal.frontier_progress where model in ('client_events', 'users')", ["model"])

    driver = driver.with_project(parsed_project())
    driver.run(LAST, LAST)
    assert not driver.differences([*EVENTS, LATE, LOGIN], FIRST, LAST)


def test_tables_of_an_earlier_version_become_views_and_leave_nothing(tmp_path: Path) -> None:
    driver = ThinDriver(tmp_path, Settings())
    driver.land(EVENTS)
    driver.run_events(FIRST, LAST)
    driver.run_identity(FIRST, LAST)
    with driver.warehouse.connect() as connection:
        for statement in (
            "create schema rudderstack",
            "create table rudderstack.dbt_mapped_tracks as select 'old' as event_id",
            "create table internal.dbt_mapped_tracks__state as select 'old' as entity",
            "create table internal.dbt_mapped_tracks__log as select 7 as sequence",
            "insert into internal.frontier_progress values ('dbt_mapped_tracks', 7, 'g', '', 'f')",
        ):
            connection.execute(statement)
    driver.run_sessions(FIRST, FIRST)
    assert not driver.differences(EVENTS, FIRST, LAST)
    kept = "information_schema.tables where table_name like 'dbt_mapped_tracks%'"
    assert driver.rows(kept, ["table_name", "table_type"]) == [
        {"table_name": "dbt_mapped_tracks", "table_type": "VIEW"}
    ]


def test_what_an_earlier_version_left_to_follow_is_followed(tmp_path: Path) -> None:
    driver = ThinDriver(tmp_path, Settings())
    driver.land(EVENTS)
    driver.run(FIRST, LAST)
    driver.land([*EVENTS, LATE, LOGIN])
    driver.run_events(FIRST, LAST)
    driver.run_identity(FIRST, LAST)
    driver.run_sessions(FIRST, LAST, select="session_events")
    # That version's queue had neither what roots rewrote nor the keys of rollups.
    with driver.warehouse.connect() as connection:
        for column in ("entity", "reprocess_from", "previous_session_at"):
            connection.execute(f"alter table internal.change_queue drop column {column}")
        for name in ("session_events__log", "session_events__located", "client_days__touched", "frontier_tails"):
            connection.execute(f"create table internal.{name} as select 'old' as entity")
    driver.run_sessions(LAST, LAST)
    assert not driver.differences([*EVENTS, LATE, LOGIN], FIRST, LAST)
    left = "information_schema.tables where table_schema = 'internal'"
    assert not {"session_events__log", "session_events__located", "client_days__touched", "frontier_tails"} & {
        row["table_name"] for row in driver.rows(left, ["table_name"])
    }


def test_notes_are_kept_for_those_that_follow_them_and_no_longer(tmp_path: Path) -> None:
    driver = ThinDriver(tmp_path, Settings())
    driver.land(EVENTS)
    driver.run(FIRST, LAST)
    driver.land([*EVENTS, LATE])
    driver.run(FIRST, FIRST)

    def noted() -> set[str]:
        return {row["origin"] for row in driver.rows("internal.change_queue", ["origin"])}

    assert noted() >= {"events", "session_events", "client_events"}
    with driver.warehouse.connect() as connection:
        connection.execute("update internal.frontier_progress set sequence = 0 where model = 'user_agents'")
    driver.run_sessions(LAST, LAST)
    # User agents follow days; what the roots rewrote is for the tables below them.
    assert noted() == {"events", "identity_edges"}


def test_an_unknown_family_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"SESSIONIZATION_FAMILIES names amplitude\. Known: rudderstack, mixpanel"):
        chosen("mixpanel,amplitude")
