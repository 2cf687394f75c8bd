"""Files rewritten without a person: what is left is as it was, in every format."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import stat
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionization_dagster.erasure.changes import Changes, Outcome, RewriteError
from sessionization_dagster.erasure.ids import Ids
from sessionization_dagster.erasure.rewrite import rewrite as rewrite_file
from sessionization_dagster.landing.data_file import LandedFile
from sessionization_dagster.landing.formats import recognised
from sessionization_dagster.landing.row_by_row import csv_header, csv_records, jsonl_records
from sessionization_dagster.landing.text import opened
from tests.landing.conftest import HEADER, Case, csv_row, parquet

PERSON = "person-7f3a9c"
IDS = Ids.of([PERSON, "42"])


def rewrite(file: LandedFile, wanted: Changes, ids: Ids) -> Outcome:
    settled: list[Outcome] = []
    before = Path(file.path).read_bytes()

    def settle(outcome: Outcome) -> None:
        assert Path(file.path).read_bytes() == before
        settled.append(outcome)

    outcome = rewrite_file(file, wanted, ids, settle)
    assert settled == ([outcome] if outcome.is_change else [])
    return outcome


def landed(path: Path) -> LandedFile:
    return LandedFile(str(path), f"shop/tracks/{path.name}", path.stat().st_size, 0)


def changes(
    remove: Collection[int] = (), blank: dict[int, set[str]] | None = None, suspects: Sequence[int] = ()
) -> Changes:
    blanks = {number: frozenset(own) for number, own in (blank or {}).items()}
    return Changes(frozenset(remove), blanks, frozenset(suspects), frozenset({"user_id"}))


def rewritten(path: Path, content: bytes, wanted: Changes) -> bytes:
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    rewrite(landed(path), wanted, IDS)
    after = path.read_bytes()
    return gzip.decompress(after) if path.name.endswith(".gz") else after


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_csv_keeps_every_other_byte(tmp_path: Path, name: str) -> None:
    before = (
        b'\xef\xbb\xbfid,user_id,title\r\n\r\n1,me,"two\r\nlines, ""quoted"""\r\n2,you, "spaced" \n\n'
        b'3,you,"not\nmine"\n4,broken\xff,x\n5,me,end'
    )
    after = rewritten(tmp_path / name, before, changes(remove=[1, 5]))
    assert after == before.replace(b'1,me,"two\r\nlines, ""quoted"""\r\n', b"").replace(b"5,me,end", b"")


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_jsonl_keeps_every_other_byte(tmp_path: Path, name: str) -> None:
    before = b'\xef\xbb\xbf{"id": 1}\n{"id": 2,  "price": 1.10}\r\n\n{"id":3}\nnot json\n{"id": 5}'
    assert rewritten(tmp_path / name, before, changes(remove=[1, 4])) == (
        b'\xef\xbb\xbf{"id": 2,  "price": 1.10}\r\n\n{"id":3}\n{"id": 5}'
    )


def test_files_of_lone_returns_keep_them(tmp_path: Path) -> None:
    assert rewritten(tmp_path / "a.csv", b"id,u\r1,a\r2,b\r3,c\r", changes(remove=[2])) == b"id,u\r1,a\r3,c\r"


def test_other_peoples_records_lose_the_ids_and_nothing_else(tmp_path: Path) -> None:
    line = '{"id": "1",  "user_id":"other", "a": "ID", "url": "/?u=ID&x=1", "n": 42, "price": 1.10, "ID": 1, "l": ["ID", "x-ID"]}\n'
    named = line.replace("ID", PERSON)
    after = rewritten(tmp_path / "a.jsonl", (named + named).encode(), changes(blank={1: {"42"}, 2: set()}))
    blank = (
        line.replace('"ID"]', "null]")
        .replace('"x-ID"', f'"x-{PERSON}"')
        .replace('["ID"', "[null")
        .replace('"a": "ID"', '"a": null')
    )
    blank = blank.replace('"ID": 1', '"": 1').replace("u=ID&", "u=&")
    assert after.decode() == blank.replace('"n": 42', '"n": null') + blank
    row = f'1,{PERSON},42,"{{""a"": ""{PERSON}""}}","a ""b"" {PERSON}",42\r\n'
    after = rewritten(tmp_path / "a.csv", f"id,u,n,j,t,m\n{row}{row}".encode(), changes(blank={1: {"42"}}))
    assert after.decode() == f'id,u,n,j,t,m\n1,,,"{{""a"": """"}}","a ""b"" ",\r\n{row}'


