"""A warehouse for a benchmark: a landing folder with links to the made files of some days, and the command that runs days."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.recorder import Record, Recorder

#: The eight tables, what they need, and what is rejected.
RUDDERSTACK = '+key:"rudderstack/*" or key:"core/rejected_events"'
EVERYTHING = "*"


@dataclass(frozen=True)
class BenchmarkWarehouse:
    """One DuckDB file with its landing folder, below a folder of its own.

    Attributes:
        folder: where both lie.
        made: the landing folder that links go to.
        first_day: its first partition.
        last_day: its last one.
        families: those that are made, separated by commas; empty: all.
    """

    folder: Path
    made: Path
    first_day: date
    last_day: date
    families: str = ""

    @property
    def landing(self) -> Path:
        """Its landing folder."""
        return self.folder / "landing"

    @property
    def database(self) -> Path:
        """Its file. The stem is the same for all: dbt parses the project anew for another one."""
        return self.folder / "sessionization.duckdb"

    def variables(self) -> dict[str, str]:
        """The environment variables that say so."""
        return {
            "SESSIONIZATION_TARGET": "duckdb",
            "SESSIONIZATION_SOURCES": "rudderstack",
            "SESSIONIZATION_TIMEZONE": "UTC",
            "SESSIONIZATION_FAMILIES": self.families,
            "SESSIONIZATION_DUCKDB_PATH": str(self.database),
            "SESSIONIZATION_LANDING": str(self.landing),
            "SESSIONIZATION_START_DATE": self.first_day.isoformat(),
            "SESSIONIZATION_END_DATE": self.last_day.isoformat(),
            # A new instance each: its event log grows, and that is not what is compared.
            "DAGSTER_HOME": str(self.folder / "dagster"),
            "SESSIONIZATION_ALERT_WEBHOOK": "",
        }

    def link(self, days: Iterable[date]) -> None:
        """Put the made files of these days into the landing folder."""
        for day in days:
            for made in sorted(self.made.glob(f"*/*/{day}.parquet")):
                link = self.landing / made.relative_to(self.made)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(made.absolute())

    def run(
        self,
        recorder: Recorder,
        scenario: str,
        variant: str,
        first_and_last: tuple[date, date],
        select: str = RUDDERSTACK,
        warm: bool = False,
        **facts: Any,
    ) -> Record:
        """Measure the project's command for the days from the first to the last."""
        arguments = ["benchmarks.ours", *(["--warm"] if warm else []), "{timings}"]
        first, last = (day.isoformat() for day in first_and_last)
        arguments += ["--from", first, "--to", last, "--select", select]
        return recorder.measure(scenario, variant, arguments, self.variables(), **facts)

    def remove(self) -> None:
        """Delete it: a year's warehouse is large."""
        shutil.rmtree(self.folder, ignore_errors=True)
