"""`make demo`: the sample data landed and all of its days materialised."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from sessionization_dagster.environment import Environment
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.instance import prepare_instance_home, remember_demo_settings
from sessionization_dagster.run import materialise

SAMPLE = Path(__file__).parent / "sample_data" / "ecom_login" / "tracks.parquet"
FIRST_DAY, LAST_DAY = date(2024, 1, 4), date(2024, 6, 29)
SAMPLE_SETTINGS = {
    "SESSIONIZATION_START_DATE": FIRST_DAY.isoformat(),
    "SESSIONIZATION_END_DATE": LAST_DAY.isoformat(),
}


def main(env: Mapping[str, str] = os.environ) -> int:
    """Run the demo with the given environment (the process's by default); returns the exit code."""
    try:
        environment = Environment.from_env({**SAMPLE_SETTINGS, **env})
        print(f"Landing the sample: {SAMPLE.name} -> {environment.landing}/rudderstack/tracks/", flush=True)
        land_sample(environment.landing)
        remember_demo_settings(prepare_instance_home(), SAMPLE_SETTINGS)
        return materialise(environment, FIRST_DAY, LAST_DAY)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2


def land_sample(landing: Path) -> None:
    """Copy the sample into the landing folder, as somebody would their own files."""
    folder = landing / "rudderstack" / "tracks"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy2(SAMPLE, folder / "ecom_login.parquet")


if __name__ == "__main__":
    sys.exit(main())
