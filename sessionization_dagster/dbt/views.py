"""Which tables a view reads. A day of a view is made when the day of its tables is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set

from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.errors import SettingsError

SHOWN_DAYS = 3


def tables_behind(manifest: Manifest, unique_id: str) -> set[str]:
    """Unique ids of the tables that the view reads, through other views too. Raw tables are left out, because a loader may fill them."""
    found: set[str] = set()
    for parent in manifest.tables[unique_id].depends_on:
        if manifest.tables[parent].is_view:
            found |= tables_behind(manifest, parent)
        elif manifest.tables[parent].layer != "raw":
            found.add(parent)
    return found


def partitioned_views(manifest: Manifest, selected: Iterable[str]) -> Iterator[str]:
    """The selected models that are views, except those of the layer monitoring, which show the current state whatever day is run."""
    for unique_id in selected:
        table = manifest.tables[unique_id]
        if table.is_view and table.layer != "monitoring":
            yield unique_id


def require_tables(
    manifest: Manifest, selected: Set[str], days: Sequence[str], days_of: Callable[[str], Set[str]]
) -> None:
    """Refuse to record days of views as made if their tables do not have these days.

    Args:
        manifest: dbt's.
        selected: unique ids that the run makes.
        days: partition keys of the run.
        days_of: unique id -> partition keys that a table has. Called for each view that reads the table and is selected without it.

    Raises:
        SettingsError: names each view, its table, the days, and what to select.
    """
    lacking = []
    for view in sorted(partitioned_views(manifest, selected)):
        for table in sorted(tables_behind(manifest, view) - selected):
            had = days_of(table)
            missing = [day for day in days if day not in had]
            if missing:
                shown = ", ".join(missing[:SHOWN_DAYS]) + (" ..." if len(missing) > SHOWN_DAYS else "")
                lacking.append(
                    f"{manifest.tables[view].full_name} is a view of {manifest.tables[table].full_name}, which has not had {shown}"
                )
    if lacking:
        raise SettingsError(f"{'; '.join(lacking)}. Select these tables too, or run their days first.")


def require_storable(manifest: Manifest, names: Iterable[str]) -> None:
    """Refuse names in the var stored_views that are not views that can be stored (config.storable).

    Args:
        manifest: dbt's.
        names: models, or schema/table.

    Raises:
        SettingsError: names the wrong ones, and all that are allowed.
    """
    models = {model.name: "/".join(model.relation) for model in manifest.models if model.is_storable}
    unknown = [name for name in names if name not in models and name not in models.values()]
    if unknown:
        raise SettingsError(f"stored_views names {', '.join(unknown)}. Allowed: {', '.join(sorted(models.values()))}.")
