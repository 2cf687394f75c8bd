"""The source of docs/add-a-source.md on BigQuery, declared as its last section says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from google.cloud import bigquery

from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.settings.environment import Environment
from tests.bigquery.driver import TIMEOUT_SECONDS, BigQueryDriver, environment_variables, raw_dataset
from tests.bigquery.emulator import PROJECT
from tests.integration.real_job import Project
from tests.oracle.model import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "add-a-source.md"
DAY = date(2024, 1, 5)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def write_models(folder: Path) -> None:
    """The page's files: its first source, in the place that its last section names."""
    blocks = re.findall(r"```(yaml|sql)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (declared, *_, placed) = [yaml.safe_load(text) for kind, text in blocks if kind == "yaml"]
    source, place = declared["sources"][0], placed["sources"][0]
    table = source["tables"][0] | place["tables"][0]
    table["config"]["loaded_at_query"] = "select max(opened_at) from {{ this }}"
    declared["sources"] = [{**source, **place, "tables": [table]}]
    folder.mkdir(parents=True)
    (folder / "_support__sources.yml").write_text(yaml.safe_dump(declared))
    (model,) = [text for kind, text in blocks if kind == "sql" and "'support', 'track'" in text]
    (folder / "stg_support__events.sql").write_text(model)


def test_rows_of_a_declared_source_become_events(
    endpoint: str, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_models(tmp_path / "models" / "models" / "staging" / "support")
    (tmp_path / "settings.yml").write_text("own_models: models\n")
    driver = BigQueryDriver(endpoint, Settings(), families=("rudderstack",))  # empties the emulator
    with driver.warehouse.connect() as connection:
        connection.native.create_dataset(raw_dataset("support"), timeout=TIMEOUT_SECONDS)
        types = {"ticket_id": "STRING", "customer_id": "STRING", "opened_at": "TIMESTAMP", "channel": "STRING"}
        schema = [bigquery.SchemaField(name, kind) for name, kind in types.items()]
        tickets = bigquery.Table(f"{PROJECT}.{raw_dataset('support')}.tickets", schema=schema)
        connection.native.create_table(tickets, timeout=TIMEOUT_SECONDS)
    driver.send(
        f"insert into {raw_dataset('support')}.tickets (ticket_id, customer_id, opened_at, channel) values "
        "('T-1', 'user_0428', timestamp '2024-01-05 09:30:00', 'chat'), ('T-2', null, timestamp '2024-01-05 09:31:00', 'mail')"
    )
    monkeypatch.chdir(tmp_path)
    environment = Environment.from_env(
        {
            **environment_variables(endpoint, ["support"]),
            "SESSIONIZATION_START_DATE": DAY.isoformat(),
            "SESSIONIZATION_END_DATE": DAY.isoformat(),
            "SESSIONIZATION_FAMILIES": "rudderstack",
            "SESSIONIZATION_SETTINGS": "settings.yml",
            "SESSIONIZATION_DUCKDB_PATH": str(tmp_path / "data" / "sessionization.duckdb"),
            "SESSIONIZATION_REPORT": str(tmp_path / "reports"),
        }
    )
    Project(environment, build_definitions(environment), instance).run(DAY, DAY)
    with driver.warehouse.connect() as connection:
        found: list[dict[str, Any]] = connection.query(
            "select event_id, user_id, event, json_value(properties, '$.channel') as channel from core.events"
        ).to_pylist()
        rejected = connection.query("select event_id, reason from core.rejected_events").to_pylist()
    assert found == [{"event_id": "T-1", "user_id": "user_0428", "event": "ticket_opened", "channel": "chat"}]
    assert rejected == [{"event_id": "T-2", "reason": "no_identity"}]
