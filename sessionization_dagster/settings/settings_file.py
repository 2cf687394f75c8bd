"""The dbt vars that define sessions, visitors and conversions: their names, and the values that each may have.

The defaults are in dbt_project.yml, each with a comment. A deployment's own values are in the file that SESSIONIZATION_SETTINGS names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    StringConstraints,
    ValidationError,
)

from sessionization_dagster.errors import SettingsError

#: Vars that the environment sets.
OF_ENVIRONMENT = {
    "sources": "SESSIONIZATION_SOURCES",
    "families": "SESSIONIZATION_FAMILIES",
    "timezone": "SESSIONIZATION_TIMEZONE",
    "rebuild": "SESSIONIZATION_REBUILD",
}
#: A key of the settings file that is not a var: the folder of the deployment's own models.
OWN_MODELS = "own_models"


def _day(text: str) -> str:
    date.fromisoformat(text)
    return text


def _domain(text: str) -> str:
    if not re.fullmatch(r"[^\s/:@]+", text.strip()):
        raise ValueError("Give a host without scheme and path, like shop.example")
    return text


Column = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=63)]
Text = Annotated[str, StringConstraints(min_length=1)]
Domain = Annotated[str, AfterValidator(_domain)]
Columns = Annotated[list[Column], Field(max_length=500)]
Day = Annotated[str, BeforeValidator(str), AfterValidator(_day)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class Rules(BaseModel):
    """The vars and their types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    session_timeout_seconds: PositiveInt
    session_event_types: Annotated[list[Literal["track", "page", "screen", "identify", "alias"]], Field(min_length=1)]
    identity_policy: Literal["latest_user", "first_user", "merge"]
    max_users_per_alias: PositiveInt
    max_aliases_per_user: PositiveInt
    blocked_ids: list[str | int | float]
    keep_ip: bool
    flow_length: Annotated[int, Field(ge=2, le=100)]
    counted_events: dict[Column, Text]
    segment_user_traits: Columns
    segment_page_fields: Columns
    segment_track_fields: Columns
    own_domains: list[Domain]
    engaged_session_seconds: NonNegativeInt
    engaged_gap_seconds: NonNegativeInt
    attribution_lookback_days: PositiveInt
    returning_days: PositiveInt
    max_lateness_days: NonNegativeInt
    replayed_loads: list[Day]
    max_rejected_share: Share
    min_rejected_rows: NonNegativeInt
    volume_factor: Positive
    volume_deviations: Positive
    volume_min_norm: NonNegativeInt
    stored_views: list[Text]
    require_partition_filter: bool


def read_settings(path: Path) -> dict[str, Any]:
    """The content of a settings file. checked_rules checks it.

    Raises:
        SettingsError: the file cannot be read, is not a mapping, or has a key twice.
    """
    try:
        text = path.read_text()
        found = yaml.safe_load(text)
    except OSError as error:
        raise SettingsError(f"SESSIONIZATION_SETTINGS names {path}, which cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"SESSIONIZATION_SETTINGS names {path}, which is no YAML: {error}") from error
    if not isinstance(found or {}, dict):
        raise SettingsError(
            f"{path} holds no settings. Give a var and its value a line, like session_timeout_seconds: 900."
        )
    for name, line in _repeated_keys(yaml.compose(text), set()):
        raise SettingsError(f"{path}, line {line}: {name} is there more than once. Keep one.")
    return found or {}


def checked_rules(
    defaults: Mapping[str, Any], defaults_file: Path, chosen: Mapping[str, Any], file: Path | None
) -> dict[str, Any]:
    """Check the chosen vars, and return them as they are passed to dbt.

    Args:
        defaults: all vars of dbt_project.yml.
        defaults_file: the file of the defaults.
        chosen: vars that replace them.
        file: the file of the chosen vars; None: a caller passed them.

    Raises:
        SettingsError: a var is unknown, or its value is not allowed. Names the file, the line and what is allowed.
    """
    for name in chosen:
        if name in OF_ENVIRONMENT:
            raise SettingsError(
                f"{_place(file, name)}: {name} is set by the variable {OF_ENVIRONMENT[name]}. Take it out here."
            )
    ours = {name: value for name, value in defaults.items() if name not in OF_ENVIRONMENT}
    try:
        rules = Rules(**{**ours, **chosen})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        place = _place(file, name) if name in chosen else _place(defaults_file, name)
        raise SettingsError(f"{place}: {_said(name, first)}") from error
    return {name: value for name, value in rules.model_dump(mode="json").items() if name in chosen}


def _said(name: str, error: Any) -> str:
    if error["type"] == "extra_forbidden":
        meant = get_close_matches(name, Rules.model_fields, n=1)
        return f"'{name}' is no var. " + (
            f"Is {meant[0]} meant?" if meant else f"There are: {', '.join(Rules.model_fields)}."
        )
    if error["type"] == "missing":
        return f"the var {name} has no value."
    inside = ".".join(str(part) for part in error["loc"][1:])
    if "[key]" in inside:
        return f"{name} has the key {error['input']!r}, which can be no column. Give letters, digits and _, a letter first."
    if error["type"] == "string_pattern_mismatch":
        return f"{name} has {error['input']!r}, which can be no column. Give letters, digits and _, a letter first."
    allowed = error["msg"].replace("Input should", "It must").removeprefix("Value error, ")
    return f"{name} {'has' if inside else 'is'} {error['input']!r}. {allowed}."


def _place(file: Path | None, name: str) -> str:
    """The file and the line of a var."""
    if file is None:
        return "The settings given"
    keys = _entries(file.read_text())
    for key, value in keys:
        if key.value == "vars" and name != "vars":
            keys = [*keys, *value.value]
    lines = [key.start_mark.line + 1 for key, _ in keys if key.value == name]
    return f"{file}, line {lines[-1]}" if lines else str(file)


def _entries(text: str) -> list[tuple[Any, Any]]:
    """The keys and values of a mapping in YAML, as nodes that know their lines; none of any other YAML."""
    node = yaml.compose(text)
    return list(node.value) if isinstance(node, yaml.MappingNode) else []


def _repeated_keys(node: Any, known: set[int]) -> Iterator[tuple[str, int]]:
    """Keys that occur more than once in a mapping, at any depth, each with its line. PyYAML would silently keep the last one.

    known: the nodes that were looked at. An alias may name a node that it lies in.
    """
    if id(node) in known:
        return
    known.add(id(node))
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    yield key.value, key.start_mark.line + 1
                seen.add(key.value)
            yield from _repeated_keys(value, known)
    elif isinstance(node, yaml.SequenceNode):
        for part in node.value:
            yield from _repeated_keys(part, known)
