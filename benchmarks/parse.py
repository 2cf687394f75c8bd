"""How long dbt takes to parse the project, which it does once for each state of its files: `python -m benchmarks.parse --timings FILE`."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from sessionization_dagster.dbt.project import DbtProject
from sessionization_dagster.settings.environment import Environment


def main() -> None:
    """Parse into a folder of its own, so that what is cached stays as it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timings", type=Path, required=True)
    arguments = parser.parse_args()
    project = DbtProject.of(Environment.from_env({"SESSIONIZATION_DUCKDB_PATH": ":memory:"}))
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        project.runner_in(Path(folder)).parse()
        arguments.timings.write_text(json.dumps({"parse": time.perf_counter() - began}))


if __name__ == "__main__":
    main()
