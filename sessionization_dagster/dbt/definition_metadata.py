"""What the UI shows of an asset's definition: the files that make it, and a model's SQL as it is written. Nothing about a run."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from sessionization_dagster.dbt.project import PROJECT_DIR


def definition_metadata(node: Mapping[str, Any], python_files: Iterable[Path] = ()) -> dict[str, Any]:
    """Metadata entries of a dbt node's asset. python_files are the files that write the table if dbt does not."""
    entries: dict[str, Any] = {"dagster/code_references": code_references(node, python_files)}
    if node["resource_type"] == "model":
        entries["sql"] = dg.MetadataValue.md(f"```sql\n{node['raw_code'].strip()}\n```")
    return entries


def code_references(node: Mapping[str, Any], python_files: Iterable[Path] = ()) -> dg.CodeReferencesMetadataValue:
    """The Python files, the node's own file (the .sql of a model, the .csv of a seed) and its .yml."""
    # A source's own file is its yml. A manifest names a patch's file as <package>://<path>.
    own, yml = node["original_file_path"], (node.get("patch_path") or "").rpartition("://")[2]
    return references([*python_files, *(PROJECT_DIR / path for path in dict.fromkeys([own, yml]) if path)])


def references(files: Iterable[Path]) -> dg.CodeReferencesMetadataValue:
    """Links to the files."""
    with warnings.catch_warnings():
        # Dagster warns that they are beta each time one is made.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.CodeReferencesMetadataValue(
            code_references=[dg.LocalFileCodeReference(file_path=str(path), label=path.name) for path in files]
        )