def test_objects_that_are_written_as_texts_lose_the_ids_and_stay_objects(tmp_path: Path) -> None:
    """As the objects of raw calls may be. Another text stays a text, even if it begins like an object."""
    ids = Ids.of(["123456789", "jörg-1980@x", "42"])
    context = {"seller": 123456789, "mail": "to\njörg-1980@x", "user": "42", "price": 42.5, "page": {"url": "u"}}
    record = {"messageId": "1", "context": json.dumps(context), "title": "{ 123456789"}
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(record) + "\n")
    rewrite(landed(path), changes(blank={1: {"42"}}), ids)
    (left,) = map(json.loads, path.read_text().splitlines())
    assert left == record | {"context": left["context"], "title": "{ "}
    assert json.loads(left["context"]) == context | {"seller": None, "mail": "to\n", "user": None}


def test_ids_are_words_not_parts_of_other_ids() -> None:
    ids = Ids.of(["ann@example.com", "user_1234", 'q"uote\\123', "ann"])
    assert ids.distinct == {"ann@example.com", "user_1234", 'q"uote\\123'}
    for text in ("joann@example.com", "ann@example.com.au", "user_12345", "new-user_1234", "ann"):
        assert not ids.are_in(text)
        assert ids.without(text) == text
    for text in ("mailto:ann@example.com?x", "(user_1234)", json.dumps({"a": 'q"uote\\123'}), "7 - user_1234"):
        assert ids.are_in(text)
        assert duckdb.connect().execute("select regexp_matches(?, ?)", [text, ids.pattern]).fetchall() == [(True,)]
    assert duckdb.connect().execute(
        "select regexp_matches(?, ?)", [json.dumps("a\nuser_1234"), ids.pattern]
    ).fetchone() == (True,)
    assert "user_1234" not in repr(ids)


def test_records_that_could_not_be_landed_go_if_they_name_the_person(tmp_path: Path) -> None:
    before = f'id,user_id,n\n1,{PERSON},"broken\n2,42,no time\n3,other,42\n4,other,x\n5,42,fine\n'.encode()
    after = rewritten(tmp_path / "a.csv", before, changes(suspects=[2, 3, 4, 5]))
    assert after == b"id,user_id,n\n3,other,42\n4,other,x\n5,42,fine\n"
    before = f'{{"user_id": 42, "t": "?"}}\n{{"n": 42}}\n{{"user_id": "{PERSON}", \n'.encode()
    assert rewritten(tmp_path / "a.jsonl", before, changes(suspects=[1, 2, 3])) == b'{"n": 42}\n'


def test_a_file_whose_other_records_would_read_differently_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    # The open quote of record 1 is closed within record 2, where text follows; without that it would run on into record 3.
    before = b'id,t\n1,"a\n2,me"x\n3,b"\n4,c\n'
    with pytest.raises(RewriteError, match=r"shop/tracks/a\.csv.*was left as it is"):
        rewritten(path, before, changes(remove=[2]))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.csv"]


def test_the_place_of_a_file_is_taken_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, link = tmp_path / "real.csv", tmp_path / "link.csv"
    link.symlink_to(path)
    path.write_bytes(b"id\n1\n2\n")
    path.chmod(0o640)
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rewrite(landed(link), changes(remove=[1]), IDS)
    assert path.read_bytes() == b"id\n1\n2\n"
    assert rewrite(landed(link), changes(remove=[1]), IDS) == Outcome(removed=1)
    assert path.read_bytes() == b"id\n2\n"
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link.csv", "real.csv"]


CSV = HEADER + csv_row("1") + csv_row("2")
JSONL = "".join(f'{{"id": "{number}", "user_id": "u", "timestamp": "2024-01-01"}}\n' for number in (1, 2))
ARRAY = "[" + JSONL.strip().replace("\n", ",\n") + "]"
ZIPPED_PARQUET = io.BytesIO()
pq.write_table(parquet(id=["1", "2"]), ZIPPED_PARQUET)
KINDS: dict[str, str | bytes | pa.Table] = {
    "a.csv": CSV,
    "a.csv.gz": CSV,
    "a.tsv": CSV.replace(",", "\t"),
    "utf16.csv": CSV.encode("utf-16"),
    "semicolons": CSV.replace(",", ";"),
    "a.jsonl": JSONL,
    "a.jsonl.gz": JSONL,
    "1709.e": JSONL,
    "utf16.jsonl": JSONL.encode("utf-16"),
    "a.json": ARRAY,
    "a.json.gz": ARRAY,
    "pretty.json": JSONL.replace(", ", ",\n  "),
    "a.parquet": parquet(id=["1", "2"]),
    "a.parquet.gz": gzip.compress(ZIPPED_PARQUET.getvalue()),
}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_file_of_any_kind_can_be_landed_without_records(case: Case, name: str) -> None:
    path = case.write(name, KINDS[name])
    assert case.land_tracks().rows_loaded == 2
    for removed, left in (([1], ["2"]), ([1], [])):
        rewrite(landed(path), changes(remove=removed), IDS)
        case.touch(path)
        report = case.land_tracks()
        assert (case.rows(), report.files_unreadable) == (left, 0)


