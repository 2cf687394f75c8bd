"""Damaged files, at random but always the same ones: the landing ends, and every record is a row or a reject."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from sessionization_dagster.landing import rows
from sessionization_dagster.landing.file_errors import NeedsRowByRow
from tests.landing.conftest import HEADER, Case, csv_row, parquet

SEED = 20240601
LINES = 30


def damaged(content: bytes, chance: random.Random, letters: bytes) -> bytes:
    """A few bytes replaced, removed or added."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 10))):
        place = chance.randrange(len(data))
        what = chance.random()
        if what < 0.6:
            data[place] = chance.choice(letters)
        elif what < 0.8:
            del data[place : place + chance.randrange(1, 20)]
        else:
            data[place:place] = bytes(chance.choices(letters, k=3))
    return bytes(data)


def sources(case: Case) -> dict[str, bytes]:
    """A valid file of each format."""
    csv = HEADER + "".join(csv_row(f"id {number}", price=str(number)) for number in range(LINES))
    jsonl = "".join(f'{{"id": "{number}", "timestamp": "2024-01-01", "more": [{number}]}}\n' for number in range(LINES))
    path = case.write(
        "whole.parquet", parquet(id=[f"id {n}" for n in range(LINES)], more=[{"a": n} for n in range(LINES)])
    )
    return {
        "csv": csv.encode(),
        "jsonl": jsonl.encode(),
        "parquet": path.read_bytes(),
        "csv.gz": gzip.compress(csv.encode(), mtime=0),
    }


def accounted(case: Case) -> dict[str, tuple[int, int, bool]]:
    """By file: rows, rejected records, whether it was set aside."""
    loaded = dict(case.query("select source_file, count(*) from raw.shop_tracks group by all"))
    rejected = dict(case.query("select source_file, count(source_line) from raw.landing_rejects group by all"))
    status = dict(case.query("select source_file, status from raw.landed_files"))
    return {name: (loaded.get(name, 0), rejected.get(name, 0), status[name] == "unreadable") for name in status}


def test_damaged_files_are_accounted_for(case: Case) -> None:
    chance = random.Random(SEED)
    whole_files = sorted(sources(case).items())
    contents = {}
    for number in range(64):
        ending, whole = chance.choice(whole_files)
        # Without quotes and line ends in the damage, every line of csv stays a record.
        letters = b"x,{}[:\xff\x00 9-" if ending in ("csv", "jsonl") else bytes(range(256))
        name = f"shop/tracks/{number:02}.{ending}"
        contents[name] = damaged(whole, chance, letters)
        case.write(f"{number:02}.{ending}", contents[name])
    case.land()
    result = accounted(case)
    assert result.pop("shop/tracks/whole.parquet") == (LINES, 0, False)
    assert result.keys() == contents.keys()
    for name, (loaded, rejected, is_unreadable) in result.items():
        if is_unreadable:
            assert (loaded, rejected) == (0, 0), name
        elif name.endswith((".csv", ".jsonl")):
            lines = [line for line in contents[name].split(b"\n") if line.strip(b" \t\r")]
            assert loaded + rejected == len(lines) - name.endswith(".csv"), name
        else:
            assert loaded + rejected == LINES, name
    outcomes = {(loaded > 0, rejected > 0, is_unreadable) for loaded, rejected, is_unreadable in result.values()}
    assert {(True, False, False), (True, True, False), (False, False, True)} <= outcomes


