"""The settings of target bigquery, read from the given environment and checked. Opens nothing; only checks that the key file exists."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sessionization_dagster.errors import SettingsError
from sessionization_dagster.settings.variables import value

PROJECT_ID = r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{2,28}[a-z0-9]"
DATASET = r"[A-Za-z0-9_]{1,900}"
EVENT_TABLE = r"\w{1,300}"
LOCATION = r"[A-Za-z]+(?:-[A-Za-z0-9]+)*"
RAW_EVENT_TABLES = "SESSIONIZATION_RAW_EVENT_TABLES"
REPORT = "SESSIONIZATION_REPORT"
BUCKET = r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](?:/.*)?"


@dataclass(frozen=True)
class BigQuerySettings:
    """Where the tables are in BigQuery, and what a statement may cost.

    Attributes:
        project: id of the project.
        dataset: the beginning of our datasets' names: <dataset>_<schema>.
        location: location of all datasets.
        endpoint: address of an emulator; None: Google's.
        keyfile: absolute path of a service account's key; None: the default credentials.
        maximum_bytes_billed: limit of one statement; None: only the project's limit.
        timeout_seconds: limit of one statement.
        raw_datasets: source -> the dataset of the vendor's tables, or project.dataset; empty where raw files are landed from a bucket.
        raw_load_times: source -> the column by which its rows are stored, if BigQuery does not say so (for views).
        raw_event_tables: source -> its tables that hold one event each, with the event's properties as columns.
        bucket: gs://bucket/prefix of raw files; None: the vendor's loader fills the raw tables.
        report_bucket: gs://bucket/prefix of the reports; None: they are written to a folder.
    """

    project: str
    dataset: str
    location: str
    endpoint: str | None = None
    keyfile: Path | None = None
    maximum_bytes_billed: int | None = None
    timeout_seconds: int = 3600
    raw_datasets: Mapping[str, str] = field(default_factory=dict)
    raw_load_times: Mapping[str, str] = field(default_factory=dict)
    raw_event_tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bucket: str | None = None
    report_bucket: str | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str], sources: Sequence[str]) -> BigQuerySettings:
        """Read and check the settings. sources are the sources in use.

        Raises:
            SettingsError: names the variable, its value and what is allowed.
        """
        dataset = _needed(env, "BIGQUERY_DATASET", DATASET, "letters, digits and underscores, like analytics")
        bucket = _bucket(env, "SESSIONIZATION_LANDING", "gs://my-bucket/landing")
        return cls(
            project=_needed(
                env, "BIGQUERY_PROJECT", PROJECT_ID, "a project's id, like my-project-123 (not its number)"
            ),
            dataset=dataset,
            location=_needed(env, "BIGQUERY_LOCATION", LOCATION, "where the datasets are, like EU, US or europe-west3"),
            endpoint=_endpoint(env),
            keyfile=_keyfile(env),
            maximum_bytes_billed=_positive(env, "BIGQUERY_MAX_BYTES_BILLED", "bytes, like 100000000000 for 100 GB"),
            timeout_seconds=_positive(env, "BIGQUERY_TIMEOUT_SECONDS", "seconds, like 3600") or 3600,
            raw_datasets=_raw_datasets(env, sources, dataset, bucket),
            raw_load_times=_by_source(
                env, "SESSIONIZATION_RAW_LOAD_TIMES", sources, DATASET, "source=column", "rudderstack=received_at"
            ),
            raw_event_tables=_raw_event_tables(env, sources, bucket),
            bucket=bucket,
            report_bucket=_report_bucket(env, bucket),
        )

    def as_dbt_vars(self) -> dict[str, Any]:
        """The dbt vars that the profile and macros read."""
        return {
            "bigquery_project": self.project,
            "bigquery_dataset": self.dataset,
            "bigquery_location": self.location,
            "bigquery_endpoint": self.endpoint,
            "bigquery_keyfile": None if self.keyfile is None else str(self.keyfile),
            "bigquery_maximum_bytes_billed": self.maximum_bytes_billed,
            "bigquery_timeout_seconds": self.timeout_seconds,
            "raw_datasets": {source: where.rpartition(".")[2] for source, where in self.raw_datasets.items()},
            "raw_projects": {
                source: where.rpartition(".")[0] for source, where in self.raw_datasets.items() if "." in where
            },
            "raw_load_times": dict(self.raw_load_times),
            "raw_event_tables": {source: list(tables) for source, tables in self.raw_event_tables.items()},
            "loader": "vendor" if self.bucket is None else "gcs",
        }


def _needed(env: Mapping[str, str], name: str, allowed: str, what: str) -> str:
    given = value(env, name, "")
    if not given:
        raise SettingsError(f"{name} is not set. SESSIONIZATION_TARGET=bigquery needs it: give {what}.")
    if not re.fullmatch(allowed, given):
        raise SettingsError(f"{name} is '{given}'. Give {what}.")
    return given


def _positive(env: Mapping[str, str], name: str, what: str) -> int | None:
    given = value(env, name, "")
    if not given:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", given) or int(given) == 0:
        raise SettingsError(f"{name} is '{given}'. Give a whole number of {what}.")
    return int(given)


def _endpoint(env: Mapping[str, str]) -> str | None:
    given = value(env, "BIGQUERY_API_ENDPOINT", "")
    if not given:
        return None
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(
            f"BIGQUERY_API_ENDPOINT is '{given}'. Give an emulator's address, like http://127.0.0.1:9050, or leave it unset."
        )
    return given.rstrip("/")


def _keyfile(env: Mapping[str, str]) -> Path | None:
    given = value(env, "BIGQUERY_KEYFILE", "")
    if not given:
        return None
    path = Path(given).expanduser().absolute()
    if not path.is_file():
        raise SettingsError(
            f"BIGQUERY_KEYFILE is '{given}', which is no file. Give the JSON key of a service account, or leave it unset and run "
            "gcloud auth application-default login."
        )
    return path


def _bucket(env: Mapping[str, str], name: str, example: str) -> str | None:
    given = value(env, name, "")
    if "://" not in given:
        return None
    if not re.fullmatch(BUCKET, given):
        raise SettingsError(f"{name} is '{given}'. Give a bucket and a folder of it, like {example}.")
    return given.rstrip("/")


def _report_bucket(env: Mapping[str, str], landing: str | None) -> str | None:
    bucket = _bucket(env, REPORT, "gs://my-bucket/reports")
    if bucket is not None and landing is not None and f"{bucket}/".startswith(f"{landing}/"):
        raise SettingsError(
            f"{REPORT} is '{bucket}', and SESSIONIZATION_LANDING is '{landing}': reports would be among the raw files. "
            "Name a folder that is apart from it."
        )
    return bucket


def _raw_datasets(env: Mapping[str, str], sources: Sequence[str], dataset: str, bucket: str | None) -> dict[str, str]:
    """Source -> dataset, for the sources in use."""
    given = value(env, "SESSIONIZATION_RAW_DATASETS", "")
    if bucket is not None:
        if given:
            raise SettingsError(
                f"SESSIONIZATION_RAW_DATASETS is '{given}', but SESSIONIZATION_LANDING is {bucket}: raw tables are either the "
                "vendor's or landed from files. Unset one of them."
            )
        return {}
    place = rf"(({PROJECT_ID})\.)?{DATASET}"
    found = _by_source(
        env,
        "SESSIONIZATION_RAW_DATASETS",
        sources,
        place,
        "source=dataset",
        "rudderstack=rudder_prod,segment=other-project.seg",
    )
    return {source: found.get(source, dataset) for source in sources}


def _raw_event_tables(env: Mapping[str, str], sources: Sequence[str], bucket: str | None) -> dict[str, tuple[str, ...]]:
    """Source -> its tables that hold one event each, in the order given."""
    name = RAW_EVENT_TABLES
    given = value(env, name, "")
    if given and bucket is not None:
        raise SettingsError(
            f"{name} is '{given}', but SESSIONIZATION_LANDING is {bucket}: raw files have each event's properties beside it. "
            "Unset one of them."
        )
    found: dict[str, tuple[str, ...]] = {}
    for entry in filter(None, (part.strip() for part in given.split(";"))):
        source, separator, listed = (part.strip() for part in entry.partition("="))
        tables = [table for table in (part.strip() for part in listed.split(",")) if table]
        if not separator or not source or not tables or not all(re.fullmatch(EVENT_TABLE, table) for table in tables):
            raise SettingsError(
                f"{name} is '{given}'. Give source=table,table with semicolons between sources, like "
                "rudderstack=order_completed,product_viewed;segment=order_completed."
            )
        if source not in sources:
            raise SettingsError(f"{name} is '{given}', but SESSIONIZATION_SOURCES has {', '.join(sources)}.")
        found[source] = tuple(dict.fromkeys([*found.get(source, ()), *tables]))
    return found


def _by_source(
    env: Mapping[str, str], name: str, sources: Sequence[str], allowed: str, what: str, example: str
) -> dict[str, str]:
    """Source -> its value in the variable."""
    given = value(env, name, "")
    found = {}
    for entry in filter(None, (part.strip() for part in given.split(","))):
        source, separator, where = (part.strip() for part in entry.partition("="))
        if not separator or not source or not re.fullmatch(allowed, where):
            raise SettingsError(f"{name} is '{given}'. Give {what} pairs with commas between, like {example}.")
        if source not in sources:
            raise SettingsError(f"{name} is '{given}', but SESSIONIZATION_SOURCES has {', '.join(sources)}.")
        found[source] = where
    return found
