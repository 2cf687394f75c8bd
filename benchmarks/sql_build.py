"""A whole build by SQL statements: `python -m benchmarks.sql_build floor LANDING OUT.duckdb [--timings FILE]`."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import duckdb

from sessionization_dagster.dbt.project import PROJECT_DIR

FOLDER = Path(__file__).parent
#: Build -> its files, beside this one, in order.
BUILDS = {
    "floor": ("floor_events.sql", "floor_tables.sql"),
    "floor, one pass": ("floor_events.sql", "floor_one_pass.sql"),
    "seed": ("seed.sql",),
}


def statements(name: str, landing: Path, files: str = "*") -> list[str]:
    """The statements of a build, for the raw files of a landing folder that match (by the part before .parquet)."""
    blocked = ", ".join("'" + name.replace("'", "''") + "'" for name in ["", *_blocked_ids()])
    text = "\n".join((FOLDER / file).read_text() for file in BUILDS[name]).replace("{blocked_ids}", blocked)
    text = text.replace("{landing}", str(landing)).replace("{files}", files)
    return [statement.query.strip() for statement in duckdb.extract_statements(text)]


def _blocked_ids() -> list[str]:
    import yaml

    blocked: list[str] = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text())["vars"]["blocked_ids"]
    return blocked


def build(name: str, landing: Path, database: Path, files: str = "*") -> list[tuple[str, float]]:
    """Run the statements on a new database; return the first line and the seconds of each."""
    timings = []
    database.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for statement in statements(name, landing, files):
            began = time.perf_counter()
            connection.execute(statement)
            code = [line for line in statement.splitlines() if line and not line.startswith("--")]
            timings.append((code[0], time.perf_counter() - began))
        began = time.perf_counter()
    # Closing writes what the log beside the file holds into it.
    timings.append(("close", time.perf_counter() - began))
    return timings


def main() -> None:
    """Build, and write the timings where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sql", choices=BUILDS)
    parser.add_argument("landing", type=Path)
    parser.add_argument("database", type=Path)
    parser.add_argument("--files", default="*")
    parser.add_argument("--timings", type=Path)
    arguments = parser.parse_args()
    timings = build(arguments.sql, arguments.landing, arguments.database, arguments.files)
    if arguments.timings:
        parts = {"sql": sum(seconds for _, seconds in timings), "statements_split": timings}
        arguments.timings.write_text(json.dumps(parts))


if __name__ == "__main__":
    main()
