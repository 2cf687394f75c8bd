"""The settings, read from the environment: the only reader of SESSIONIZATION_ and BIGQUERY_ variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from sessionization_dagster.errors import SettingsError
from sessionization_dagster.settings.bigquery_settings import RAW_EVENT_TABLES, REPORT, BigQuerySettings
from sessionization_dagster.settings.variables import value as _value

Choice = TypeVar("Choice", bound=StrEnum)
PREFIX = "SESSIONIZATION_"
KNOWN = (
    "TARGET", "DUCKDB_PATH", "LANDING", "START_DATE", "END_DATE", "TIMEZONE", "SOURCES", "FAMILIES", "REMOVED_FILES", "REBUILD",
    "SETTINGS", "PUBLISH", "REPORT", "ALERT_WEBHOOK",
    "RAW_DATASETS",
    "RAW_LOAD_TIMES",
    "RAW_EVENT_TABLES",
)  # fmt: skip
FIRST_DAY_OF_SAMPLE = "2024-01-04"


class Target(StrEnum):
    """The warehouses."""

    DUCKDB = "duckdb"
    BIGQUERY = "bigquery"


class RemovedFiles(StrEnum):
    """The values of SESSIONIZATION_REMOVED_FILES.

    KEEP: the rows stay, because people archive files. REMOVE: the rows are removed.
    """

    KEEP = "keep"
    REMOVE = "remove"


class Rebuild(StrEnum):
    """The action of a run if a changed model, setting or seed requires tables to be rebuilt."""

    AUTO = "auto"
    ASK = "ask"


@dataclass(frozen=True)
class Environment:
    """The project's settings, checked.

    Attributes:
        target: which warehouse.
        duckdb_path: absolute path of the DuckDB file.
        landing: absolute path of the folder of raw files, for DuckDB.
        start_date: first daily partition.
        end_date: last daily partition, inclusive; None: yesterday, moving.
        timezone: IANA name; days, partitions and the midnight split use it.
        sources: the raw sources in use, in the order given.
        families: the table families to make; empty: all.
        removed_files: what becomes of the rows of a landed file that was removed from the folder.
        rebuild: whether a run that would rebuild tables does so, or stops and lists them.
        settings_file: absolute path of a file of dbt vars; None: the vars of dbt_project.yml apply.
        publish: absolute path of the folder of published tables, for DuckDB; None: tables are not published.
        reports: absolute path of the folder of reports, unless the settings of BigQuery name a bucket.
        alert_webhook: where failed runs are posted to; None: they are logged only.
        bigquery: settings of target bigquery; None for other targets.
    """

    target: Target
    duckdb_path: Path
    landing: Path
    reports: Path
    start_date: date
    end_date: date | None
    timezone: str
    sources: tuple[str, ...]
    families: tuple[str, ...] = ()
    removed_files: RemovedFiles = RemovedFiles.KEEP
    rebuild: Rebuild = Rebuild.AUTO
    settings_file: Path | None = None
    publish: Path | None = None
    alert_webhook: str | None = None
    bigquery: BigQuerySettings | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Environment:
        """Read and check every setting. An empty variable counts as unset.

        Raises:
            SettingsError: names the variable, its value and what is allowed.
        """
        _require_no_misspelt(env)
        start_date = _date(env, "SESSIONIZATION_START_DATE", FIRST_DAY_OF_SAMPLE)
        end_date = _date(env, "SESSIONIZATION_END_DATE", None)
        if end_date is not None and start_date is not None and end_date < start_date:
            raise SettingsError(
                f"SESSIONIZATION_END_DATE is {end_date}, before SESSIONIZATION_START_DATE {start_date}: "
                "there would be no partition."
            )
        assert start_date is not None
        target = _one_of(env, "SESSIONIZATION_TARGET", Target.DUCKDB)
        sources = _names(env, "SESSIONIZATION_SOURCES", "rudderstack")
        landing = _value(env, "SESSIONIZATION_LANDING", "data/landing")
        if "://" in landing and target is not Target.BIGQUERY:
            raise SettingsError(
                f"SESSIONIZATION_LANDING is '{landing}'. Target {target} lands files of a local folder; "
                "a bucket, gs://..., is for SESSIONIZATION_TARGET=bigquery."
            )
        event_tables = _value(env, RAW_EVENT_TABLES, "")
        if event_tables and target is not Target.BIGQUERY:
            raise SettingsError(
                f"{RAW_EVENT_TABLES} is '{event_tables}'. Target {target} reads files, which have each event's properties "
                "beside it: unset it, or set SESSIONIZATION_TARGET=bigquery."
            )
        return cls(
            target=target,
            duckdb_path=_path(env, "SESSIONIZATION_DUCKDB_PATH", "data/sessionization.duckdb"),
            landing=_path({} if "://" in landing else env, "SESSIONIZATION_LANDING", "data/landing"),
            reports=_reports(env, target),
            start_date=start_date,
            end_date=end_date,
            timezone=_timezone(env),
            sources=sources,
            families=_names(env, "SESSIONIZATION_FAMILIES", ""),
            removed_files=_one_of(env, "SESSIONIZATION_REMOVED_FILES", RemovedFiles.KEEP),
            rebuild=_one_of(env, "SESSIONIZATION_REBUILD", Rebuild.AUTO),
            settings_file=_path_or_none(env, "SESSIONIZATION_SETTINGS"),
            publish=_publish(env, target),
            alert_webhook=_url(env, "SESSIONIZATION_ALERT_WEBHOOK"),
            bigquery=BigQuerySettings.from_env(env, sources) if target is Target.BIGQUERY else None,
        )


def _require_no_misspelt(env: Mapping[str, str]) -> None:
    """Refuse a variable whose name is nearly one of ours. It would be ignored, and the default would apply."""
    for name in sorted(env):
        meant = get_close_matches(name.removeprefix(PREFIX), KNOWN, n=1, cutoff=0.8) if name.startswith(PREFIX) else []
        if meant and name.removeprefix(PREFIX) not in KNOWN:
            raise SettingsError(f"{name} is no setting. Is {PREFIX}{meant[0]} meant? Correct the name, or unset it.")


def _one_of(env: Mapping[str, str], name: str, default: Choice) -> Choice:
    value = _value(env, name, default)
    try:
        return type(default)(value)
    except ValueError:
        raise SettingsError(f"{name} is '{value}'. Allowed: {', '.join(type(default))}.") from None


def _path(env: Mapping[str, str], name: str, default: str) -> Path:
    return Path(_value(env, name, default)).expanduser().absolute()


def _path_or_none(env: Mapping[str, str], name: str) -> Path | None:
    return _path(env, name, "") if _value(env, name, "") else None


def _publish(env: Mapping[str, str], target: Target) -> Path | None:
    folder = _path_or_none(env, "SESSIONIZATION_PUBLISH")
    if folder is None:
        return None
    if target is not Target.DUCKDB:
        raise SettingsError(
            f"SESSIONIZATION_PUBLISH is '{folder}'. Tables of target {target} are read where they are, also while a run works: unset it."
        )
    landing = _path(env, "SESSIONIZATION_LANDING", "data/landing")
    if folder == landing or folder in landing.parents or landing in folder.parents:
        raise SettingsError(
            f"SESSIONIZATION_PUBLISH is '{folder}', and SESSIONIZATION_LANDING is '{landing}': published files would be landed. "
            "Name a folder that is apart from it."
        )
    return folder


def reports_folder(warehouse_file: Path) -> Path:
    """The folder of reports on DuckDB where no other is named: beside the warehouse's file."""
    return warehouse_file.parent / "reports"


