"""The raw tables as the sources' yml declares them, without dbt: landing reads names, types and meta alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sessionization_dagster.dbt.project import PROJECT_DIR
from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.landing import RawTable
from tests.manifests import manifest_of


def declared_tables(*sources: str, project_dir: Path = PROJECT_DIR) -> tuple[RawTable, ...]:
    """The raw tables of these sources."""
    return raw_tables(manifest_of({}, dict(_nodes(project_dir))), sources)


def _nodes(project_dir: Path) -> list[tuple[str, dict[str, Any]]]:
    """The sources as nodes of a manifest."""
    nodes = []
    for path in sorted((project_dir / "models" / "staging").glob("*/*__sources.yml")):
        for source in yaml.safe_load(path.read_text())["sources"]:
            for table in source["tables"]:
                columns = {column["name"]: column for column in table["columns"]}
                nodes.append((table["name"], {**table, "source_name": source["name"], "columns": columns}))
    return nodes
