"""The differences between a table's rows and its rebuild's, in a form that people can read. Pure: rows in, texts out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sessionization_dagster.metadata.markdown import shown

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """One column of one row, or a whole row that only one side has.

    Attributes:
        key: the row's key, as column -> value.
        what: 'value', 'missing' (only the rebuild has the row) or 'surplus' (only the table has it).
        column, stored, recomputed: of a value. For a nested column, `column` is the path to the field.
    """

    key: Row
    what: str
    column: str | None = None
    stored: Any = None
    recomputed: Any = None

    @property
    def row(self) -> str:
        """The row's key as text."""
        return ", ".join(f"{name} = {shown(value)}" for name, value in self.key.items())

    @property
    def sides(self) -> tuple[str, str]:
        """The stored and the recomputed value as text."""
        if self.what == "value":
            return shown(self.stored), shown(self.recomputed)
        return ("no row", "a row") if self.what == "missing" else ("a row", "no row")

    def __str__(self) -> str:
        """The difference as a sentence."""
        stored, recomputed = self.sides
        subject = f"{self.column} is" if self.what == "value" else "there is"
        return f"{self.row}: {subject} {stored}, recomputed {recomputed}"


def differences(
    stored: Iterable[Row], recomputed: Iterable[Row], key: Sequence[str], columns: Sequence[str]
) -> list[Difference]:
    """Pair by key the rows that only the table holds with the rows that only the rebuild holds, in the order of the keys.

    Values are compared exactly. If each side has one row for a key, the result has each column that differs; otherwise it has whole rows.
    """
    by_key: dict[str, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for side, rows in enumerate((stored, recomputed)):
        for row in rows:
            by_key[repr([row[name] for name in key])][side].append(row)
    found = []
    for _, (only_stored, only_recomputed) in sorted(by_key.items()):
        if len(only_stored) == len(only_recomputed) == 1:
            found += _columns(only_stored[0], only_recomputed[0], key, columns)
            continue
        found += [Difference(_key(row, key), "missing") for row in only_recomputed]
        found += [Difference(_key(row, key), "surplus") for row in only_stored]
    return found


def _columns(stored: Row, recomputed: Row, key: Sequence[str], columns: Sequence[str]) -> list[Difference]:
    return [
        Difference(_key(stored, key), "value", *leaf)
        for name in columns
        for leaf in _leaves(name, stored[name], recomputed[name])
    ]


def _leaves(name: str, stored: Any, recomputed: Any) -> Iterator[tuple[str, Any, Any]]:
    """The places at which two values differ: the column, or for a nested column the path to each field, such as records[2].track.url."""
    if isinstance(stored, Mapping) and isinstance(recomputed, Mapping) and stored.keys() == recomputed.keys():
        for field in stored:
            yield from _leaves(f"{name}.{field}", stored[field], recomputed[field])
    elif isinstance(stored, list) and isinstance(recomputed, list) and len(stored) == len(recomputed):
        for place, pair in enumerate(zip(stored, recomputed, strict=True)):
            yield from _leaves(f"{name}[{place}]", *pair)
    elif not _same(stored, recomputed):
        yield name, stored, recomputed


def _same(left: Any, right: Any) -> bool:
    # NaN equals NaN here, as in SQL's except.
    return bool(left == right) or (left != left and right != right)


def _key(row: Row, key: Sequence[str]) -> Row:
    return {name: row[name] for name in key}
