"""Checks the keys that staging models pass to stage_events. A key with an unknown name would be ignored, and its column lost."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from sessionization_dagster.dbt.manifest import Manifest, Staged, Table
from sessionization_dagster.errors import SettingsError

# The types that a raw column may have for these canonical columns. For all others it must be text.
TYPES = {"timestamp": ("TIMESTAMP",), "received_at": ("TIMESTAMP",), "event_sequence": ("INTEGER", "BIGINT")}
TEXT = ("VARCHAR",)


def require_known_keys(manifest: Manifest) -> None:
    """Check all staging models.

    Raises:
        SettingsError: names the models, the keys, and what is allowed.
    """
    problems = [f"{model.name}: {problem}" for model in manifest.models for problem in _problems(manifest, model)]
    if problems:
        raise SettingsError("\n".join(problems))


def _problems(manifest: Manifest, model: Table) -> Iterator[str]:
    # One mapping serves all tables of a vendor's loader.
    declared: dict[str, set[str | None]] = {}
    for source in manifest.sources:
        if source.unique_id in model.depends_on:
            for column in source.columns.values():
                declared.setdefault(column.name, set()).add(column.data_type)
    declared = dict(sorted(declared.items()))
    for staged in model.staged:
        yield from _problems_of_keys(staged, list(declared))
        yield from _problems_of_types(staged, declared)


def _problems_of_types(staged: Staged, declared: Mapping[str, Collection[str | None]]) -> Iterator[str]:
    """Canonical columns whose raw column has a wrong type. `declared`: raw column -> its types in the tables that have it."""
    for name in staged.canonical:
        if name in staged.expressions or name == "event_type":
            continue
        given, allowed = staged.columns.get(name, name), TYPES.get(name, TEXT)
        for column in [given] if isinstance(given, str) else given:
            types = declared.get(column, ())
            if types and not any(known is None or known.upper() in allowed for known in types):
                yield (
                    f"the raw column '{column}' is used for {name} and is {', '.join(sorted(filter(None, types)))}, not "
                    f"{' or '.join(allowed)}. Correct its type in the source's yml, or give {name} by expressions"
                )


def _problems_of_keys(staged: Staged, declared: Sequence[str]) -> Iterator[str]:
    canonical = staged.canonical
    known = f"Declared are {', '.join(declared)}"
    for given, names in (("columns", staged.columns), ("expressions", staged.expressions)):
        for name in names:
            if name not in canonical or (given == "columns" and name == "event_type"):
                yield (
                    f"{given} names '{name}', which is not a canonical column that it can give. Allowed are {', '.join(canonical)}; "
                    "a raw column that stays among the properties belongs in kept"
                )
    for name, columns in staged.columns.items():
        for column in [columns] if isinstance(columns, str) else columns:
            if column not in declared:
                yield (
                    f"columns gives {name} the raw column '{column}', which the source does not declare. Declare it in the source's yml, "
                    f"or correct the name. {known}"
                )
        if name in staged.expressions:
            yield f"{name} is given by columns and by expressions. Leave it in one of them"
    for name in staged.kept:
        if name not in declared:
            yield (
                f"kept names '{name}', which the source does not declare. Declare it, or leave it out: undeclared columns go into "
                f"properties anyway. {known}"
            )
