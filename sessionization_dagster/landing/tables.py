"""The declaration of a raw table. The sources' yml declares the tables; dbt/raw_tables.py reads them."""

from __future__ import annotations

from dataclasses import dataclass

#: Every landed row has these, after the declared columns.
OWN_COLUMNS = {"properties": "JSON", "source_file": "VARCHAR", "source_row": "BIGINT"}

#: The column types to which the landing can convert text, and for which it can say exactly which text cannot be converted.
COLUMN_TYPES = ("VARCHAR", "TIMESTAMP", "DATE", "JSON", "BOOLEAN", "INTEGER", "BIGINT", "DOUBLE")

#: Number types that can hold a row's moment. Whole numbers count from 1970; their size shows seconds, milliseconds or microseconds.
NUMBER_TYPES = ("INTEGER", "BIGINT")


class LandingError(Exception):
    """The landing cannot run at all. The message says what was found, what was expected and the remedy."""


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
