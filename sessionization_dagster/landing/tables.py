"""Which raw tables exist, and their columns. Read from the dbt manifest, so that they are declared only once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Every landed row has these, after the declared columns.
OWN_COLUMNS = {"properties": "JSON", "source_file": "VARCHAR", "source_row": "BIGINT"}

#: The column types to which the landing can convert text, and for which it can say exactly which text cannot be converted.
COLUMN_TYPES = ("VARCHAR", "TIMESTAMP", "DATE", "JSON", "BOOLEAN", "INTEGER", "BIGINT", "DOUBLE")


#: Number types that can hold a row's moment. Whole numbers count from 1970; their size shows seconds, milliseconds or microseconds.
NUMBER_TYPES = ("INTEGER", "BIGINT")
TIME_TYPES = ("TIMESTAMP", "DATE", *NUMBER_TYPES)
LANDING_KEYS = ("source", "table", "at", "call", "unnest", "name_prefix")


class LandingError(Exception):
    """The landing cannot run at all. The message names what was found, what was expected and the remedy."""


@dataclass(frozen=True)
class RawColumn:
    """One declared column.

    Attributes:
        name: the name in the raw table.
        type: one of COLUMN_TYPES.
        required: whether a csv or parquet file without it is set aside as a whole. In other columns a null word is no value.
        identifier: whether it identifies the person of a row.
        prefix: a beginning of an identifier that may be left out without changing the id.
        event_id: whether it identifies the event.
        reserved: the name that the vendor reserves for it, such as `$user_id`. It is preferred to the column's own name, which a
            customer's property may have.
        names: other names that files may have for it, in the order of preference.
    """

    name: str
    type: str
    required: bool = False
    identifier: bool = False
    prefix: str = ""
    event_id: bool = False
    reserved: str | None = None
    names: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """All names that files may have for it, the best first."""
        return (*([self.reserved] if self.reserved else []), self.name, *self.names)

    @property
    def is_id(self) -> bool:
        """Whether it holds ids: blanks around a value are not part of it, and 42.0 is 42."""
        return self.identifier or self.event_id


@dataclass(frozen=True)
class RawTable:
    """The table `raw.<source>_<table>`, filled from the folder `<landing>/<source>/<table>/`.

    Attributes:
        source: the source's name.
        table: the table's name within the source.
        columns: the declared columns.
        at: the column with the time of a row.
        call: the type of raw calls (`{"messageId": ..., "type": "track", ...}`) that are rows of this table.
        unnest: the key of a JSON record whose object holds most of the record's fields.
    """

    source: str
    table: str
    columns: tuple[RawColumn, ...]
    at: str | None = None
    call: str | None = None
    unnest: str | None = None

    @property
    def name(self) -> str:
        """The table's name in the schema `raw`."""
        return f"{self.source}_{self.table}"

    @property
    def counts_time(self) -> bool:
        """Whether `at` is a number counted from 1970, not a time."""
        return any(column.name == self.at and column.type in NUMBER_TYPES for column in self.columns)


def raw_tables(manifest: Mapping[str, Any], sources: Sequence[str]) -> tuple[RawTable, ...]:
    """The raw tables of `sources`, in the order of `sources`, then by table name.

    Raises LandingError for a source that declares no table, and for a declaration that cannot be landed.
    """
    declared: dict[str, dict[str, RawTable]] = {}
    for node in manifest.get("sources", {}).values():
        landing = _meta(node).get("landing")
        if node.get("source_name") == "raw" and landing:
            table = _raw_table(node, landing)
            declared.setdefault(table.source, {})[table.table] = table
    for source in sources:
        if source not in declared:
            raise LandingError(f"unknown source {source!r}: allowed are {', '.join(sorted(declared)) or 'none'}")
    return tuple(declared[source][table] for source in dict.fromkeys(sources) for table in sorted(declared[source]))


def _meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The meta of a manifest node or column: `config.meta`, or `meta` as dbt wrote it before 1.10."""
    return (node.get("config") or {}).get("meta") or node.get("meta") or {}


def _raw_table(node: Mapping[str, Any], landing: Mapping[str, Any]) -> RawTable:
    """The manifest's source node as a table. Raises LandingError if its parts contradict each other."""
    label = f"source raw.{node.get('name')}"
    if not landing.get("source") or not landing.get("table"):
        raise LandingError(f"{label}: meta.landing needs both `source` and `table`, found {dict(landing)}")
    unknown = sorted(set(landing) - set(LANDING_KEYS))
    if unknown:
        raise LandingError(f"{label}: meta.landing has {', '.join(unknown)}; allowed are {', '.join(LANDING_KEYS)}")
    at = landing.get("at", "timestamp")
    name_prefix = landing.get("name_prefix")
    columns = tuple(_raw_column(label, column, name_prefix) for column in node.get("columns", {}).values())
    at_type = next((column.type for column in columns if column.name == at), None)
    if at_type not in (None, *TIME_TYPES):
        raise LandingError(
            f"{label}: column {at!r} tells the time and has data_type {at_type}; it must be one of {', '.join(TIME_TYPES)}. "
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
    if node["name"] != table.name:
        raise LandingError(f"{label}: meta.landing says {table.name}; name the source so, or correct the meta")
    if not table.columns:
        raise LandingError(f"{label} declares no columns: list them in its yml")
    if "at" in landing and table.at is None:
        raise LandingError(
            f"{label}: no column is named {landing['at']!r}, which meta.landing.at says to tell the time"
        )
    lowered = [column.name.lower() for column in table.columns]
    for name in lowered:
        # DuckDB's column names ignore case, so `ID` beside `id` cannot be created.
        if lowered.count(name) > 1 or name in OWN_COLUMNS:
            raise LandingError(f"{label}: the column name {name!r} is taken (reserved: {', '.join(OWN_COLUMNS)})")
    return table


def _raw_column(label: str, column: Mapping[str, Any], name_prefix: str | None) -> RawColumn:
    """One column of the manifest. Raises LandingError for a type that cannot be landed, and for other names that are not a list.

    Files may write name_prefix before its name. The name with the prefix is then preferred, unless the column lists it among its other
    names.
    """
    data_type = str(column.get("data_type") or "").upper()
    if data_type not in COLUMN_TYPES:
        raise LandingError(
            f"{label}: column {column['name']!r} has data_type {column.get('data_type')!r}; "
            f"allowed are {', '.join(COLUMN_TYPES)}"
        )
    meta = _meta(column)
    listed = meta.get("names", [])
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise LandingError(
            f"{label}: column {column['name']!r} has the names {listed!r}; write a list of names, like [uid]"
        )
    names = tuple(listed)
    prefixed = f"{name_prefix}{column['name']}" if name_prefix else None
    return RawColumn(
        column["name"],
        data_type,
        required=bool(meta.get("required")),
        identifier=bool(meta.get("identifier")),
        prefix=str(meta.get("prefix") or ""),
        event_id=bool(meta.get("event_id")),
        reserved=None if prefixed in names else prefixed,
        names=names,
    )
