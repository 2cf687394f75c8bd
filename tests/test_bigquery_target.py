"""What is refused before anything is read: sources whose vendors' tables would be one, and event tables that can be none."""

from __future__ import annotations

import pytest

from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.defs.bigquery_target import require_own_tables
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.landing import RawTable
from sessionization_dagster.landing.event_tables import event_tables
from sessionization_dagster.settings.environment import Environment

BIGQUERY = {
    "SESSIONIZATION_TARGET": "bigquery", "BIGQUERY_PROJECT": "my-project", "BIGQUERY_DATASET": "shop", "BIGQUERY_LOCATION": "EU",
}  # fmt: skip
RUDDERSTACK, SEGMENT, MEASURE_JS = (
    RawTable("rudderstack", "tracks", ()),
    RawTable("segment", "tracks", ()),
    RawTable("measure_js", "events", ()),
)


def test_definitions_refuse_two_sources_in_one_dataset() -> None:
    environment = Environment.from_env({**BIGQUERY, "SESSIONIZATION_SOURCES": "measure_js,mixpanel"})
    with pytest.raises(SettingsError, match=r"SESSIONIZATION_RAW_DATASETS.*measure_js=shop,mixpanel=shop_mixpanel"):
        build_definitions(environment)


def test_only_tables_of_one_name_in_one_dataset_are_refused() -> None:
    tables = [RUDDERSTACK, SEGMENT, MEASURE_JS]
    with pytest.raises(SettingsError, match="rudderstack and segment both have a raw table tracks"):
        require_own_tables(tables, {"rudderstack": "raw", "segment": "raw", "measure_js": "raw"})
    require_own_tables(tables, {"rudderstack": "raw", "segment": "seg", "measure_js": "raw"})
    require_own_tables(tables, {})


def test_event_tables_are_declared_as_track_calls_are() -> None:
    calls = RawTable("segment", "tracks", (), at="timestamp", call="track")
    pages = RawTable("segment", "pages", (), at="timestamp", call="page")
    tables = [calls, pages, MEASURE_JS]
    (signed_up,) = event_tables(tables, {"segment": ["signed_up"]})
    assert (signed_up.name, signed_up.at) == ("segment_signed_up", "timestamp")
    with pytest.raises(SettingsError, match=r"RAW_EVENT_TABLES names pages of segment.*Leave it out.*pages, tracks"):
        event_tables(tables, {"segment": ["signed_up", "pages"]})
    with pytest.raises(SettingsError, match=r"RAW_EVENT_TABLES names tables of measure_js.*for each event: segment"):
        event_tables(tables, {"measure_js": ["signed_up"]})
