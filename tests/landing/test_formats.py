"""What a file is, whatever it is called: known by its first bytes."""

from __future__ import annotations

import gzip
import io
import json

import pyarrow.parquet as pq
import pytest

from sessionization_dagster.landing import documents
from tests.landing.conftest import HEADER, Case, csv_row, parquet

NAMES = ["1709544600123.e", "a.csv", "a.jsonl", "a.parquet.gz"]
CSV = HEADER + csv_row("1") + csv_row("2")
OBJECTS = [{"id": str(number), "user_id": "u", "timestamp": "2024-01-01", "more": [number]} for number in (1, 2)]
JSONL = "".join(f"{json.dumps(row)}\n" for row in OBJECTS)
TEXTS = {
    "csv": CSV,
    "tabs": CSV.replace(",", "\t"),
    "semicolons": CSV.replace(",", ";"),
    "bars": CSV.replace(",", "|"),
    "blanks in the header": CSV.replace(",", ", ", 3),
    "lines": JSONL,
    "array": json.dumps(OBJECTS),
    "pretty array": json.dumps(OBJECTS, indent=2),
    "pretty objects": "\n".join(json.dumps(row, indent=2) for row in OBJECTS),
    "an array per line": "".join(f"[{line}]\n" for line in JSONL.splitlines()),
}


def contents() -> dict[str, bytes]:
    """The same two rows in every format and encoding, plain."""
    encodings = ("utf-8", "utf-16", "utf-16-le")
    found = {f"{name} {code}": text.encode(code) for name, text in TEXTS.items() for code in encodings}
    out = io.BytesIO()
    pq.write_table(parquet(id=["1", "2"]), out)
    return found | {"parquet": out.getvalue()}


def test_the_content_says_what_a_file_is(case: Case) -> None:
    found = contents()
    for kind, content in found.items():
        for place, name in enumerate(NAMES):
            case.write(f"{kind}/{place}/plain/{name}", content)
            case.write(f"{kind}/{place}/zipped/{name}", gzip.compress(content[:9]) + gzip.compress(content[9:]))
    assert case.land().problems == []
    assert case.rows() == ["1", "2"] * 2 * len(NAMES) * len(found)
    assert set(case.rows("user_id, timestamp::date::varchar")) == {("u", "2024-01-01")}


NO_ROWS = {
    '{"data": [{"id": "1"}], "next": null}': "is one JSON object with an array inside ('data'), no rows",
    '{"data":\n [{"id": "1"}]}': "is one JSON object with an array inside ('data'), no rows",
    '{"data": [' + '{"id": "1"},' * 20_000 + "{}]}": "is one JSON object with an array inside, no rows",
    '{"status": "ok"}': "is one JSON object ('status'), no rows",
    "null": "is a JSON document that holds null, no rows",
    "42": "is a JSON document that holds a number, no rows",
    '"x"': "is a JSON document that holds a string, no rows",
}


@pytest.mark.parametrize("name", ["a.json", "a"])
def test_a_json_document_without_rows_is_named_for_what_it_is(case: Case, name: str) -> None:
    for place, text in enumerate(NO_ROWS):
        case.write(f"{place}/{name}", text)
    case.write("b.json", '{"id": "b", "products": [{"sku": 1}]}')
    case.land()
    assert case.rows() == ["b"]
    for error, expected in zip(case.rejects("error"), NO_ROWS.values(), strict=True):
        assert error.startswith(expected)
        assert "write one object per line, or one array of them" in error


OTHERS = {
    b"PK\x03\x04": "is a zip archive",
    b"\x28\xb5\x2f\xfdx": "is compressed by zstd",
    b"ORC\x08": "is an ORC file",
    b"Obj\x01": "is an Avro file",
    gzip.compress(gzip.compress(CSV.encode())): "is gzipped twice",
    CSV.encode("utf-16")[:-1]: "is UTF-16 text with bytes that are no letters",
    CSV.encode("cp1252").replace(
        b"user_id", b"user_id\xe4"
    ): "has no readable header line (is not UTF-8 (it may be Windows-1252",
}


def test_other_formats_are_named_for_what_they_are(case: Case) -> None:
    for place, content in enumerate(OTHERS):
        case.write(f"{place}.csv", content)
    assert case.land_tracks().files_unreadable == len(OTHERS)
    for error, expected in zip(case.rejects("error"), OTHERS.values(), strict=True):
        assert error.startswith(expected)


BROKEN = {
    '[{"id": "1"}, {"id": "2"': (["1"], [1, 1]),
    '[{"id": "1"},\n': (["1"], [2]),
    '[{"id": "1"},\n5, "x",\nnull, {"id": "2"}]': (["1", "2"], [2, 2, 3]),
    '[{"id": "1"}, {"id": "\\ud800"}, {"id": NaN}]': (["1"], [1, 1]),
    '[{"id": "1", "a": "[{\\"}"}, {"id": "2"}] rest': (["1", "2"], [1]),
    '{"id": "1",\n"price": 1}\n\n{"id": "2",\n"price": "dear"}\n{"id":\n"3"}': (["1", "3"], [4]),
}


@pytest.mark.parametrize("chunk", [1, 7, 10**6])
def test_broken_elements_are_named_by_the_line_on_which_they_start(
    case: Case, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(documents, "CHUNK_CHARACTERS", chunk)
    for place, text in enumerate(BROKEN):
        case.write(f"{place}.json", text)
    case.land()
    assert case.rows() == [name for names, _ in BROKEN.values() for name in names]
    assert case.rejects("source_line") == [line for _, lines in BROKEN.values() for line in lines]
    assert any("an array is opened and never closed" in error for error in case.rejects("error"))


def test_a_cp1252_row_is_named(case: Case) -> None:
    case.write("a.csv", (HEADER + csv_row("größe") + csv_row("b")).encode("cp1252"))
    case.land()
    assert (case.rows(), case.rejects("source_line")) == (["b"], [2])
    assert "it may be Windows-1252" in case.rejects("error")[0]
