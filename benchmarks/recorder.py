"""Measures commands in child processes and writes each measurement as a JSON line, at once: what was measured survives what fails later."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import psutil

from benchmarks.child import run_child

Record = dict[str, Any]
#: What two measurements must share to be compared.
MACHINE = ("cpus", "memory_bytes", "python", "duckdb")


@dataclass
class Recorder:
    """Writes measurements to a file.

    Attributes:
        results: the file of JSON lines.
        work: a folder for logs and timings.
    """

    results: Path
    work: Path
    _began: float = field(default_factory=time.monotonic)

    def machine(self, **settings: Any) -> None:
        """The first line: where and with what this was measured."""
        self.results.parent.mkdir(parents=True, exist_ok=True)
        self.results.write_text("")
        cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self.write(
            {
                "scenario": "machine",
                "cpus": cpus,
                "memory_bytes": psutil.virtual_memory().total,
                "python": platform.python_version(),
                "duckdb": duckdb.__version__,
                "measured_on": time.strftime("%Y-%m-%d"),
                **settings,
            }
        )

    def measure(
        self,
        scenario: str,
        variant: str,
        arguments: Sequence[str],
        variables: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> Record:
        """Run `python -m arguments` and write what it took, with the timings that it leaves in {timings}."""
        timings = self.work / "timings.json"
        timings.unlink(missing_ok=True)
        command = [sys.executable, "-m", *(part.replace("{timings}", str(timings)) for part in arguments)]
        self.say(f"{scenario}: {variant} {facts} ...")
        usage = run_child(command, self.work / "logs" / f"{scenario}-{variant}.log".replace(" ", "-"), variables)
        parts = json.loads(timings.read_text()) if timings.exists() else {}
        record = {"scenario": scenario, "variant": variant, **facts, **asdict(usage), "parts": parts}
        self.write(record)
        sql = f", SQL {parts['sql']:.1f} s" if "sql" in parts else ""
        self.say(f"    {usage.seconds:.1f} s{sql}, {usage.peak_bytes / 2**30:.2f} GiB")
        return record

    def write(self, record: Record) -> None:
        """Append a line."""
        with self.results.open("a") as file:
            file.write(json.dumps(record) + "\n")

    def say(self, text: str) -> None:
        """Tell on stderr how far it is."""
        print(f"{time.monotonic() - self._began:7.0f} s  {text}", file=sys.stderr, flush=True)


def read_records(results: Path) -> list[Record]:
    """All lines of a file."""
    return [json.loads(line) for line in results.read_text().splitlines() if line]


def renew(latest: Path, measured: Path) -> None:
    """Put the scenarios of one file in the place of those that another has; ValueError where another machine measured these."""
    old, new = read_records(latest) if latest.exists() else [], read_records(measured)
    machines = [{name: record[name] for name in MACHINE} for record in (*old[:1], new[0])]
    if machines[0] != machines[-1]:
        raise ValueError(f"{latest} was measured on {machines[0]}, {measured} on {machines[-1]}: measure everything.")
    scenarios = {record["scenario"] for record in new}
    kept = [{"measured_on": old[0]["measured_on"], **record} for record in old if record["scenario"] not in scenarios]
    latest.write_text("".join(json.dumps(record) + "\n" for record in (new[0], *kept, *new[1:])))
