"""The description of one data file, from its place and from its first bytes. Nothing is opened here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Calls:
    """The relation of a file of raw calls to one of the tables that it fills.

    Attributes:
        is_home: whether this table also takes the records that fill no table.
        types: the types of calls that any table takes.
    """

    is_home: bool
    types: frozenset[str]


@dataclass(frozen=True)
class LandedFile:
    """One data file, as it was when the folder was listed.

    Attributes:
        path: the absolute path.
        source_file: the path below the landing folder, with forward slashes. It identifies the file in the ledger.
        size_bytes: the size on disk.
        modified_ns: last modification, nanoseconds since 1970.
        refusal: why it cannot be read because of its place.
        calls: set for a file of raw calls, which belongs to several tables.
    """

    path: str
    source_file: str
    size_bytes: int
    modified_ns: int
    refusal: str | None = None
    calls: Calls | None = None


@dataclass(frozen=True)
class Kind:
    """Properties of a file that its beginning shows.

    Attributes:
        format: parquet, csv, jsonl (one JSON object per line) or json (one array, or objects over several lines).
        gzipped: whether its bytes are gzipped.
        encoding: the encoding of its text.
        delimiter: the delimiter of csv fields.
        first: its first JSON object, if there is one.
        is_lone: whether the file has only that object.
    """

    format: str = "csv"
    gzipped: bool = False
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    first: Mapping[str, Any] = field(default_factory=dict, compare=False)
    is_lone: bool = False

    @property
    def is_utf8(self) -> bool:
        """Whether DuckDB's readers can read its text."""
        return self.encoding == "utf-8-sig"


@dataclass(frozen=True)
class DataFile(Kind, LandedFile):
    """A file whose beginning has been read."""
