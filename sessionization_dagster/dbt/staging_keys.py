"""The keys that staging models give stage_events: each has to be a name that there is, or what it was meant to give is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sessionization_dagster.errors import SettingsError

PREFIX = "staged "


def require_known_keys(manifest: Mapping[str, Any]) -> None:
    """Check all staging models.

    Raises:
        SettingsError: names the models, the keys, and what is allowed.
    """
    problems = [
        f"{node['name']}: {problem}" for node in manifest["nodes"].values() for problem in _problems(manifest, node)
    ]
    if problems:
        raise SettingsError("\n".join(problems))


def _problems(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[str]:
    read = [manifest["sources"][name] for name in node["depends_on"].get("nodes", []) if name in manifest["sources"]]
    # A vendor's loaders share a mapping over all of its tables.
    declared = sorted({column for source in read for column in source["columns"]})
    for key, staged in node["config"].get("meta", {}).items():
        if key.startswith(PREFIX):
            yield from _problems_of_keys(staged, declared)


def _problems_of_keys(staged: Mapping[str, Any], declared: Sequence[str]) -> Iterator[str]:
    canonical = staged["canonical"]
    known = f"Declared are {', '.join(declared)}"
    for given in ("columns", "expressions"):
        for name in staged[given]:
            if name not in canonical or (given == "columns" and name == "event_type"):
                yield (
                    f"{given} names '{name}', which is no canonical column that it can give. Allowed are {', '.join(canonical)}; "
                    "a raw column that is to stay among the properties belongs into kept"
                )
    for name, columns in staged["columns"].items():
        for column in [columns] if isinstance(columns, str) else columns:
            if column not in declared:
                yield (
                    f"columns gives {name} the raw column '{column}', which the source does not declare. Declare it in the source's yml, "
                    f"or correct the name. {known}"
                )
        if name in staged["expressions"]:
            yield f"{name} is given by columns and by expressions. Leave it in one of them"
    for name in staged["kept"]:
        if name not in declared:
            yield (
                f"kept names '{name}', which the source does not declare. Declare it, or leave it out: what is not declared goes into "
                f"properties anyway. {known}"
            )
