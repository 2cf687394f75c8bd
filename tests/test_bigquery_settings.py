"""Settings of target bigquery: what a team needs to give, and errors that name variable and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.defs.resources import build_warehouse
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse
from sessionization_dagster.warehouses.dialect import Places

NEEDED = {
    "SESSIONIZATION_TARGET": "bigquery",
    "BIGQUERY_PROJECT": "shop-123",
    "BIGQUERY_DATASET": "analytics",
    "BIGQUERY_LOCATION": "europe-west3",
}


def test_four_variables_are_all_that_is_needed() -> None:
    environment = Environment.from_env(NEEDED)
    warehouse = build_warehouse(environment)
    assert warehouse == BigQueryWarehouse(
        Places("shop-123", "analytics", {"rudderstack": "analytics"}), "europe-west3", timeout_seconds=3600
    )
    assert (
        DbtProject.of(environment).settings.items()
        >= {
            "bigquery_project": "shop-123",
            "bigquery_dataset": "analytics",
            "bigquery_location": "europe-west3",
            "bigquery_endpoint": None,
            "bigquery_keyfile": None,
            "bigquery_maximum_bytes_billed": None,
            "bigquery_timeout_seconds": 3600,
        }.items()
    )
    assert DbtProject.of(environment).settings["raw_datasets"] == {"rudderstack": "analytics"}


def test_all_of_them_reach_warehouse_and_dbt(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text("{}")
    given = {
        **NEEDED,
        "SESSIONIZATION_SOURCES": "rudderstack,segment",
        "SESSIONIZATION_RAW_DATASETS": " rudderstack = loaders-123.rudder_prod ,",
        "SESSIONIZATION_RAW_LOAD_TIMES": "rudderstack=received_at",
        "SESSIONIZATION_RAW_EVENT_TABLES": " rudderstack = order_completed, Produkt_gewählt ,order_completed; segment=signed_up ;",
        "BIGQUERY_API_ENDPOINT": "http://127.0.0.1:9050/",
        "BIGQUERY_KEYFILE": str(key),
        "BIGQUERY_MAX_BYTES_BILLED": "1000000",
        "BIGQUERY_TIMEOUT_SECONDS": "60",
    }
    environment = Environment.from_env(given)
    raw = {"rudderstack": "loaders-123.rudder_prod", "segment": "analytics"}
    assert build_warehouse(environment) == BigQueryWarehouse(
        Places("shop-123", "analytics", raw), "europe-west3", "http://127.0.0.1:9050", str(key), 1_000_000, 60
    )
    settings = DbtProject.of(environment).settings
    assert settings["raw_datasets"] == {"rudderstack": "rudder_prod", "segment": "analytics"}
    assert settings["raw_projects"] == {"rudderstack": "loaders-123"}
    assert settings["raw_load_times"] == {"rudderstack": "received_at"}
    assert settings["raw_event_tables"] == {
        "rudderstack": ["order_completed", "Produkt_gewählt"],
        "segment": ["signed_up"],
    }
    assert (settings["bigquery_keyfile"], settings["bigquery_timeout_seconds"]) == (str(key), 60)


def test_raw_tables_may_lie_in_another_project() -> None:
    given = {
        "SESSIONIZATION_SOURCES": "rudderstack,segment",
        "SESSIONIZATION_RAW_DATASETS": "rudderstack=loaders-123.rudder_prod",
    }
    sources = DbtProject.of(Environment.from_env({**NEEDED, **given})).manifest.json["sources"]
    tables = [sources[f"source.sessionization.raw.{name}"] for name in ("rudderstack_tracks", "segment_tracks")]
    assert [(table["database"], table["schema"]) for table in tables] == [
        ("loaders-123", "rudder_prod"),
        ("shop-123", "analytics"),
    ]


def test_files_of_a_bucket_fill_our_own_raw_tables() -> None:
    environment = Environment.from_env({**NEEDED, "SESSIONIZATION_LANDING": "gs://my-bucket/landing/"})
    assert environment.bigquery is not None
    assert environment.bigquery.bucket == "gs://my-bucket/landing"
    assert environment.bigquery.raw_datasets == {}


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("BIGQUERY_PROJECT", "", "not set.*a project's id"),
        ("BIGQUERY_PROJECT", "My Project", "a project's id"),
        ("BIGQUERY_PROJECT", "123456789", "not its number"),
        ("BIGQUERY_DATASET", "", "not set.*letters"),
        ("BIGQUERY_DATASET", "an-alytics", "underscores"),
        ("BIGQUERY_LOCATION", "", "not set.*europe-west3"),
        ("BIGQUERY_LOCATION", "the moon", "europe-west3"),
        ("BIGQUERY_API_ENDPOINT", "localhost:9050", "http://127.0.0.1:9050"),
        ("BIGQUERY_KEYFILE", "/no/such/file.json", "gcloud auth"),
        ("BIGQUERY_MAX_BYTES_BILLED", "100 GB", "whole number of bytes"),
        ("BIGQUERY_MAX_BYTES_BILLED", "0", "whole number of bytes"),
        ("BIGQUERY_TIMEOUT_SECONDS", "-1", "whole number of seconds"),
        ("SESSIONIZATION_RAW_DATASETS", "rudder_prod", "source=dataset pairs"),
        ("SESSIONIZATION_RAW_DATASETS", "rudderstack=my-set", "source=dataset pairs"),
        ("SESSIONIZATION_RAW_DATASETS", "segment=seg", "SESSIONIZATION_SOURCES has rudderstack"),
        ("SESSIONIZATION_RAW_DATASETS", "rudderstack=a.b.c", "source=dataset pairs"),
        ("SESSIONIZATION_RAW_LOAD_TIMES", "received_at", "source=column pairs"),
        ("SESSIONIZATION_RAW_EVENT_TABLES", "order_completed", "source=table,table"),
        ("SESSIONIZATION_RAW_EVENT_TABLES", "rudderstack=", "source=table,table"),
        ("SESSIONIZATION_RAW_EVENT_TABLES", "rudderstack=a,segment=b", "source=table,table"),
        ("SESSIONIZATION_RAW_EVENT_TABLES", "rudderstack=set.order_completed", "source=table,table"),
        ("SESSIONIZATION_RAW_EVENT_TABLES", "rudderstack=order'", "source=table,table"),
        ("SESSIONIZATION_RAW_EVENT_TABLES", "segment=order_completed", "SESSIONIZATION_SOURCES has rudderstack"),
        ("SESSIONIZATION_LANDING", "s3://bucket/landing", "gs://my-bucket"),
    ],
)
def test_a_bad_value_is_named_with_the_remedy(variable: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        Environment.from_env({**NEEDED, variable: value})
    assert variable in str(caught.value)
    assert value.strip() in str(caught.value)


def test_vendor_tables_and_files_exclude_each_other() -> None:
    with pytest.raises(SettingsError, match="Unset one of them"):
        Environment.from_env(
            {**NEEDED, "SESSIONIZATION_LANDING": "gs://my-bucket/a", "SESSIONIZATION_RAW_DATASETS": "rudderstack=r"}
        )


def test_event_tables_are_for_vendor_tables_alone() -> None:
    named = {"SESSIONIZATION_RAW_EVENT_TABLES": "rudderstack=order_completed"}
    with pytest.raises(SettingsError, match=r"SESSIONIZATION_RAW_EVENT_TABLES is .*Unset one of them"):
        Environment.from_env({**NEEDED, "SESSIONIZATION_LANDING": "gs://my-bucket/a", **named})
    with pytest.raises(
        SettingsError, match=r"SESSIONIZATION_RAW_EVENT_TABLES is .*unset it, or set SESSIONIZATION_TARGET"
    ):
        Environment.from_env(named)


def test_a_bucket_is_for_bigquery_alone() -> None:
    with pytest.raises(SettingsError, match="SESSIONIZATION_TARGET=bigquery"):
        Environment.from_env({"SESSIONIZATION_LANDING": "gs://my-bucket/landing"})


def test_other_targets_do_not_look_at_them() -> None:
    assert Environment.from_env({"BIGQUERY_LOCATION": "the moon"}).bigquery is None