def disguised(text: str, chance: random.Random) -> tuple[str, bytes]:
    """A text file's content as some program may have written it, in a folder and under a name that say nothing of it."""
    if text.startswith("{") and chance.random() < 0.5:
        indent = chance.choice((None, 2))
        text = json.dumps([json.loads(line) for line in text.splitlines()], indent=indent, ensure_ascii=False)
    elif not text.startswith("{"):
        text = text.replace(",", chance.choice(",\t;"))
    content = text.encode(chance.choice(("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")))
    if chance.random() < 0.4:
        content = damaged(content, chance, bytes(range(256)))
    if chance.random() < 0.4:
        place = chance.randrange(len(content))
        content = gzip.compress(content[:place]) + gzip.compress(content[place:])
        content = damaged(content, chance, bytes(range(256))) if chance.random() < 0.2 else content
    folder = chance.choice(
        ("", "dt=2024-01-01/", "user_id=a%20b/", "price=dear/", "timestamp=__HIVE_DEFAULT_PARTITION__/")
    )
    ending = chance.choice(
        ("", ".e", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".gz", ".csv.gz", ".dat")
    )
    return f"{folder}{{}}{ending}", content


def test_disguised_files_are_accounted_for(case: Case) -> None:
    chance = random.Random(SEED)
    count = 120
    for number in range(count):
        rows: list[dict[str, Any]] = [
            {"id": f"ü {place}", "user_id": "u", "timestamp": "2024-01-01", "price": place} for place in range(LINES)
        ]
        jsonl = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        csv = HEADER + "".join(csv_row(row["id"], price=str(row["price"])) for row in rows)
        name, content = disguised(chance.choice((jsonl, csv)), chance)
        case.write(name.format(f"{number:03}"), content)
    case.land()
    result = accounted(case)
    assert len(result) == count
    for name, (loaded, rejected, is_unreadable) in result.items():
        # A damaged file may seem to have other records, but never none.
        assert (loaded + rejected > 0) != is_unreadable, name
    whole = sum(counts == (LINES, 0, False) for counts in result.values())
    assert whole > count / 3
    assert sum(is_unreadable for _, _, is_unreadable in result.values()) > 5


CSV_PIECES = [
    "a",
    "",
    '"x"',
    '"x""y"',
    '"x,y"',
    '"x\ny"',
    'x"y',
    " x ",
    ' "x"',
    '"x" ',
    '""',
    '"x\r\ny"',
    '"x',
    'x"',
    "é",
]
JSON_PIECES = [
    '{"id": 1}',
    '{"ID": "a", "id": null}',
    '{"z": {"y": null}}',
    '{"id": "a", "id": "b"}',
    "{}",
    "x",
    "[1]",
    "",
]


def random_csv(chance: random.Random) -> str:
    """Odd records, most of them sound."""
    return HEADER + "".join(csv_row(chance.choice(CSV_PIECES), price="") for _ in range(chance.randrange(1, 5)))


def random_jsonl(chance: random.Random) -> str:
    """Odd lines, most of them sound."""
    return "\n".join(chance.choice(JSON_PIECES) for _ in range(chance.randrange(1, 4)))


@pytest.mark.parametrize(("ending", "make"), [("csv", random_csv), ("jsonl", random_jsonl)])
def test_both_paths_read_the_same(
    case: Case, monkeypatch: pytest.MonkeyPatch, ending: str, make: Callable[[random.Random], str]
) -> None:
    chance = random.Random(SEED)
    for number in range(25):
        case.write(f"{number}.{ending}", make(chance).encode() or b"\n")
    clean: list[Any] = []
    alone, together = rows.load_whole, rows.load_together

    def counted(*arguments: Any) -> tuple[int, int]:
        counts = alone(*arguments)
        clean.append(arguments)
        return counts

    def counted_together(*arguments: Any) -> dict[str, tuple[int, int]]:
        counts = together(*arguments)
        clean.extend(counts)
        return counts

    def read_row_by_row(*arguments: Any) -> tuple[int, int]:
        raise NeedsRowByRow

    monkeypatch.setattr(rows, "load_whole", counted)
    monkeypatch.setattr(rows, "load_together", counted_together)
    case.land()
    assert 5 < len(clean) < 25
    monkeypatch.setattr(rows, "load_whole", read_row_by_row)
    monkeypatch.setattr(rows, "load_together", read_row_by_row)
    other = Case(case.folder)
    other.land()
    assert other.state() == case.state()
