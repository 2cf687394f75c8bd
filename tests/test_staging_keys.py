"""Keys of stage_events that nobody would read are refused when the definitions load."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.dbt.staging_keys import require_known_keys
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.settings.environment import Environment
from tests.manifests import manifest_of

TYPES = {"id": "VARCHAR", "at": "timestamp", "number": "BIGINT", "user_id": "BIGINT"}


def manifest(*more: str, **given: Any) -> Manifest:
    """A source help with tables tickets(id, at, channel) and calls(number), and a model that stages tickets."""
    canonical = ["event_id", "timestamp", "event_type", "event_sequence", *more]
    staged = {"canonical": canonical, "columns": {}, "expressions": [], "kept": []}
    sources = {"tickets": ["id", "at", "channel"], "calls": ["number", *more]}
    return manifest_of(
        {
            "model.stg_help__events": {
                "depends_on": {"nodes": list(sources)},
                "config": {"meta": {"grain": "raw_row", "staged 1": {**staged, **given}}},
            }
        },
        {
            name: {"columns": {column: {"data_type": TYPES.get(column)} for column in columns}}
            for name, columns in sources.items()
        },
    )


def test_known_keys_pass() -> None:
    require_known_keys(
        manifest(columns={"event_id": ["id", "channel"]}, expressions=["timestamp", "event_type"], kept=["number"])
    )
    require_known_keys(
        manifest("user_id", columns={"timestamp": "at", "event_sequence": "number"}, expressions=["user_id"])
    )


@pytest.mark.parametrize(
    ("more", "columns", "says"),
    [
        ((), {"timestamp": "number"}, "the raw column 'number' is used for timestamp and is BIGINT, not TIMESTAMP"),
        (
            (),
            {"event_id": ["id", "number"]},
            "'number' is used for event_id and is BIGINT, not VARCHAR.*by expressions",
        ),
        ((), {"event_sequence": "id"}, "'id' is used for event_sequence and is VARCHAR, not INTEGER or BIGINT"),
        # A column that is not named has the same name in the raw table.
        (("user_id",), {}, "'user_id' is used for user_id and is BIGINT, not VARCHAR"),
    ],
)
def test_a_column_of_another_type_is_refused(more: tuple[str, ...], columns: Any, says: str) -> None:
    with pytest.raises(SettingsError, match=rf"stg_help__events: .*{says}"):
        require_known_keys(manifest(*more, columns=columns))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"columns": {"evnt_id": "id"}},
            "columns names 'evnt_id', which is not a canonical column.*event_id, timestamp",
        ),
        ({"columns": {"event_type": "id"}}, "columns names 'event_type'"),
        ({"expressions": ["channel"]}, "expressions names 'channel'.*belongs in kept"),
        (
            {"columns": {"event_id": "idd"}},
            "the raw column 'idd', which the source does not declare.*at, channel, id, number",
        ),
        ({"columns": {"event_id": ["id", "idd"]}}, "the raw column 'idd'"),
        ({"kept": ["numbr"]}, "kept names 'numbr', which the source does not declare.*at, channel, id, number"),
        (
            {"columns": {"event_id": "id"}, "expressions": ["event_id"]},
            "event_id is given by columns and by expressions",
        ),
    ],
)
def test_a_key_that_nobody_reads_is_refused(given: Any, says: str) -> None:
    with pytest.raises(SettingsError, match=rf"stg_help__events: .*{says}"):
        require_known_keys(manifest(**given))


def test_the_projects_own_keys_are_noted_and_pass() -> None:
    environment = Environment.from_env({"SESSIONIZATION_SOURCES": "rudderstack,segment,mixpanel,measure_js"})
    found = DbtProject.of(environment).manifest
    require_known_keys(found)
    assert sum(len(model.staged) for model in found.models) >= 4
    without_columns = {source.unique_id: replace(source, columns={}) for source in found.sources}
    broken = replace(found, tables={**found.tables, **without_columns})
    with pytest.raises(SettingsError, match="stg_mixpanel__events: columns gives event_id the raw column 'insert_id'"):
        require_known_keys(broken)
