"""What is known of one data file: from its place, and from its first bytes. Nothing is opened here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Calls:
    """What a file of raw calls is to one of the tables that it fills.

    Attributes:
        is_home: whether this table answers for the records that fill no table.
        types: the types of calls that some table takes.
    """

    is_home: bool
    types: frozenset[str]


@dataclass(frozen=True)
class LandedFile:
    """One data file, as it was when the folder was listed.

    Attributes:
        path: absolute.
        source_file: below the landing folder, with forward slashes: the file's identity in the ledger.
        size_bytes: on disk.
        modified_ns: last modification, nanoseconds since 1970.
        refusal: why it cannot be read, as its place shows.
        calls: of a file of raw calls, which is a file of several tables.
    """

    path: str
    source_file: str
    size_bytes: int
    modified_ns: int
    refusal: str | None = None
    calls: Calls | None = None


@dataclass(frozen=True)
class Kind:
    """What the beginning of a file says of it.

    Attributes:
        format: parquet, csv, jsonl (one JSON object per line) or json (one array, or objects over several lines).
        gzipped: whether its bytes are.
        encoding: of its text.
        delimiter: of csv fields.
        first: its first JSON object, where there is one.
        is_lone: whether that object is all that the file has.
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
    """A file whose beginning was looked at."""
