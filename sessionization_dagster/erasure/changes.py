"""The changes to the records of one file, and how a file is replaced. Nothing about formats."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sessionization_dagster.disk import sync
from sessionization_dagster.erasure.ids import Ids, as_id


class RewriteError(RuntimeError):
    """A file cannot be rewritten, and is unchanged. The message names the file and the remedy, and no id."""


@dataclass(frozen=True)
class Changes:
    """Changes to records of one file. Records are numbered from 1, as the landing numbers them.

    Attributes:
        remove: the person's own records.
        blank: other people's records that name the person: number -> the ordinary ids with which the record names its visitor.
        suspects: lines (parquet: numbers) of records that could not be landed, and that are removed if they name the person.
        id_columns: the columns in which such a record names its visitor, in lower case.
    """

    remove: frozenset[int] = frozenset()
    blank: Mapping[int, frozenset[str]] = field(default_factory=dict)
    suspects: frozenset[int] = frozenset()
    id_columns: frozenset[str] = frozenset()

    def is_suspect(self, line: int, content: str, fields: Mapping[str, object], ids: Ids) -> bool:
        """Whether the record on this line could not be landed and names the person."""
        return line in self.suspects and (
            ids.are_in(content)
            or any(name.lower() in self.id_columns and as_id(value) in ids.ordinary for name, value in fields.items())
        )


@dataclass
class Outcome:
    """How many records of a file were removed and changed."""

    removed: int = 0
    rejects_removed: int = 0
    blanked: int = 0

    @property
    def is_change(self) -> bool:
        """Whether the file must be replaced."""
        return bool(self.removed or self.rejects_removed or self.blanked)


@contextmanager
def replacing(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file that replaces the old one if the block ends without an error. If the process is killed, one of the two is there, complete.

    Yields the new file's path and stream. After closing the stream, the block may read the path, or unlink it to keep the old file.
    """
    # A link is followed to the file that holds the rows. The landing ignores names that start with a dot.
    target = path.resolve()
    scratch = target.with_name(f".{target.name}.erasing")
    try:
        with scratch.open("wb") as stream:
            shutil.copymode(target, scratch)
            yield scratch, stream
        if scratch.exists():
            sync(scratch)
            os.replace(scratch, target)
            sync(target.parent)
    finally:
        scratch.unlink(missing_ok=True)