def test_an_array_loses_the_person_and_keeps_its_broken_records(case: Case) -> None:
    broken = '{"id": "2", "user_id": "' + PERSON + '", "timestamp": "soon"}'
    text = f'[{{"id": "1",\n"user_id": "u", "user_id2": "{PERSON}"}}, {broken},\n5, {{"id": "3", "user_id": "v"}}'
    path = case.write("a.json", text)
    case.land()
    assert (case.rows(), case.rejects("source_line")) == (["1", "3"], [2, 3, 3])
    rewrite(landed(path), changes(blank={1: {PERSON}}, suspects=[2, 3]), IDS)
    case.touch(path)
    case.land()
    assert PERSON not in path.read_text()
    assert (case.rows(), case.rejects("content")) == (["1", "3"], ["5", "["])


NESTED = pa.table(
    {
        "id": pa.array([str(n) for n in range(9)]),
        "user_id": pa.array([PERSON if n % 4 == 1 else f"u{n}" for n in range(9)]).dictionary_encode(),
        "required": pa.array([PERSON if n % 4 == 1 else "x" for n in range(9)]),
        "tags": pa.array([{"tag": f"tag of u{n}"} for n in range(9)]),
        "amount": pa.array(range(9), pa.decimal128(12, 2)),
        "at": pa.array([datetime(2024, 1, 1, tzinfo=UTC)] * 9, pa.timestamp("us", "UTC")),
        "device": pa.array([{"type": "phone", "ids": [PERSON, str(n)]} for n in range(9)]),
        "labels": pa.array([[("a", PERSON)]] * 9, pa.map_(pa.string(), pa.string())),
    },
).cast(
    pa.schema(
        [
            ("id", pa.string()),
            ("user_id", pa.dictionary(pa.int32(), pa.string())),
            pa.field("required", pa.string(), nullable=False),
            ("tags", pa.struct([("tag", pa.dictionary(pa.int32(), pa.string()))])),
            ("amount", pa.decimal128(12, 2)),
            ("at", pa.timestamp("us", "UTC")),
            ("device", pa.struct([("type", pa.string()), ("ids", pa.list_(pa.string()))])),
            ("labels", pa.map_(pa.string(), pa.string())),
        ]
    )
)


