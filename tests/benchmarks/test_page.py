"""The page from measurements: medians, ratios and targets by hand, the same page from the same file, and parts that were not measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.page import PAGE, write_page
from benchmarks.recorder import read_records, renew
from benchmarks.summary import Summary
from benchmarks.targets import targets

MACHINE = {
    "scenario": "machine", "repeats": 3, "measured_on": "2026-01-02", "cpus": 2, "memory_bytes": 24 * 2**30,
    "python": "3.11.7", "duckdb": "2.0.0",
}  # fmt: skip


def record(scenario: str, variant: str, seconds: float, sql: float, **facts: Any) -> dict[str, Any]:
    parts = dict.fromkeys(
        ("start", "landing", "identity", "models", "statements", "tests", "dbt", "dagster", "run"), 1.0
    )
    return {
        "scenario": scenario, "variant": variant, "seconds": seconds, "cpu_seconds": seconds, "peak_bytes": 3 * 2**30,
        "read_bytes": 10**9, "parts": {**parts, "sql": sql}, **facts,
    }  # fmt: skip


FULL = {"events": 1_000_000, "days": 30}
RECORDS = [
    MACHINE,
    *(record("full", "floor", 12.0, sql, **FULL) for sql in (9.0, 10.0, 90.0)),
    *(record("full", "ours", 30.0, sql, **FULL) for sql in (14.0, 16.0, 1.0)),
    record("one more day", "floor on the day alone", 1.0, 0.5, day_events=1000),
    *(record("one more day", "ours", 20.0, 1.0 + days / 100, history=days, day_events=1000) for days in (30, 90)),
    *(record("merge", "ours", 20.0, 2.0, reach_days=days, devices=10, later_events=100) for days in (0, 30)),
]


def page_of(records: list[dict[str, Any]], folder: Path) -> str:
    results = folder / "results.json"
    folder.mkdir(exist_ok=True)
    results.write_text("".join(json.dumps(line) + "\n" for line in records))
    write_page(results, folder)
    return (folder / "performance.md").read_text()


def test_figures_are_medians_and_ratios_of_medians(tmp_path: Path) -> None:
    page = page_of(RECORDS, tmp_path)
    assert "| floor | 10.0 | 1.00 × | 12.0 | 1.00 × | 83,333 | 3.00 | 1,000 |" in page
    assert "| ours | 14.0 | 1.40 × | 30.0 | 2.50 × | 33,333 | 3.00 | 1,000 |" in page
    assert "| 90 days | 1.9 | 3.80 × | 1.46 × | 20.0 |" in page


def test_targets_are_met_or_not(tmp_path: Path) -> None:
    met = {target.name: target.is_met for target in targets(Summary(RECORDS))}
    assert met["Full build, SQL, of the floor"] is True
    assert met["Full build, whole, of the floor"] is False
    assert met["Full build, SQL, times faster than the seed"] is None
    assert met["One more day on 90, SQL, of the same on 30"] is False
    assert "**no**" in page_of(RECORDS, tmp_path)


def test_the_same_file_gives_the_same_page_and_plot(tmp_path: Path) -> None:
    assert page_of(RECORDS, tmp_path / "one") == page_of(RECORDS, tmp_path / "other")
    plots = [(tmp_path / folder / "images" / "performance.svg").read_text() for folder in ("one", "other")]
    assert plots[0] == plots[1]
    assert "Days of history" in plots[0]


def test_what_was_not_measured_is_left_out(tmp_path: Path) -> None:
    page = page_of([MACHINE, *(line for line in RECORDS if line["scenario"] == "full")], tmp_path)
    assert "Everything from raw files" in page
    assert "One more day of" not in page
    assert ".svg" not in page


def test_some_scenarios_are_measured_again(tmp_path: Path) -> None:
    latest, measured = tmp_path / "latest.json", tmp_path / "measured.json"

    def write(file: Path, records: list[dict[str, Any]]) -> None:
        file.write_text("".join(json.dumps(record) + "\n" for record in records))

    again = [record("merge", "ours", 9.0, 1.0, reach_days=0, devices=10, later_events=100)]
    write(measured, [MACHINE, *again])
    renew(latest, measured)
    assert read_records(latest) == [MACHINE, *again]
    write(latest, RECORDS)
    renew(latest, measured)
    first, *others = (kept for kept in RECORDS if kept["scenario"] != "merge")
    # What was not measured again keeps the date on which it was.
    dated = [{"measured_on": MACHINE["measured_on"], **kept} for kept in others]
    assert read_records(latest) == [first, *dated, *again]

    write(measured, [{**MACHINE, "measured_on": "2030-01-02"}, *again])
    renew(latest, measured)
    write_page(latest, tmp_path)
    page = (tmp_path / PAGE).read_text()
    assert "Measured 2030-01-02 on" in page
    assert f"Measured {MACHINE['measured_on']}, with the version of that day: full, one more day." in page

    write(measured, [{**MACHINE, "cpus": 96}, *again])
    with pytest.raises(ValueError, match="measure everything"):
        renew(latest, measured)
