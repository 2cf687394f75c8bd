"""A deployment's vars: each of its type, and an error that names the file, the line and the remedy."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml

from sessionization_dagster.dbt.project import PROJECT_DIR, DbtProject
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.settings.settings_file import OF_ENVIRONMENT, Rules, read_settings


def project(path: Path, text: str) -> DbtProject:
    path.write_text(text)
    return DbtProject.of(Environment.from_env({"SESSIONIZATION_SETTINGS": str(path)}))


def test_every_var_of_the_project_has_a_type() -> None:
    declared = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text())["vars"]
    assert set(Rules.model_fields) == set(declared) - set(OF_ENVIRONMENT)


def test_package_and_dbt_project_have_one_version() -> None:
    package = tomllib.loads((PROJECT_DIR.parent / "pyproject.toml").read_text())["project"]["version"]
    assert yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text())["version"] == package


def test_vars_of_the_file_are_the_projects(tmp_path: Path) -> None:
    text = "session_timeout_seconds: 900\nblocked_ids: [0, tester]\nreplayed_loads: [2026-01-31]\ncounted_events: {cnt_login: login}\n"
    settings = project(tmp_path / "my.yml", text).settings
    assert settings["session_timeout_seconds"] == 900
    assert settings["blocked_ids"] == [0, "tester"]
    assert settings["replayed_loads"] == ["2026-01-31"]
    assert settings["counted_events"] == {"cnt_login": "login"}
    assert "flow_length" not in settings
    assert not set(project(tmp_path / "empty.yml", "# nothing yet\n").settings) & set(Rules.model_fields)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("session_timeout_seconds: abc", "session_timeout_seconds is 'abc'. It must be a valid integer"),
        ("session_timeout_seconds: -5", "session_timeout_seconds is -5. It must be greater than 0"),
        ("session_timeout_seconds: 1800.5", "session_timeout_seconds is 1800.5"),
        ("flow_length: 0", "flow_length is 0. It must be greater than or equal to 2"),
        ("session_event_types: [track, pages]", "session_event_types has 'pages'. It must be 'track', 'page'"),
        ("session_event_types: []", "session_event_types is"),
        ("identity_policy: newest_user", "identity_policy is 'newest_user'. It must be 'latest_user', 'first_user' or 'merge'"),
        ("identity_policy: ''", "identity_policy is ''. It must be 'latest_user', 'first_user' or 'merge'"),
        ("max_users_per_alias: 0", "max_users_per_alias is 0. It must be greater than 0"),
        ("counted_events: {weird name: x}", "counted_events has the key 'weird name', which can be no column"),
        ("segment_user_traits: ['e-mail']", "segment_user_traits has 'e-mail', which can be no column"),
        ("max_rejected_share: 5", "max_rejected_share is 5"),
        ("replayed_loads: ['31.1.2026']", "replayed_loads has '31.1.2026'"),
        ("sesion_timeout_seconds: 5", "'sesion_timeout_seconds' is no var. Is session_timeout_seconds meant?"),
        ("colour: red", "'colour' is no var. There are: session_timeout_seconds, "),
        ("sources: [segment]", "sources is set by the variable SESSIONIZATION_SOURCES. Take it out here"),
        ("keep_ip: maybe", "keep_ip is 'maybe'"),
        ("own_domains: ['https://shop.example/']", "Give a host without scheme and path, like shop.example."),
        ("engaged_gap_seconds: 40", "engaged_gap_seconds is there more than once. Keep one."),
        ("counted_events: {cnt_login: login, cnt_login: signed_in}", "cnt_login is there more than once. Keep one."),
    ],
)  # fmt: skip
def test_a_bad_value_is_named_with_its_line_and_what_is_allowed(line: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "my.yml"
    with pytest.raises(SettingsError) as refused:
        project(path, f"# My settings.\nengaged_gap_seconds: 30\n{line}\n")
    assert str(refused.value).startswith(f"{path}, line 3: ")
    assert says in str(refused.value)


def test_a_bad_default_is_found_in_its_place(tmp_path: Path) -> None:
    copy = tmp_path / "dbt_project"
    (copy / "models" / "staging" / "rudderstack").mkdir(parents=True)
    text = (PROJECT_DIR / "dbt_project.yml").read_text()
    (copy / "dbt_project.yml").write_text(text.replace("flow_length: 5", "flow_length: five"))
    line = text.splitlines().index("  flow_length: 5") + 1
    with pytest.raises(SettingsError, match=f"dbt_project.yml, line {line}: flow_length is 'five'"):
        DbtProject.of(Environment.from_env({}), project_dir=copy)


@pytest.mark.parametrize("text", ["", "# Nothing yet.\n", "[]\n", "false\n"])
def test_an_empty_file_changes_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / "my.yml"
    path.write_text(text)
    assert read_settings(path) == {}


def test_aliases_and_merges_are_no_repeated_keys(tmp_path: Path) -> None:
    path = tmp_path / "my.yml"
    path.write_text("a: &a {one: 1}\nb: &b {two: 2}\nboth:\n  <<: *a\n  <<: *b\nitself: &i {inside: *i}\n")
    settings = read_settings(path)
    assert settings["both"] == {"one": 1, "two": 2}
    assert settings["itself"]["inside"] is settings["itself"]


@pytest.mark.parametrize(
    ("text", "says"),
    [(None, "cannot be read"), ("- a\n- b\n", "holds no settings"), ("a: [\n", "is no YAML")],
)
def test_a_file_that_is_none_is_named(text: str | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "my.yml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError, match=says) as refused:
        DbtProject.of(Environment.from_env({"SESSIONIZATION_SETTINGS": str(path)}))
    assert str(path) in str(refused.value)


def test_a_callers_vars_are_checked_too() -> None:
    with pytest.raises(SettingsError, match="The settings given: flow_length is 1"):
        DbtProject.of(Environment.from_env({}), {"flow_length": 1})