def dagster_home(env: Mapping[str, str] = os.environ) -> Path:
    """DAGSTER_HOME, or data/dagster where it is not set."""
    return _path(env, "DAGSTER_HOME", "data/dagster")


def _reports(env: Mapping[str, str], target: Target) -> Path:
    named = _value(env, REPORT, "")
    if "://" in named and target is not Target.BIGQUERY:
        raise SettingsError(
            f"{REPORT} is '{named}'. Target {target} writes reports to a folder; a bucket, gs://..., is for SESSIONIZATION_TARGET=bigquery."
        )
    if not named or "://" in named:
        if target is Target.BIGQUERY:
            return dagster_home(env) / "reports"
        return reports_folder(_path(env, "SESSIONIZATION_DUCKDB_PATH", "data/sessionization.duckdb"))
    folder, landing = _path(env, REPORT, ""), _path(env, "SESSIONIZATION_LANDING", "data/landing")
    if target is Target.DUCKDB and (folder == landing or landing in folder.parents):
        raise SettingsError(
            f"{REPORT} is '{folder}', and SESSIONIZATION_LANDING is '{landing}': reports would be among the raw files. "
            "Name a folder that is apart from it."
        )
    return folder


def _date(env: Mapping[str, str], name: str, default: str | None) -> date | None:
    value = _value(env, name, default or "")
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise SettingsError(f"{name} is '{value}'. Give a day that exists, as YYYY-MM-DD, like 2024-01-04.") from None


def _timezone(env: Mapping[str, str]) -> str:
    value = _value(env, "SESSIONIZATION_TIMEZONE", "UTC")
    # ZoneInfo accepts any file of the zone database, such as posix/Europe/Berlin or localtime, which DuckDB does not know.
    if value not in available_timezones() - {"localtime", "Factory"}:
        raise SettingsError(
            f"SESSIONIZATION_TIMEZONE is '{value}'. Give an IANA name, like UTC, Europe/Berlin or America/New_York."
        )
    return value


def _names(env: Mapping[str, str], name: str, default: str) -> tuple[str, ...]:
    """The names of a comma list, each once. If there is no default, the list may be empty."""
    value = _value(env, name, default)
    names = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    if value and not names:
        raise SettingsError(f"{name} is '{value}'. Give a comma list of names, like rudderstack.")
    return names


def _url(env: Mapping[str, str], name: str) -> str | None:
    value = _value(env, name, "")
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        # The address may hold a secret, so it is not repeated.
        raise SettingsError(
            f"{name} is no web address. Give one that starts with https:// (or http://) and names a host."
        )
    return value
