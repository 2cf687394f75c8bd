"""Files with one flaw each, made of sound ones. No job, no warehouse."""

from __future__ import annotations

import gzip
import io
import random
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from tests.integration.fuzzed_rows import base_row, csv_columns, csv_line, json_line
from tests.integration.raw_fields import columns_of, raw_record

ROWS = 20


@dataclass(frozen=True)
class Damaged:
    """A file's name, its bytes, and how many records it has, if the flaw lets us count."""

    name: str
    content: bytes
    records: int | None


def sound(source: str, table: str, number: int, ending: str, chance: random.Random) -> bytes:
    """A file that nothing is wrong with."""
    rows = [base_row(source, table, 10**6 + number * 100 + place, chance) for place in range(ROWS)]
    if ending == "jsonl":
        return b"".join(json_line(raw_record(row), random.Random(0)) + b"\n" for row in rows)
    if ending == "csv":
        columns = csv_columns(source, table)
        return b"".join(
            csv_line(values) + b"\n" for values in [columns, *(list(raw_record(row).values()) for row in rows)]
        )
    fields = columns_of(source, table)
    values = {column: [getattr(row, field) for row in rows] for column, field in fields.items()}
    return parquet({**values, "mark": [row.traits[0][1] for row in rows]})


def parquet(columns: dict[str, list[object]]) -> bytes:
    """The columns as a parquet file."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def flipped(content: bytes, chance: random.Random) -> bytes:
    """Some bytes are others."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 2, 5, 30))):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def cut(content: bytes, chance: random.Random) -> bytes:
    """The end is missing."""
    return content[: chance.randrange(len(content))]


def _holes(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content))
    return content[:start] + content[start + chance.randrange(1, 200) :]


def _ragged(content: bytes, chance: random.Random) -> bytes:
    return b"\n".join(line + b",x" * chance.randrange(3) for line in content.split(b"\n"))


def _twice_named(content: bytes, chance: random.Random) -> bytes:
    return content.replace(b",mark\n", b",timestamp\n", 1)


def _columns(change: Callable[[pa.Table, random.Random], pa.Table]) -> Callable[[bytes, random.Random], bytes]:
    def flaw(content: bytes, chance: random.Random) -> bytes:
        out = io.BytesIO()
        pq.write_table(change(pq.read_table(io.BytesIO(content)), chance), out)
        return out.getvalue()

    return flaw


def _retyped(table: pa.Table, chance: random.Random) -> pa.Table:
    wrong = chance.choice(
        [[1] * ROWS, [True] * ROWS, [1.5] * ROWS, [[1]] * ROWS, [{"a": 1}] * ROWS, [b"\xff"] * ROWS, [None] * ROWS]
    )
    place = chance.randrange(table.num_columns - 1)
    return table.set_column(place, table.column_names[place], pa.array(wrong))


def _spare(table: pa.Table, chance: random.Random) -> pa.Table:
    return table.drop_columns([chance.choice(table.column_names)])


#: Format -> flaw -> (how, the ending it is given, records if they can be counted).
Flaw = tuple[Callable[[bytes, random.Random], bytes], str, int | None]
TEXT: dict[str, Flaw] = {
    "cut": (cut, "", None),
    "flipped": (flipped, "", None),
    "holes": (_holes, "", None),
    "empty": (lambda content, chance: b"", "", None),
    "blank": (lambda content, chance: b"\n \n\r\n", "", 0),
    "mark": (lambda content, chance: b"\xef\xbb\xbf" + content, "", ROWS),
    "utf16": (lambda content, chance: content.decode().encode("utf-16"), "", None),
    "returns": (lambda content, chance: content.replace(b"\n", b"\r\n"), "", ROWS),
    "old mac": (lambda content, chance: content.replace(b"\n", b"\r"), "", ROWS),
    "not zipped": (lambda content, chance: content, ".gz", None),
    "zipped": (lambda content, chance: gzip.compress(content, mtime=0), "", None),
    "zip cut": (lambda content, chance: cut(gzip.compress(content, mtime=0), chance), ".gz", None),
    "zip flipped": (lambda content, chance: flipped(gzip.compress(content, mtime=0), chance), ".gz", None),
    "zipped twice": (lambda content, chance: gzip.compress(gzip.compress(content, mtime=0), mtime=0), ".gz", None),
    "noise": (lambda content, chance: chance.randbytes(500), "", None),
    "as parquet": (lambda content, chance: content, ".parquet", None),
    "no end": (lambda content, chance: content.rstrip(b"\n"), "", ROWS),
    "long line": (lambda content, chance: content + b"x" * 3_000_000, "", ROWS + 1),
    "nul": (lambda content, chance: content + b"\0" * 50 + b"\n", "", ROWS + 1),
}
FLAWS: dict[str, dict[str, Flaw]] = {
    "jsonl": {
        **TEXT,
        "array": (lambda content, chance: b"[" + b",".join(content.splitlines()) + b"]", "", ROWS),
        "arrays": (lambda content, chance: b"".join(b"[" + line + b"]\n" for line in content.splitlines()), "", ROWS),
        "one line": (lambda content, chance: content.replace(b"\n", b" "), "", ROWS),
        "as csv": (lambda content, chance: content, ".csv", None),
        "spread": (lambda content, chance: content.replace(b", ", b",\n"), "", None),
    },
    "csv": {
        **TEXT,
        "ragged": (_ragged, "", None),
        "tabs": (lambda content, chance: content.replace(b",", b"\t"), "", None),
        "semicolons": (lambda content, chance: content.replace(b",", b";"), "", None),
        "no header": (lambda content, chance: content.split(b"\n", 1)[1], "", None),
        "twice named": (_twice_named, "", None),
        "header alone": (lambda content, chance: content.split(b"\n", 1)[0], "", 0),
        "open quote": (lambda content, chance: content.replace(b",", b',"', chance.randrange(20, 60)), "", None),
        "as jsonl": (lambda content, chance: content, ".jsonl", ROWS),
    },
    "parquet": {
        "cut": (cut, "", None),
        "flipped": (flipped, "", None),
        "empty": (lambda content, chance: b"", "", None),
        "footer": (lambda content, chance: content[:-40] + flipped(content[-40:], chance), "", None),
        "retyped": (_columns(_retyped), "", None),
        "column less": (_columns(_spare), "", None),
        "no rows": (_columns(lambda table, chance: table.slice(0, 0)), "", 0),
        "no columns": (_columns(lambda table, chance: table.select([])), "", None),
        "as csv": (lambda content, chance: content, ".csv", None),
        "as jsonl": (lambda content, chance: content, ".jsonl", None),
    },
}  # fmt: skip


def damaged(source: str, table: str, number: int, chance: random.Random) -> Damaged:
    """One file for the table's folder."""
    ending = chance.choice(list(FLAWS))
    flaw = chance.choice(list(FLAWS[ending]))
    spoil, added, records = FLAWS[ending][flaw]
    name = f"{source}/{table}/{number:03} {flaw}.{ending}{added}"
    return Damaged(name, spoil(sound(source, table, number, ending, chance), chance), records)
