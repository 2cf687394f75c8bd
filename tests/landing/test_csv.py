"""csv files: what is read how, and which line is named when it cannot be."""

from __future__ import annotations

import gzip

import pytest

from sessionization_dagster.landing import RawColumn, RawTable, row_by_row, rows, text
from tests.landing.conftest import HEADER, Case, csv_row

SOUND = csv_row("a") + csv_row("b")


def forbid(*arguments: object) -> None:
    raise AssertionError("the file was read row by row")


def test_clean_files_take_the_vectorised_path(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "load_row_by_row", forbid)
    case.write("a.csv", HEADER + SOUND)
    case.write("b.csv.gz", HEADER + SOUND)
    case.write("c.csv", "\ufeff" + (HEADER + SOUND).replace("\n", "\r\n"))
    case.write("d.csv", HEADER + '"x, ""y""\nz",u,2024-01-01,\n\n\n' + SOUND.rstrip())
    assert case.land().problems == []
    assert case.rows() == ["a", "b"] * 3 + ['x, "y"\nz', "a", "b"]
    assert case.rows("source_row") == [1, 2] * 3 + [1, 2, 3]


def test_numbers_follow_the_file_when_it_is_read_in_parallel(case: Case) -> None:
    count = 100_000
    case.connection.execute("set threads = 4")
    case.write("a.csv", HEADER + "".join(csv_row(f"{number:0500}") for number in range(count)))
    case.land()
    wrong = "select count(*) from raw.shop_tracks where id::bigint + 1 <> source_row"
    assert case.query(f"select count(*), ({wrong}) from raw.shop_tracks") == [(count, 0)]


def test_every_kind_of_broken_record_is_named_by_its_line(case: Case) -> None:
    content = (
        HEADER
        + csv_row("a")
        + "too,few\n"
        + "too,many,2024-01-01,1,x\n"
        + '"two\nlines",u,2024-01-01,\n'
        + '"two\nlines",u,yesterday,\n'
        + "\n"
        + '"garbage"x,u,2024-01-01,\n'
        + "number,u,2024-01-01,1.5.1\n"
        + csv_row("b")
    )
    case.write("a.csv", content.encode() + b"utf,\xff\xfe,2024-01-01,\n" + b'unclosed,"u,2024-01-01,1\n' + b"z,u,,\n")
    report = case.land_tracks()
    assert (report.files_loaded, report.rows_loaded, report.rows_rejected) == (1, 4, 7)
    assert case.rows("id, source_row") == [("a", 1), ("two\nlines", 4), ("b", 8), ("z", 11)]
    assert case.rejects() == [
        (3, "too,few"),
        (4, "too,many,2024-01-01,1,x"),
        (7, '"two\nlines",u,yesterday,'),
        (10, '"garbage"x,u,2024-01-01,'),
        (11, "number,u,2024-01-01,1.5.1"),
        (13, "utf,\\xff\\xfe,2024-01-01,"),
        (14, 'unclosed,"u,2024-01-01,1'),
    ]
    errors = case.rejects("error")
    assert errors[0] == "has 2 fields where the header has 4; quote fields that contain commas"
    assert errors[2].startswith("column 'timestamp': 'yesterday' is not a time between the years 1 and 9999; write it")
    assert errors[4] == "column 'price': '1.5.1' is not a finite number"
    assert "UTF-8" in errors[5]
    assert "never closed" in errors[6]


def test_problems_name_file_line_and_remedy_and_stop_after_a_few(case: Case) -> None:
    case.write("a.csv", HEADER + "x,y\n" * 9)
    problems = case.land().problems
    assert problems[0] == (
        "shop/tracks/a.csv, line 2: has 2 fields where the header has 4; quote fields that contain commas"
    )
    assert problems[5:] == ["shop_tracks: 4 more rejected rows, see raw.landing_rejects"]


def test_text_is_kept_exactly_and_empty_is_null(case: Case) -> None:
    values = [" x ", "NULL", "007", "1e5", "True", "\\N", "#x", "nan", "a\tb", "ß", "'q'", 'mid"quote']
    case.write("a.csv", HEADER + "".join(csv_row(value) for value in values) + ',"",2024-01-01,\n')
    assert case.land().problems == []
    assert case.rows() == [*values, None]
    assert case.rows("user_id")[-1] is None


