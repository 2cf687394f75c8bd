"""What is refused before anything is read: sources whose vendors' tables would be one."""

from __future__ import annotations

import pytest

from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.environment import Environment
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.landing import RawTable
from sessionization_dagster.production import require_own_tables

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
