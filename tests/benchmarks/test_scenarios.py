"""The command itself, on next to nothing: what is measured runs, and is written down."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.recorder import read_records

SIZES = ["--large", "2_000", "--days", "3", "--repeats", "1", "--quick"]


def test_scenarios_run_and_leave_their_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that need no more than the project does; the others are made of the same parts."""
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(
        sys,
        "argv",
        [
            "benchmarks",
            *SIZES,
            "--events",
            "20_000",
            "--only",
            "parse",
            "analytics",
            "identity",
            "large",
            "--work",
            str(tmp_path / "work"),
        ],
    )
    assert command.main() == 0
    (results,) = (tmp_path / "results").iterdir()
    records = {(record["scenario"], record.get("variant")): record for record in read_records(results)}
    assert records["parse", "dbt"]["parts"]["parse"] > 0
    assert records["identity graph", "full"]["parts"]["identity"] > 0
    assert records["large", "ours"]["parts"]["sql"] > 0
    assert records["large", "ours"]["peak_bytes"] > records["large", "floor"]["peak_bytes"] > 10_000_000
    with_it, without = (records["analytics", f"a day {variant}"]["parts"]["sql"] for variant in ("with", "without"))
    assert min(with_it, without) > 0
    rows = records["large", "rows"]["rows"]
    assert rows["dbt_mapped_tracks"] > 1_000
