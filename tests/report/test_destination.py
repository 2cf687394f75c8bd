"""Where reports are written: chosen by target and settings, without a request; and values that are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sessionization_dagster.cli.__main__ import main
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.report.destination import report_place
from sessionization_dagster.report.folder import Folder
from sessionization_dagster.settings.environment import Environment

DUCKDB = {
    "SESSIONIZATION_DUCKDB_PATH": "/data/shop.duckdb",
    "SESSIONIZATION_LANDING": "/data/landing",
    "DAGSTER_HOME": "/home/dagster",
}
BIGQUERY = {
    "SESSIONIZATION_TARGET": "bigquery", "BIGQUERY_PROJECT": "my-project", "BIGQUERY_DATASET": "shop", "BIGQUERY_LOCATION": "EU",
    "DAGSTER_HOME": "/home/dagster",
}  # fmt: skip


def latest(env: dict[str, str], named: str = "") -> str:
    return report_place(Environment.from_env({**env, "SESSIONIZATION_REPORT": named})).address("latest.html")


def test_a_folder_beside_the_warehouse_or_in_the_home_of_dagster() -> None:
    assert latest(DUCKDB) == "/data/reports/latest.html"
    assert latest(BIGQUERY) == "/home/dagster/reports/latest.html"
    assert latest({**BIGQUERY, "DAGSTER_HOME": ""}) == str(Path.cwd() / "data/dagster/reports/latest.html")


@pytest.mark.parametrize("env", [DUCKDB, BIGQUERY], ids=["duckdb", "bigquery"])
def test_a_folder_that_is_named(env: dict[str, str]) -> None:
    assert latest(env, "/srv/pages/") == "/srv/pages/latest.html"
    assert latest(env, "pages") == str(Path.cwd() / "pages/latest.html")
    place = report_place(Environment.from_env({**env, "SESSIONIZATION_REPORT": "/srv/my pages"}))
    assert place == Folder(Path("/srv/my pages"))
    assert place.url("latest.html") == "file:///srv/my%20pages/latest.html"


@pytest.mark.parametrize(
    ("named", "address"),
    [
        ("gs://my-bucket", "gs://my-bucket/latest.html"),
        ("gs://my-bucket/", "gs://my-bucket/latest.html"),
        ("gs://my-bucket/shop/reports/", "gs://my-bucket/shop/reports/latest.html"),
    ],
)
def test_a_bucket_that_is_named(named: str, address: str) -> None:
    assert latest(BIGQUERY, named) == address
    place = report_place(Environment.from_env({**BIGQUERY, "SESSIONIZATION_REPORT": named}))
    assert place.url("latest.html") == address.replace("gs://", "https://storage.cloud.google.com/")


@pytest.mark.parametrize(
    ("env", "named", "says"),
    [
        (DUCKDB, "gs://my-bucket/reports", "a bucket, gs://..., is for SESSIONIZATION_TARGET=bigquery"),
        (DUCKDB, "/data/landing/reports", "Name a folder that is apart from it"),
        (DUCKDB, "/data/landing", "Name a folder that is apart from it"),
        (BIGQUERY, "s3://my-bucket/reports", "like gs://my-bucket/reports"),
        (BIGQUERY, "gs://My_Bucket", "like gs://my-bucket/reports"),
        ({**BIGQUERY, "SESSIONIZATION_LANDING": "gs://my-bucket/raw/"}, "gs://my-bucket/raw/reports", "apart from it"),
        ({**BIGQUERY, "SESSIONIZATION_LANDING": "gs://my-bucket"}, "gs://my-bucket/reports", "apart from it"),
    ],
)
def test_what_cannot_be_written_is_refused(env: dict[str, str], named: str, says: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(says)) as caught:
        latest(env, named)
    assert f"SESSIONIZATION_REPORT is '{named}'" in str(caught.value)


def test_a_bucket_may_hold_raw_files_and_reports() -> None:
    assert latest({**BIGQUERY, "SESSIONIZATION_LANDING": "gs://my-bucket/raw"}, "gs://my-bucket/raw_reports")


def test_the_command_names_the_newest_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {**BIGQUERY, "SESSIONIZATION_REPORT": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    assert main(["report"]) == 1
    assert f"There is no report yet: {tmp_path}/latest.html" in capsys.readouterr().err
    (tmp_path / "latest.html").write_text("")
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert main(["report", "--open"]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/latest.html\n"
    assert opened == [(tmp_path / "latest.html").as_uri()]