@pytest.mark.parametrize("broken", ["", "x,y\n"])
def test_a_record_reads_the_same_beside_a_broken_one(case: Case, broken: str) -> None:
    odd = [
        '"a""b"',
        'a"b',
        "a ",
        ' "a"',
        '  "a"',
        '"a"  ',
        '""""',
        '"a\nb"',
        '"a\r\nb"',
        "",
        '""',
        '" "',
        '"a,b"',
        "ä",
        "a\x00b",
    ]
    case.write("a.csv", HEADER + broken + "".join(csv_row(value, price="") for value in odd))
    case.land()
    assert case.rows() == [
        'a"b',
        'a"b',
        "a ",
        "a",
        '  "a"',
        "a",
        '"',
        "a\nb",
        "a\r\nb",
        None,
        None,
        " ",
        "a,b",
        "ä",
        "a\x00b",
    ]
    assert len(case.rejects()) == bool(broken)


def test_empty_fields_after_the_last_column_are_no_error(case: Case) -> None:
    case.write("a.csv", HEADER + "a,u,2024-01-01,1,\n")
    case.write("b.csv", HEADER + "b,u,2024-01-01,1,,\nx\n")
    case.land()
    assert case.rows() == ["a", "b"]
    assert len(case.rejects()) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(case: Case, end: str) -> None:
    case.write("a.csv", (HEADER + SOUND + "x,y\n" + csv_row("c")).replace("\n", end))
    case.write("b.csv", (HEADER + SOUND).replace("\n", end))
    case.land()
    assert case.rows() == ["a", "b", "c", "a", "b"]
    assert case.rejects() == [(4, "x,y")]


def test_mixed_line_ends_and_lone_returns(case: Case) -> None:
    case.write("a.csv", HEADER + "a,u,2024-01-01,\r\n" + "b\rc,u,2024-01-01,\n" + '"d\re",u,2024-01-01,1\n')
    case.write("b.csv", HEADER + "\rf,u,2024-01-01,\n")
    assert case.land().problems == []
    assert case.rows() == ["a", "b\rc", "d\re", "\rf"]


def test_blank_lines_count_as_lines_but_not_as_records(case: Case) -> None:
    case.write("a.csv", "\n" + HEADER + "\n" + csv_row("a") + "\n  \nx\n" + csv_row("b"))
    case.land()
    assert case.rows("id, source_row") == [("a", 1), ("b", 3)]
    assert case.rejects() == [(7, "x")]


def test_columns_match_exactly_first_then_in_any_case_and_the_rest_are_properties(case: Case) -> None:
    case.write(
        "a.csv", 'ID,id,USER_ID,Timestamp,é"x,\n1,a,u,2024-01-01,y,z\n2,b,u,2024-01-01,,\n'.replace('é"x', '"é""x"')
    )
    assert case.land().problems == []
    assert case.rows("id, user_id, properties") == [
        ("a", "u", '{"ID":"1","é\\"x":"y","column_6":"z"}'),
        ("b", "u", '{"ID":"2"}'),
    ]


def test_no_extra_columns_no_properties(case: Case) -> None:
    case.write("a.csv", HEADER + csv_row("a"))
    case.land()
    assert case.rows("properties, price, quantity") == [(None, 1.5, None)]


UNREADABLE = [
    (b"", "is empty (zero bytes)"),
    (b"\n \n", "has no header line"),
    (b"\xef\xbb\xbf", "has no header line"),
    (b"id,timestamp\n1,2024-01-01\n", "missing required column 'user_id'; found: 'id', 'timestamp'. Add the column"),
    (b"x\n1\n", "missing required columns 'id', 'user_id', 'timestamp'; found: 'x'"),
    (b"x\n", "missing required columns 'id', 'user_id', 'timestamp'; found: 'x'"),
    (b"id,user_id,timestamp,id\n", "has the column 'id' more than once"),
    (b"id,user_id,timestamp,\xff\n", "has no readable header line (is not UTF-8"),
    (b'id,user_id,"timestamp\n1,2,3\n', "has no readable header line (opens a quote"),
    (b"id\0\x15\x04\x15\x00", "has no readable header line (it is binary)"),
    (b"PAR1\x15\x04\x15\x00", "is not a whole parquet file"),
    (gzip.compress(gzip.compress(HEADER.encode())), "is gzipped twice"),
    ((HEADER + SOUND).encode("utf-32"), "is UTF-32 text; write it in UTF-8"),
    ((HEADER + SOUND).encode("utf-16")[:-1], "is UTF-16 text with bytes that are no letters"),
    (
        b"a,u,2024-01-01\n",
        "missing required columns 'id', 'user_id', 'timestamp'; found: 'a', 'u', '2024-01-01'. None of",
    ),
    (b"PK\x03\x04rest", "is a zip archive"),
]


