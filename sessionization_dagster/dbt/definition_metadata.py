"""The UI's metadata of an asset's definition: the files that make it, and a model's SQL as it is written. Nothing about a run."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg

from sessionization_dagster.dbt.manifest import Table
from sessionization_dagster.dbt.project import PROJECT_DIR


def definition_metadata(table: Table, python_files: Iterable[Path] = ()) -> dict[str, Any]:
    """Metadata entries of a table's asset. python_files are the files that write the table if dbt does not."""
    files = [*python_files, *(PROJECT_DIR / path for path in table.files)]
    entries: dict[str, Any] = {"dagster/code_references": references(files)}
    if table.sql:
        entries["sql"] = dg.MetadataValue.md(f"```sql\n{table.sql}\n```")
    return entries


def references(files: Iterable[Path]) -> dg.CodeReferencesMetadataValue:
    """Links to the files."""
    with warnings.catch_warnings():
        # Dagster warns that they are beta each time one is made.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.CodeReferencesMetadataValue(
            code_references=[dg.LocalFileCodeReference(file_path=str(path), label=path.name) for path in files]
        )
