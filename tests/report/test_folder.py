"""Reports in a folder: the latest under its own name, old ones removed, others' files kept, and what is said where none can be written."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.report.folder import Folder, keep_report
from sessionization_dagster.report.queries import Days

DAYS = Days(date(2024, 1, 1), date(2024, 1, 31))


def test_the_newest_stay_and_others_files_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    for number in range(5):
        name = keep_report(Folder(folder), f"page {number}", DAYS, f"{number:08d}-and-more", kept=3)
        # Files of one moment sort by nothing.
        os.utime(folder / name, (1000 + number, 1000 + number))
        (folder / "sessions_notes.html").write_text("mine")
    assert sorted(file.name for file in folder.iterdir()) == [
        "latest.html",
        "sessions_2024-01-01_2024-01-31_00000002.html",
        "sessions_2024-01-01_2024-01-31_00000003.html",
        "sessions_2024-01-01_2024-01-31_00000004.html",
        "sessions_notes.html",
    ]
    assert (folder / "latest.html").read_text() == (folder / name).read_text() == "page 4"


def test_a_write_that_fails_leaves_the_latest_as_it_was(tmp_path: Path) -> None:
    keep_report(Folder(tmp_path), "good", DAYS, "00000001")
    with pytest.raises(UnicodeEncodeError):
        keep_report(Folder(tmp_path), "half a page, then \ud800", DAYS, "00000002")
    assert (tmp_path / "latest.html").read_text() == "good"
    assert not list(tmp_path.glob(".*"))


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WarehouseError, match=r"file/reports: Not a directory\. Let this user .* SESSIONIZATION_REPORT"):
        keep_report(Folder(tmp_path / "file" / "reports"), "page", DAYS, "00000001")