def test_a_file_that_cannot_be_read_is_set_aside(case: Case) -> None:
    for place, (content, _) in enumerate(UNREADABLE):
        case.write(f"{place:02}.csv", content)
    case.write("b.csv", HEADER + csv_row("b"))
    report = case.land_tracks()
    assert (report.files_loaded, report.files_unreadable, report.rows_rejected) == (1, len(UNREADABLE), 0)
    assert case.rows() == ["b"]
    shown = case.rejects("source_line, content, error")
    for message, (line, content, error), (_, expected) in zip(case.messages, shown, UNREADABLE, strict=False):
        assert (line, content) == (None, None)
        assert error.startswith(expected)
        assert ".csv: set aside: " + expected in message


def test_damaged_gzip_files_are_set_aside(case: Case) -> None:
    whole = gzip.compress((HEADER + SOUND * 1000).encode())
    wrong_sum = whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]
    for place, content in enumerate(
        [whole[:-1], whole[: len(whole) // 2], wrong_sum, whole + b"rest", b"\0" + whole[1:]]
    ):
        case.write(f"{place}.csv.gz", content)
    case.write("z.csv.gz", gzip.compress(HEADER.encode()) + gzip.compress(csv_row("z").encode()))
    assert case.land_tracks().files_unreadable == 5
    assert case.rows() == ["z"]
    assert all("is not a whole gzip file" in error for error in case.rejects("error"))


def test_one_column_files_have_no_blank_records(case: Case) -> None:
    case.tables = [RawTable("shop", "tracks", (RawColumn("id", "VARCHAR", required=True),))]
    case.write("a.csv", "id\na\n\nb\n")
    case.write("b.csv", "no\n")
    assert len(case.land().problems) == 1
    assert case.rows("id, source_row") == [("a", 1), ("b", 2)]


def test_long_content_is_cut(case: Case) -> None:
    case.write("a.csv", HEADER + "é" * 20_000 + "\n" + csv_row("a" * 200_000))
    case.land()
    assert case.rejects("length(content)") == [10_000]
    assert case.rows("length(id)") == [200_000]


def test_lines_beyond_the_limit_are_rejected(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (row_by_row, text):
        monkeypatch.setattr(module, "MAX_LINE_CHARACTERS", 100)
    sound = csv_row("a")
    case.write(
        "a.csv", HEADER + "x\n" + csv_row("b" * 500) + sound + '"c,\n' + "c" * 90 + "\n" + "c" * 9 + '",u\n' + sound
    )
    case.write("b.jsonl", "x" * 250 + '\n{"id": "b"}\n')
    case.land()
    assert case.rows() == ["a", "a", "b"]
    assert case.rejects("source_line, length(content)") == [(2, 1), (3, 100), (5, 3), (6, 90), (7, 12), (1, 100)]


def test_a_quote_that_is_never_closed_costs_one_line(case: Case) -> None:
    case.write("a.csv", HEADER + '"open,u,2024-01-01,\n' + csv_row("a") * 30_000)
    report = case.land_tracks()
    assert (report.rows_loaded, case.rejects("source_line")) == (30_000, [2])


def test_batches_of_the_row_by_row_reader_join_up(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH_RECORDS", 3)
    monkeypatch.setattr(rows, "BATCH_CHARACTERS", 60)
    case.write("a.csv", HEADER + "".join(csv_row(str(number)) + "x\n" for number in range(10)))
    case.land()
    assert case.rows("id, source_row") == [(str(number), 2 * number + 1) for number in range(10)]
    assert case.rejects("source_line") == list(range(3, 22, 2))
