"""The dbt project on disk and its manifest. It is parsed once for each state of its files and settings, and then read.

dbt names the DuckDB database after its file, so a manifest is valid only for one file name.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.dbt.runner import OF_COMMANDS, DbtRunner
from sessionization_dagster.dbt.views import require_storable
from sessionization_dagster.dbt.working_copy import OWN_FOLDERS, working_copy
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.settings.environment import Environment, Target
from sessionization_dagster.settings.settings_file import OWN_MODELS, checked_rules, read_settings

_CHECKOUT = Path(__file__).resolve().parents[2] / "dbt_project"
#: The project as it is shipped: in a checkout, or in the installed package.
PROJECT_DIR = _CHECKOUT if _CHECKOUT.is_dir() else Path(__file__).resolve().parents[1] / "dbt_project"
#: The result of a parse that dbt keeps for the next one.
PARTIAL_PARSE = "partial_parse.msgpack"
PARSED_FILES = (".yml", ".sql", ".csv", ".md")
INTERNAL_SCHEMA = "internal"
#: Schemas and databases that every DuckDB file has.
DUCKDB_NAMES = {"main", "temp", "system", "information_schema", "pg_catalog"}
QUOTES = {"'", '"'}


@dataclass(frozen=True)
class DbtProject:
    """A dbt project together with the settings that its manifest depends on.

    Attributes:
        project_dir: the folder of dbt_project.yml and profiles.yml.
        settings: dbt vars that hold for every command.
        target: the profile's output.
    """

    project_dir: Path
    settings: Mapping[str, Any]
    target: str

    @classmethod
    def of(
        cls, environment: Environment, variables: Mapping[str, Any] | None = None, project_dir: Path = PROJECT_DIR
    ) -> DbtProject:
        """The project with the environment's settings. variables replace vars of dbt_project.yml and of the settings file.

        Raises:
            SettingsError: the settings file cannot be used, SESSIONIZATION_SOURCES names a source that has no staging folder, or
                SESSIONIZATION_FAMILIES a family that the var families does not have.
        """
        file = environment.settings_file
        chosen = read_settings(file) if file else {}
        own = chosen.pop(OWN_MODELS, None)
        is_installed = project_dir == PROJECT_DIR != _CHECKOUT
        if own is not None or is_installed:
            folder = file.parent / str(own) if file and own is not None else None
            project_dir = working_copy(project_dir, folder, environment.duckdb_path.parent / "dbt_project")
        declared, declared_in = _declared_vars(project_dir), project_dir / "dbt_project.yml"
        rules = checked_rules(declared, declared_in, chosen, file)
        rules |= checked_rules(declared, declared_in, variables or {}, None)
        known = sorted(path.name for path in (project_dir / "models" / "staging").iterdir() if path.is_dir())
        unknown = [source for source in environment.sources if source not in known]
        if unknown:
            raise SettingsError(
                f"SESSIONIZATION_SOURCES names {', '.join(unknown)}. Known, one staging folder each: {', '.join(known)}."
            )
        families = declared["families"]
        unknown = [family for family in environment.families if family not in families]
        if unknown:
            raise SettingsError(
                f"SESSIONIZATION_FAMILIES names {', '.join(unknown)}. Known: {', '.join(families)}; core and monitoring are always made."
            )
        settings = {
            **rules,
            "families": list(environment.families or families),
            "duckdb_path": str(environment.duckdb_path),
            "sources": list(environment.sources),
            "timezone": environment.timezone,
            "rebuild": environment.rebuild.value,
            "first_partition": environment.start_date.isoformat(),
            "last_partition": environment.end_date.isoformat() if environment.end_date else None,
            **(environment.bigquery.as_dbt_vars() if environment.bigquery else {}),
        }
        return cls(project_dir, settings, environment.target.value)

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest, from target/<digest>/. It is parsed if the files or settings are new.

        Raises:
            DbtError: the project does not parse.
            SettingsError: the warehouse's file has the name of something in it, or stored_views names something that cannot be stored.
        """
        if not self.manifest_path.exists():
            self._parse()
        manifest = Manifest.of(json.loads(self.manifest_path.read_text()))
        require_storable(manifest, self.variables["stored_views"])
        if self.target == Target.DUCKDB:
            require_own_name(Path(self.settings["duckdb_path"]), manifest)
        return manifest

    @cached_property
    def variables(self) -> Mapping[str, Any]:
        """The vars of dbt_project.yml, overridden by the settings."""
        return {**_declared_vars(self.project_dir), **self.settings}

    @property
    def other_families(self) -> list[str]:
        """The table families that are not chosen."""
        return [name for name in _declared_vars(self.project_dir)["families"] if name not in self.settings["families"]]

    @property
    def manifest_path(self) -> Path:
        """The path of the manifest."""
        return self.target_path / "manifest.json"

    @cached_property
    def target_path(self) -> Path:
        """Dbt's folder for this state of the project: manifest, compiled SQL, run results."""
        return self.project_dir / "target" / self._digest()

    @cached_property
    def runner(self) -> DbtRunner:
        """Runs dbt commands on this project."""
        return self.runner_in(self.target_path)

    def runner_in(self, target_path: Path) -> DbtRunner:
        """Runs dbt commands on this project, with another folder for what dbt writes."""
        return DbtRunner(self.project_dir, target_path, self.target, dict(self.settings), self._parsed_settings)

    @property
    def _parsed_settings(self) -> dict[str, Any]:
        """The settings for parsing. duckdb_path is the file's name only, so that one parse serves the file in every folder."""
        settings = {name: value for name, value in self.settings.items() if name not in OF_COMMANDS}
        return {**settings, "duckdb_path": Path(self.settings["duckdb_path"]).name}

    def _digest(self) -> str:
        settings = {**self._parsed_settings, "target": self.target}
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for path in sorted(self._parsed_files()):
            digest.update(f"\0{path.relative_to(self.project_dir)}\0".encode() + path.read_bytes())
        return digest.hexdigest()[:16]

    def _parsed_files(self) -> Iterator[Path]:
        """The files that dbt reads. The folders that dbt writes are skipped, because other processes make and move folders there."""
        for folder, folders, names in os.walk(self.project_dir):
            folders[:] = [name for name in folders if name not in OWN_FOLDERS]
            yield from (Path(folder, name) for name in names if name.endswith(PARSED_FILES))

    def _parse(self) -> None:
        """Parse into a new folder and move it into place, because webserver, daemon and a run may start at the same time."""
        self.target_path.parent.mkdir(exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix="parse-", dir=self.target_path.parent))
        try:
            self.runner_in(scratch).parse()
            try:
                os.replace(scratch, self.target_path)
            except OSError:
                # The folder exists already. If it has no manifest, it was left by a cleanup or by a process that was stopped.
                if not self.manifest_path.exists():
                    for name in (PARTIAL_PARSE, self.manifest_path.name):
                        os.replace(scratch / name, self.target_path / name)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _declared_vars(project_dir: Path) -> dict[str, Any]:
    declared: dict[str, Any] = yaml.safe_load((project_dir / "dbt_project.yml").read_text())["vars"]
    return declared


def require_own_name(path: Path, manifest: Manifest) -> None:
    """Refuse a DuckDB file that has the name of something in it.

    DuckDB names a database after its file, and reads the name before a dot as a schema or a database. So core.events is ambiguous in
    core.duckdb.

    Raises:
        SettingsError: names the file and the name that is taken.
    """
    taken = {schema.lower() for schema in manifest.schemas} | DUCKDB_NAMES | {INTERNAL_SCHEMA}
    if path.stem.lower() in taken or QUOTES & set(path.stem):
        raise SettingsError(
            f"SESSIONIZATION_DUCKDB_PATH is '{path}': DuckDB calls a database after its file, and '{path.stem}' is the name of "
            f"something in it, or has a quote. Give the file another name, like sessionization.duckdb. Taken: {', '.join(sorted(taken))}."
        )
