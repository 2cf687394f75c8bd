"""The Dagster instance folder (DAGSTER_HOME) of `make demo` and `make ui`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from string import Template

from sessionization_dagster.event_log import store_batches_in_bulk
from sessionization_dagster.settings.environment import Environment, Target, dagster_home

TEMPLATE = Path(__file__).parent / "dagster.yaml"
#: The variable that names the warehouse, in the file of the demo's settings.
WAREHOUSE = "SESSIONIZATION_DUCKDB_PATH"


def prepare_instance_home() -> Path:
    """Make the folder DAGSTER_HOME (data/dagster where it is not set) with a dagster.yaml in it. An existing dagster.yaml is kept."""
    home = dagster_home()
    home.mkdir(parents=True, exist_ok=True)
    if not (home / TEMPLATE.name).exists():
        text = Template(TEMPLATE.read_text()).safe_substitute(HOME_OF_INSTANCE=home)
        (home / TEMPLATE.name).write_text(text)
    os.environ["DAGSTER_HOME"] = str(home)
    store_batches_in_bulk()
    # A backfill waits for a code server that does not answer, for example while it restarts, instead of failing.
    os.environ.setdefault("DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR", "1")
    return home


def remember_demo_settings(home: Path, settings: Mapping[str, str]) -> None:
    """Store the demo's warehouse, partition range and sources, so that the UI opens with the same ones."""
    (home / "demo.json").write_text(json.dumps(dict(settings)))


def with_demo_settings(home: Path) -> dict[str, str]:
    """The process's environment. If it names the warehouse of the demo that ran, also the demo's settings where it has none."""
    path = home / "demo.json"
    settings: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    warehouse = settings.pop(WAREHOUSE, None)
    environment = Environment.from_env({**settings, **os.environ})
    is_of_demo = environment.target is Target.DUCKDB and warehouse in (None, str(environment.duckdb_path))
    return {**settings, **os.environ} if is_of_demo else dict(os.environ)
