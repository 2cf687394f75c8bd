"""Rows of every source with one flaw each, as records of jsonl and csv files, with what may become of them. No job, no warehouse."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.integration.raw_fields import columns_of, raw_record
from tests.oracle.inputs import TABLES
from tests.oracle.model import RawRow

FIRST = datetime(2024, 3, 9, 6)
MINUTES = 3 * 24 * 60

Record = dict[str, Any]
#: (record, raw column of each of the oracle's fields, chance): spoils the record.
Flaw = Callable[[Record, dict[str, str], random.Random], None]


class Verbatim(str):
    """Text that is in a jsonl line as it is: not JSON, or JSON that Python would write differently."""


@dataclass(frozen=True)
class Line:
    """One record as it is written, and the mark by which it is found again."""

    mark: str
    flaw: str
    text: bytes
    event_id: str | None


def base_row(source: str, table: str, number: int, chance: random.Random) -> RawRow:
    """A row that nothing is wrong with."""
    at = FIRST + timedelta(minutes=chance.randrange(MINUTES), microseconds=chance.randrange(10**6))
    return RawRow(
        table, f"{source}-{table}-{number}", f"device {chance.randrange(60)}", f"user {chance.randrange(40)}",
        f"device {chance.randrange(60)}", at, at + timedelta(seconds=chance.randrange(90)),
        chance.choice(["page", "viewed_product", "pageview", "signup", "purchase"]), "https://shop.example/a?b=c",
        source, "/a", "A page", country="DE", device="phone", os="Linux", traits=(("mark", f"{source} {table} {number}"),),
    )  # fmt: skip


ODD_TEXTS = [
    "", " ", "null", "NULL", "undefined", "None", "anonymous", "0", "🦆" * 9, "a\0b", "\x01\x1e\x1f\x7f", "\x85\u2028",
    "a\nb\r\nc", 'a"b', "'; drop table core.events; --", "{{ var('x') }}", "{% endif %}{{ 1/0 }}", "$$ %s ? :a", "é" * 3,
    "e\u0301", "\ufeff", "\u202eabc", "x" * 100_000, "a,b;c\td", "\\", "\\u0000", "*[?", "-0", "1e400", "٣", "/~1~0",
]  # fmt: skip
ODD_VALUES = [
    0, -1, 1.5, 10**400, 2**63, 1e300, True, False, [], {}, [None], {"a": None}, {"": {"": []}}, ["x"] * 50,
    Verbatim("1e999"), Verbatim("-0.0"), Verbatim("[" * 100 + "]" * 100), Verbatim('{"a":' * 100 + "1" + "}" * 100),
    Verbatim('"\\u0000"'), Verbatim('"\\ud83d\\ude00"'), Verbatim('"\\/"'),
]  # fmt: skip
ODD_TIMES = [
    "yesterday", "0", "1709971200", "2024-13-01T00:00:00Z", "2024-03-10T25:00:00Z", "2024-02-30", "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z", "-4712-01-01", "epoch", "infinity", "nan", "2024-03-10T00:00:00+99:00", "now", "10/03/2024",
    "2024-03-10T00:00:00.1234567890Z", "2024-W10-1", "2024-03-10T00:00:00 Mars/Base", "x" * 100_000,
    "0001-01-01T00:00:00+14:00", "2024-03-10T23:59:60Z",
]  # fmt: skip
FAR_TIMES = [
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59Z", "1582-10-10",
    "2999-01-01T00:00:00Z", "9999-12-31", "2024-03-01T00:00:00Z", "2024-05-01T00:00:00Z",
]  # fmt: skip
GOOD_TIMES = [
    "2024-03-10T10:00:00+05:45", "2024-03-10 10:00:00", "2024-03-10", "2024-03-10T10:00:00.123456789Z",
    "2024-03-10T02:30:00-05:00", "2024-03-10T07:00:00Z", " 2024-03-10T10:00:00Z ",
]  # fmt: skip
ODD_NAMES = [
    "",
    "properties",
    "source_file",
    "SOURCE_ROW",
    "a.b",
    "$",
    "/",
    "~",
    "a\0b",
    'q"',
    "'",
    "🦆",
    "raw",
    "Timestamp ",
    "n" * 3000,
]


def setting(field: str, values: list[Any]) -> Flaw:
    """One of the values in the column of one field."""

    def flaw(record: Record, names: dict[str, str], chance: random.Random) -> None:
        record[names.get(field, field)] = chance.choice(values)

    return flaw


def anywhere(values: list[Any]) -> Flaw:
    """One of the values in any column."""

    def flaw(record: Record, names: dict[str, str], chance: random.Random) -> None:
        record[chance.choice([name for name in record if name != "mark"])] = chance.choice(values)

    return flaw


def nobody(record: Record, names: dict[str, str], chance: random.Random) -> None:
    """No identifier that says who it was."""
    for field in {"anonymous_id", "user_id"} & names.keys():
        record[names[field]] = chance.choice([None, "", "null", "guest", "00000000-0000-0000-0000-000000000000"])


def half_known(record: Record, names: dict[str, str], chance: random.Random) -> None:
    """One of two identifiers is missing."""
    if "anonymous_id" in names:
        record[names[chance.choice(["anonymous_id", "user_id"])]] = chance.choice([None, "", "undefined", "anonymous"])


def absent(record: Record, names: dict[str, str], chance: random.Random) -> None:
    """A column less."""
    del record[chance.choice([name for name in record if name != "mark"])]


def more(record: Record, names: dict[str, str], chance: random.Random) -> None:
    """Columns that nobody declared."""
    for name in chance.sample(ODD_NAMES, 3):
        record[name] = chance.choice([*ODD_TEXTS, *ODD_VALUES])


def recased(record: Record, names: dict[str, str], chance: random.Random) -> None:
    """A key in another case, sometimes beside itself."""
    name = chance.choice([name for name in record if name != "mark"])
    record[name.upper()] = record[name] if chance.random() < 0.5 else record.pop(name)


def same_id(record: Record, names: dict[str, str], chance: random.Random) -> None:
    """An id that other rows have, on this day or another, of this source or another."""
    record[names["id"]] = f"shared {chance.randrange(60)}"


def sound(record: Record, names: dict[str, str], chance: random.Random) -> None:
    """Nothing is wrong."""


#: Name -> (flaw, what may become of the row). Where received_at is not known, nothing is too late to be true: no partition has it.
FLAWS: dict[str, tuple[Flaw, set[str]]] = {
    "sound": (sound, {"event"}),
    "half known": (half_known, {"event"}),
    "other time": (setting("timestamp", GOOD_TIMES), {"event", "future_timestamp"}),
    "no id": (setting("id", [None, ""]), {"no_event_id", "event"}),
    "no time": (setting("timestamp", [None, "", " "]), {"no_timestamp"}),
    "nobody": (nobody, {"no_identity"}),
    "shared id": (same_id, {"event", "duplicate_event_id"}),
    "far time": (setting("timestamp", FAR_TIMES), {"future_timestamp", "outside"}),
    "far receipt": (setting("received_at", FAR_TIMES), {"event", "future_timestamp", "outside"}),
    "not a time": (setting("timestamp", [*ODD_TIMES, 17099712, True, {}, [1]]), {"unreadable"}),
    # A number is a time in JSON, and none in the text of csv.
    "number": (
        setting("timestamp", [1709971200, 1e9, 1709971200123]),
        {"event", "outside", "future_timestamp", "unreadable"},
    ),
    "not a receipt": (setting("received_at", ODD_TIMES), {"unreadable", "event"}),
    "odd event": (setting("event", ODD_TEXTS), {"event"}),
    "odd user": (setting("user_id", [*ODD_TEXTS, *ODD_VALUES]), {"event", "no_identity"}),
    "odd id": (setting("id", [*ODD_TEXTS, *ODD_VALUES]), {"event", "no_event_id", "duplicate_event_id"}),
    "odd text": (anywhere(ODD_TEXTS), set()),
    "odd value": (anywhere(ODD_VALUES), set()),
    "column less": (absent, {"event", "no_event_id", "no_timestamp", "no_identity"}),
    "columns more": (more, {"event"}),
    "other case": (recased, {"event", "no_event_id", "no_timestamp", "no_identity"}),
}
#: Of rows in files that can be read as a whole.
SOFT = [name for name, (_, outcomes) in FLAWS.items() if outcomes and "unreadable" not in outcomes]

BROKEN_JSON = [b"NaN", b"[1, 2]", b'"text"', b"null", b"{", b"{} {}", b"{'id': 1}", b'{"a": Infinity}', b"\xff\xfe{", b"\x00", b"{,}",
               b'{"id": "a",}', b'{"id": "\x01"', b"\xef\xbb\xbf[", b"<xml/>", b"[" * 5000, b'{"a": "\xed\xa0\x80"}', b"a\rb"]  # fmt: skip
BROKEN_CSV = [b"x", b"a,b,c", b"\xff" * 9, b"," * 60 + b"x", b'"a"b,c', b"x" * 100_000, b"\x00", b"a\rb", b'a "b" c']


def lines(
    source: str, table: str, count: int, chance: random.Random, ending: str, soft: bool, start: int = 0
) -> Iterator[Line]:
    """That many records; in csv the header is not one of them."""
    columns = csv_columns(source, table)
    names = {field: column for column, field in columns_of(source, table).items()}
    for number in range(start, start + count):
        mark = f"{source} {table} {number}"
        if not soft and chance.random() < 0.05:
            yield Line(mark, "broken", chance.choice(BROKEN_JSON if ending == "jsonl" else BROKEN_CSV), None)
            continue
        record = raw_record(base_row(source, table, number, chance))
        flaw = chance.choice(SOFT if soft else list(FLAWS))
        FLAWS[flaw][0](record, names, chance)
        write = json_line(record, chance) if ending == "jsonl" else csv_line([record.get(name) for name in columns])
        yield Line(mark, flaw, write, str(record.get(names["id"])))


def csv_columns(source: str, table: str) -> list[str]:
    """The header: what the source's rows have, and the mark last."""
    return list(raw_record(RawRow(table, "a", source=source, traits=(("mark", ""),))))


def json_line(record: Record, chance: random.Random) -> bytes:
    """The record as JSON, now and then with a key twice."""
    parts = [f"{json.dumps(name)}: {_json(value)}" for name, value in record.items()]
    if chance.random() < 0.03:
        parts.append(chance.choice(parts))
    return ("{" + ", ".join(parts) + "}").encode()


def csv_line(values: list[Any]) -> bytes:
    """The values as csv, quoted where they must be."""
    out = io.StringIO()
    csv.writer(out).writerow([value if isinstance(value, str) else _text(value) for value in values])
    return out.getvalue().removesuffix("\r\n").encode()


def _json(value: Any) -> str:
    return value if isinstance(value, Verbatim) else json.dumps(value, default=_text)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    return "" if value is None else json.dumps(value)


ALL_TABLES = [(source, table) for source, tables in TABLES.items() for table in tables]
