"""The chart library is bundled once, and again where its file is damaged or cannot be kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import vl_convert

from sessionization_dagster.report.chart_library import SOURCE, chart_library


@pytest.fixture
def bundles(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The bundle; a short text replaces the library."""
    made: list[str] = []

    def bundle(source: str) -> str:
        made.append(source)
        return "draw();\r\n"

    monkeypatch.setattr(vl_convert, "javascript_bundle", bundle)
    return made


def test_a_version_is_bundled_once(tmp_path: Path, bundles: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    first = chart_library(tmp_path / "cache")
    assert chart_library(tmp_path / "cache") == first
    assert bundles == [SOURCE]
    monkeypatch.setattr("sessionization_dagster.report.chart_library.version", lambda _: "another")
    assert chart_library(tmp_path / "cache") == first
    assert len(bundles) == 2


def test_a_damaged_file_is_made_again(tmp_path: Path, bundles: list[str]) -> None:
    first = chart_library(tmp_path)
    (file,) = tmp_path.iterdir()
    for content in ("", "{", '{"packed": "x"}', "[]"):
        file.write_text(content)
        assert chart_library(tmp_path) == first
    assert len(bundles) == 5


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, bundles: list[str]) -> None:
    (tmp_path / "file").write_text("")
    assert chart_library(tmp_path / "file").digest
    assert bundles
