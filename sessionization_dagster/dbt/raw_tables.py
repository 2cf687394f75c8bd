"""Which raw tables the manifest declares, and their columns. Landing reads them from here, so that they are declared only once."""

from __future__ import annotations

from collections.abc import Sequence

from sessionization_dagster.dbt.manifest import Column, Manifest, Table
from sessionization_dagster.landing.tables import (
    COLUMN_TYPES,
    NUMBER_TYPES,
    OWN_COLUMNS,
    LandingError,
    RawColumn,
    RawTable,
)

TIME_TYPES = ("TIMESTAMP", "DATE", *NUMBER_TYPES)
LANDING_KEYS = ("source", "table", "at", "call", "unnest", "name_prefix")


def raw_tables(manifest: Manifest, sources: Sequence[str]) -> tuple[RawTable, ...]:
    """The raw tables of `sources`, in the order of `sources`, then by table name.

    Raises LandingError for a source that declares no table, and for a declaration that cannot be landed.
    """
    declared: dict[str, dict[str, RawTable]] = {}
    for source in manifest.sources:
        if source.relation[0] == "raw" and source.landing:
            table = _raw_table(source)
            declared.setdefault(table.source, {})[table.table] = table
    for name in sources:
        if name not in declared:
            raise LandingError(f"unknown source {name!r}: allowed are {', '.join(sorted(declared)) or 'none'}")
    return tuple(declared[name][table] for name in dict.fromkeys(sources) for table in sorted(declared[name]))


def _raw_table(source: Table) -> RawTable:
    """A source as a raw table. Raises LandingError if its parts contradict each other."""
    landing, label = source.landing, f"source raw.{source.name}"
    if not landing.get("source") or not landing.get("table"):
        raise LandingError(f"{label}: meta.landing needs both `source` and `table`, found {dict(landing)}")
    unknown = sorted(set(landing) - set(LANDING_KEYS))
    if unknown:
        raise LandingError(f"{label}: meta.landing has {', '.join(unknown)}; allowed are {', '.join(LANDING_KEYS)}")
    at = landing.get("at", "timestamp")
    name_prefix = landing.get("name_prefix")
    columns = tuple(_raw_column(label, column, name_prefix) for column in source.columns.values())
    at_type = next((column.type for column in columns if column.name == at), None)
    if at_type not in (None, *TIME_TYPES):
        raise LandingError(
            f"{label}: column {at!r} is the time of a row and has data_type {at_type}; it must be one of {', '.join(TIME_TYPES)}. "
            "Correct the type, or name another column in meta.landing.at"
        )
    table = RawTable(
        source=landing["source"],
        table=landing["table"],
        columns=columns,
        at=at if at_type is not None else None,
        call=landing.get("call"),
        unnest=landing.get("unnest"),
    )
    if source.name != table.name:
        raise LandingError(f"{label}: meta.landing says {table.name}; name the source so, or correct the meta")
    if not table.columns:
        raise LandingError(f"{label} declares no columns: list them in its yml")
    if "at" in landing and table.at is None:
        raise LandingError(
            f"{label}: no column is named {landing['at']!r}, which meta.landing.at names as the time of a row"
        )
    lowered = [column.name.lower() for column in table.columns]
    for name in lowered:
        # DuckDB's column names ignore case, so `ID` beside `id` cannot be created.
        if lowered.count(name) > 1 or name in OWN_COLUMNS:
            raise LandingError(f"{label}: the column name {name!r} is taken (reserved: {', '.join(OWN_COLUMNS)})")
    return table


def _raw_column(label: str, column: Column, name_prefix: str | None) -> RawColumn:
    """A column of a raw table. Raises LandingError for a type that cannot be landed, and for other names that are not a list.

    Files may write name_prefix before its name. The name with the prefix is then preferred, unless the column lists it among its other
    names.
    """
    data_type = str(column.data_type or "").upper()
    if data_type not in COLUMN_TYPES:
        raise LandingError(
            f"{label}: column {column.name!r} has data_type {column.data_type!r}; allowed are {', '.join(COLUMN_TYPES)}"
        )
    names = column.meta.get("names", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise LandingError(
            f"{label}: column {column.name!r} has the names {names!r}; write a list of names, like [uid]"
        )
    prefixed = f"{name_prefix}{column.name}" if name_prefix else None
    return RawColumn(
        column.name,
        data_type,
        required=bool(column.meta.get("required")),
        identifier=bool(column.meta.get("identifier")),
        prefix=str(column.meta.get("prefix") or ""),
        event_id=bool(column.meta.get("event_id")),
        reserved=None if prefixed in names else prefixed,
        names=tuple(names),
    )
