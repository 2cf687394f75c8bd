"""Where reports are: each is written whole or not at all, the latest has a fixed name, old ones are removed. No Dagster, no HTML."""

from __future__ import annotations

import re
from pathlib import Path

from sessionization_dagster.report.queries import Days

LATEST = "latest.html"
KEPT = 30
OURS = re.compile(r"sessions_\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d_\w{8}\.html")


def reports_folder(warehouse_file: Path) -> Path:
    """The folder of reports, beside the warehouse's file."""
    return warehouse_file.parent / "reports"


def keep_report(folder: Path, html: str, days: Days, run_id: str, kept: int = KEPT) -> Path:
    """Write a report and latest.html, and remove all but the newest reports. Returns the report's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"sessions_{days.first}_{days.last}_{run_id[:8]}.html"
    _write(path, html)
    _write(folder / LATEST, html)
    # Other files in the folder belong to somebody else.
    reports = [file for file in folder.iterdir() if OURS.fullmatch(file.name)]
    reports.sort(key=lambda file: (file == path, file.stat().st_mtime_ns), reverse=True)
    for old in reports[kept:]:
        old.unlink(missing_ok=True)
    return path


def _write(path: Path, text: str) -> None:
    """Write a file beside it, then rename, so that a reader never sees half a page."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
