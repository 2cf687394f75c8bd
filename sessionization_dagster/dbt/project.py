"""The dbt project on disk and its manifest: parsed once for each state of its files and settings, then read.

dbt names the DuckDB database after the file's stem, so the stem is part of what a manifest is good for.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from sessionization_dagster.dbt.runner import DbtRunner
from sessionization_dagster.environment import Environment
from sessionization_dagster.errors import SettingsError

PROJECT_DIR = Path(__file__).resolve().parents[2] / "dbt_project"
PARSED_FILES = ("*.yml", "*.sql", "*.csv", "*.md")


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
        """The project with the environment's settings; variables replace vars of dbt_project.yml.

        Raises:
            SettingsError: SESSIONIZATION_SOURCES names a source that has no staging folder.
        """
        known = sorted(path.name for path in (project_dir / "models" / "staging").iterdir() if path.is_dir())
        unknown = [source for source in environment.sources if source not in known]
        if unknown:
            raise SettingsError(
                f"SESSIONIZATION_SOURCES names {', '.join(unknown)}. Known, one staging folder each: {', '.join(known)}."
            )
        settings = {
            **(variables or {}),
            "duckdb_path": str(environment.duckdb_path),
            "sources": list(environment.sources),
            "timezone": environment.timezone,
            **(environment.bigquery.as_dbt_vars() if environment.bigquery else {}),
        }
        return cls(project_dir, settings, environment.target.value)

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest as JSON, from target/<digest>/; parsed where the files or settings are new.

        Raises:
            DbtError: the project does not parse.
        """
        if not self.manifest_path.exists():
            self._parse()
        manifest: Mapping[str, Any] = json.loads(self.manifest_path.read_text())
        return manifest

    @cached_property
    def variables(self) -> Mapping[str, Any]:
        """The vars of dbt_project.yml with the settings on top."""
        declared = yaml.safe_load((self.project_dir / "dbt_project.yml").read_text())["vars"]
        return {**declared, **self.settings}

    @property
    def manifest_path(self) -> Path:
        """Where the manifest lies."""
        return self.target_path / "manifest.json"

    @cached_property
    def target_path(self) -> Path:
        """Dbt's folder for this state of the project: manifest, compiled SQL, run results."""
        return self.project_dir / "target" / self._digest()

    @cached_property
    def runner(self) -> DbtRunner:
        """Runs dbt commands on this project."""
        return DbtRunner(self.project_dir, self.target_path, self.target, dict(self.settings))

    def _digest(self) -> str:
        settings = {**self.settings, "duckdb_path": Path(self.settings["duckdb_path"]).stem, "target": self.target}
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for path in sorted(path for pattern in PARSED_FILES for path in self.project_dir.rglob(pattern)):
            relative = path.relative_to(self.project_dir)
            if relative.parts[0] not in ("target", "logs"):
                digest.update(f"\0{relative}\0".encode() + path.read_bytes())
        return digest.hexdigest()[:16]

    def _parse(self) -> None:
        """Parse into a folder of its own and move it into place: webserver, daemon and a run may all start at once."""
        self.target_path.parent.mkdir(exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix="parse-", dir=self.target_path.parent))
        try:
            DbtRunner(self.project_dir, scratch, self.target, dict(self.settings)).parse()
            try:
                os.replace(scratch, self.target_path)
            except OSError:
                if not self.manifest_path.exists():
                    raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