def test_parquet_keeps_groups_schema_and_values(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(NESTED, path, row_group_size=3, compression={"id": "zstd"}, use_dictionary=False)
    before = pq.ParquetFile(path)
    outcome = rewrite(landed(path), changes(remove=[1, 4, 5, 6], blank={2: set(), 3: {"u2"}}), IDS)
    assert outcome == Outcome(removed=4, blanked=2)
    after = pq.ParquetFile(path)
    assert after.schema_arrow.equals(before.schema_arrow, check_metadata=True)
    assert [after.metadata.row_group(n).num_rows for n in range(after.num_row_groups)] == [2, 3]
    assert after.metadata.row_group(0).column(0).compression == "ZSTD"
    assert b"u0" not in path.read_bytes()
    rows = [row for group in range(2) for row in after.read_row_group(group).to_pylist()]
    assert rows[2:] == NESTED.slice(6).to_pylist()
    second, third = NESTED.slice(1, 2).to_pylist()
    nowhere = {"device": {"type": "phone", "ids": [None, "1"]}, "labels": [("a", None)]}
    assert rows[0] == {**second, **nowhere, "user_id": None, "required": ""}
    assert rows[1] == {
        **third,
        "device": {"type": "phone", "ids": [None, "2"]},
        "labels": [("a", None)],
        "user_id": None,
    }


def test_ids_written_as_floats_are_found(tmp_path: Path) -> None:
    path, nan = tmp_path / "a.parquet", float("nan")
    numbers = pa.array([42.0, nan, 42.5, 42.0])
    needed = pa.field("needed", pa.float64(), nullable=False)
    schema = pa.schema([("user_id", pa.float64()), ("price", pa.float32()), needed])
    pq.write_table(pa.Table.from_arrays([numbers, numbers.cast(pa.float32()), numbers], schema=schema), path)
    outcome = rewrite(landed(path), changes(blank={1: {"42"}, 2: {"42"}, 3: {"42"}}, suspects=[2, 4]), IDS)
    assert outcome == Outcome(removed=0, blanked=1, rejects_removed=1)
    rows = duckdb.connect().sql(f"from '{path}'").fetchall()
    assert [str(row) for row in rows] == ["(None, None, nan)", "(nan, nan, nan)", "(42.5, 42.5, 42.5)"]
    after = rewritten(tmp_path / "a.jsonl", b'{"user_id": 42.0, "n": 42.05}\n', changes(blank={1: {"42"}}))
    assert after == b'{"user_id": null, "n": 42.05}\n'


def test_parquet_written_by_duckdb(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    uuid = "6b1f3c52-94a1-4d0c-9f4e-2a64c8f0d7aa"
    duckdb.connect().sql(f"""
        copy (
            select '{uuid}'::uuid as user_id, n::varchar as id, 1.5::decimal(9, 2) as price, n::hugeint as big,
                '{{"a": "{uuid}"}}'::json as device, null::uuid as other, {{'a': '{uuid}', 'n': n}} as nested
            from range(4) as t(n)
        ) to '{path}' (format parquet, compression zstd)""")
    ids = Ids.of([uuid])
    assert rewrite(landed(path), changes(remove=[1], blank={2: set()}, suspects=[3]), ids) == Outcome(1, 1, 1)
    rows = (
        duckdb.connect()
        .sql(f"select user_id::varchar, id, price, big, device::varchar, nested from '{path}'")
        .fetchall()
    )
    assert len(rows) == 2
    assert rows[0][:2] == ("00000000-0000-0000-0000-000000000000", "1")
    assert rows[0][4:] == ('{"a": ""}', {"a": None, "n": 1})
    assert rows[1][:2] == (uuid, "3")


def test_parquet_of_a_type_that_cannot_be_written_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    duckdb.connect().sql(f"copy (select 'a' as id, interval 1 day as i) to '{path}'")
    before = path.read_bytes()
    with pytest.raises(RewriteError, match=r"a\.parquet: it cannot be written again"):
        rewrite(landed(path), changes(remove=[1]), IDS)
    assert path.read_bytes() == before


FIELDS = st.text(st.sampled_from('ab",\r\n \\é{}'), max_size=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(FIELDS, FIELDS), max_size=8),
    gone=st.sets(st.integers(1, 8)),
    zipped=st.booleans(),
    data=st.data(),
)
def test_removing_any_csv_records_keeps_the_others(
    tmp_path: Path, rows: list[tuple[str, str]], gone: set[int], zipped: bool, data: st.DataObject
) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator=data.draw(st.sampled_from(["\n", "\r\n"])))
    writer.writerows([("x", "y"), *rows])
    path = tmp_path / ("a.csv.gz" if zipped else "a.csv")
    rewritten(path, stream.getvalue().encode(), changes(remove=sorted(gone)))
    with opened(recognised(landed(path))) as text:
        assert csv_header(text) == ("x", "y")
        text.seek(0)
        left = [tuple(field or "" for field in record.fields) for record in csv_records(text, 2)]
    assert left == [row for number, row in enumerate(rows, start=1) if number not in gone]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | FIELDS
    | st.just(PERSON),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.dictionaries(FIELDS, VALUES, max_size=4), min_size=1, max_size=6),
    gone=st.sets(st.integers(1, 6)),
    blank=st.sets(st.integers(1, 6)),
)
def test_removing_and_blanking_any_json_records_keeps_the_others(
    tmp_path: Path, rows: list[dict[str, object]], gone: set[int], blank: set[int]
) -> None:
    lines = [json.dumps(row, ensure_ascii=number % 2 == 0) for number, row in enumerate(rows)]
    path = tmp_path / "a.jsonl"
    rewritten(path, "".join(f"{line}\n" for line in lines).encode(), changes(gone, {n: set() for n in blank}))
    with opened(recognised(landed(path))) as text:
        left = [record.content for record in jsonl_records(text)]
    kept = [number for number in range(1, len(rows) + 1) if number not in gone]
    assert len(left) == len(kept)
    for number, line in zip(kept, left, strict=True):
        if number in blank:
            assert json.loads(line) == IDS.blanked(rows[number - 1], frozenset())
        else:
            assert line == lines[number - 1]


def test_nothing_is_written_where_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,u\n1,a\n")
    before = path.stat().st_ino
    assert not rewrite(landed(path), changes(remove=[7], blank={1: set()}, suspects=[2]), IDS).is_change
    assert path.stat().st_ino == before
