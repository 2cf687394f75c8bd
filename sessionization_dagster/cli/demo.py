"""`sessionization demo`: lands the sample data and materialises all of its days."""

from __future__ import annotations

import os
from collections.abc import Mapping

from sessionization_dagster.cli.dagster_home import WAREHOUSE, prepare_instance_home, remember_demo_settings
from sessionization_dagster.cli.demo_data import Made, run_ids
from sessionization_dagster.cli.run import materialise
from sessionization_dagster.cli.sample import FIRST_DAY, LAST_DAY, land_sample
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.settings.environment import Environment, Target, dagster_home

SAMPLE_SETTINGS = {
    "SESSIONIZATION_START_DATE": FIRST_DAY.isoformat(),
    "SESSIONIZATION_END_DATE": LAST_DAY.isoformat(),
}


def main(env: Mapping[str, str] = os.environ) -> int:
    """Run the demo with the given environment (by default the process's) and return the exit code.

    Raises:
        SettingsError: a setting cannot be used.
    """
    environment = Environment.from_env({**SAMPLE_SETTINGS, **env})
    if environment.target is not Target.DUCKDB:
        raise SettingsError(
            f"The demo is for DuckDB, and SESSIONIZATION_TARGET is {environment.target}: unset it for the demo."
        )
    before = dagster_home()
    made = Made.load(before) or Made(home=not before.exists())
    if not environment.duckdb_path.exists():
        made.warehouse = str(environment.duckdb_path)
    home = prepare_instance_home()
    paths = land_sample(environment.landing, environment.sources)
    for path in paths:
        print(f"Landing the sample: {path}", flush=True)
    made.add_files(environment.landing, paths)
    made.save(home)
    remember_demo_settings(
        home,
        {
            **SAMPLE_SETTINGS,
            "SESSIONIZATION_SOURCES": ",".join(environment.sources),
            WAREHOUSE: str(environment.duckdb_path),
        },
    )
    runs = run_ids(home)
    code = materialise(environment, FIRST_DAY, LAST_DAY)
    made.runs += sorted(run_ids(home) - runs)
    made.save(home)
    return code
