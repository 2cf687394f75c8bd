"""Records the files of `make demo` beside its settings, and removes them in `make clean`. Nothing that anybody else made is touched."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import dagster as dg
import duckdb

from sessionization_dagster.report.folder import LATEST, OURS
from sessionization_dagster.settings.environment import dagster_home, reports_folder

RECORD = "demo_made.json"


@dataclass
class Made:
    """The record of the demos on one Dagster home.

    Attributes:
        landing: the folder that the sample was landed in.
        files: landed file -> its size and its last modification in nanoseconds since 1970.
        warehouse: its file; None if another run had made the file before.
        home: whether a demo made the Dagster home, and no other command.
        runs: ids of the demos' runs.
    """

    landing: str = ""
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    warehouse: str | None = None
    home: bool = False
    runs: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, home: Path) -> Made | None:
        """Read the record of a Dagster home; None if there is no record."""
        path = home / RECORD
        return cls(**json.loads(path.read_text())) if path.exists() else None

    def save(self, home: Path) -> None:
        """Write the record."""
        (home / RECORD).write_text(json.dumps(asdict(self)))

    def add_files(self, landing: Path, paths: Iterable[Path]) -> None:
        """Add sample files that were landed just now."""
        self.landing = str(landing)
        self.files |= {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in paths}


def run_ids(home: Path) -> set[str]:
    """The ids of the runs that a Dagster home knows."""
    if not (home / "dagster.yaml").exists():
        return set()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        return set(instance.get_run_ids())


def clean(home: Path) -> list[str]:
    """Remove what demos made, unless something else was added to it. Return the things that were left, and why.

    Raises:
        duckdb.Error: the warehouse is in use.
    """
    made = Made.load(home)
    if made is None:
        return [f"{home}: no record of a demo, so only files that tools left behind are removed"]
    left = []
    foreign = _foreign_files(made)
    for name, state in made.files.items():
        path = Path(name)
        if path.exists() and (path.stat().st_size, path.stat().st_mtime_ns) == tuple(state):
            path.unlink()
            _remove_empty(path.parent, Path(made.landing).parent)
        elif path.exists():
            left.append(f"{path}: changed since the demo landed it")
    if made.warehouse is not None and foreign:
        left.append(f"{made.warehouse}: holds rows of files that no demo landed, like {foreign[0]}")
    elif made.warehouse is not None:
        _remove_warehouse(Path(made.warehouse))
    others = run_ids(home) - set(made.runs)
    if foreign or others or not made.home:
        left.append(
            f"{home}: knows of {len(others)} runs that no demo started" if others else f"{home}: not the demo's alone"
        )
    else:
        shutil.rmtree(home)
        _remove_empty(home.parent, home.parent)
    return left


def _foreign_files(made: Made) -> list[str]:
    """Files with rows in the demo's warehouse that no demo landed."""
    if made.warehouse is None or not Path(made.warehouse).exists():
        return []
    known = {(Path(name).relative_to(made.landing).as_posix(), size) for name, (size, _) in made.files.items()}
    with duckdb.connect(made.warehouse, read_only=True) as connection:
        tables = connection.execute(
            "select 1 from duckdb_tables() where schema_name = 'raw' and table_name = 'landed_files'"
        ).fetchall()
        rows = connection.execute("select source_file, size_bytes from raw.landed_files").fetchall() if tables else []
    return sorted(name for name, size in rows if (name, size) not in known)


def _remove_warehouse(path: Path) -> None:
    """Remove the file, DuckDB's files beside it, and its reports."""
    for file in (path, path.with_name(f"{path.name}.wal")):
        file.unlink(missing_ok=True)
    reports = reports_folder(path)
    for report in reports.iterdir() if reports.is_dir() else ():
        if OURS.fullmatch(report.name) or report.name == LATEST:
            report.unlink()
    _remove_empty(reports, path.parent)


def _remove_empty(folder: Path, top: Path) -> None:
    """Remove a folder and those above it, up to and including top, as long as they are empty."""
    while folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        if folder == top:
            return
        folder = folder.parent


def main(env: Mapping[str, str] = os.environ) -> int:
    """Clean the Dagster home that the environment names, and return the exit code."""
    try:
        for text in clean(dagster_home(env)):
            print(f"Left: {text}")
    except duckdb.Error as error:
        print(f"Nothing was removed: the warehouse cannot be read ({str(error).splitlines()[0]}).", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
