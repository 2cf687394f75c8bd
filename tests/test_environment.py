"""Settings: defaults, and errors that name the variable and what is allowed."""

from datetime import date
from pathlib import Path

import pytest

from sessionization_dagster.dbt.project import DbtProject, require_own_name
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.settings.environment import Environment, Target


def test_defaults_are_the_contracts() -> None:
    environment = Environment.from_env({})
    assert environment.target is Target.DUCKDB
    assert environment.duckdb_path == Path.cwd() / "data/sessionization.duckdb"
    assert environment.landing == Path.cwd() / "data/landing"
    assert environment.start_date == date(2024, 1, 4)
    assert environment.end_date is None
    assert environment.timezone == "UTC"
    assert environment.sources == ("rudderstack",)


def test_an_empty_variable_counts_as_unset() -> None:
    assert Environment.from_env({"SESSIONIZATION_TIMEZONE": " "}).timezone == "UTC"


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("SESSIONIZATION_TARGET", "snowflake", "Allowed: duckdb, bigquery"),
        ("SESSIONIZATION_TIMEZONE", "Mars/Olympus", "IANA name"),
        ("SESSIONIZATION_TIMEZONE", "../etc/passwd", "IANA name"),
        # Files of a zone database that are no names of zones: DuckDB refuses them, or they mean another zone on each machine.
        ("SESSIONIZATION_TIMEZONE", "localtime", "IANA name"),
        ("SESSIONIZATION_TIMEZONE", "posixrules", "IANA name"),
        ("SESSIONIZATION_TIMEZONE", "posix/Europe/Berlin", "IANA name"),
        ("SESSIONIZATION_TIMEZONE", "Factory", "IANA name"),
        ("SESSIONIZATION_TIMEZONE", "tzdata.zi", "IANA name"),
        ("SESSIONIZATION_START_DATE", "2024-02-30", "YYYY-MM-DD"),
        ("SESSIONIZATION_START_DATE", "yesterday", "YYYY-MM-DD"),
        ("SESSIONIZATION_END_DATE", "2023-01-01", "before SESSIONIZATION_START_DATE"),
        ("SESSIONIZATION_SOURCES", ",", "comma list"),
    ],
)
def test_a_bad_value_is_named_with_the_remedy(variable: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        Environment.from_env({variable: value})
    assert variable in str(caught.value)
    assert value in str(caught.value)


def test_an_unknown_source_is_named_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"names rudder.*rudderstack"):
        DbtProject.of(Environment.from_env({"SESSIONIZATION_SOURCES": "rudder"}))


@pytest.mark.parametrize("name", ["core", "RAW", "internal", "main", "temp", "it's"])
def test_a_file_may_not_be_called_as_what_is_in_it(name: str, tmp_path: Path) -> None:
    project = DbtProject.of(
        Environment.from_env({"SESSIONIZATION_DUCKDB_PATH": str(tmp_path / "sessionization.duckdb")})
    )
    path = tmp_path / f"{name}.duckdb"
    with pytest.raises(SettingsError, match="SESSIONIZATION_DUCKDB_PATH") as caught:
        require_own_name(path, project.manifest)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "meant"), [("SOURCE", "SOURCES"), ("TIME_ZONE", "TIMEZONE"), ("START_DAY", "START_DATE")]
)
def test_a_misspelt_variable_is_named_with_the_one_that_is_meant(name: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=f"SESSIONIZATION_{name} is no setting. Is SESSIONIZATION_{meant} meant"):
        Environment.from_env({f"SESSIONIZATION_{name}": "x"})
    Environment.from_env({"SESSIONIZATION_DATABASE_PASSWORD": "x", f"OTHER_{name}": "x"})


def test_what_becomes_of_removed_files_is_one_of_three() -> None:
    assert Environment.from_env({}).removed_files == "keep"
    with pytest.raises(SettingsError, match=r"SESSIONIZATION_REMOVED_FILES is 'drop'. Allowed: keep, remove"):
        Environment.from_env({"SESSIONIZATION_REMOVED_FILES": "drop"})
