"""What is asked of BigQuery for a file, before anything is asked: headers, load jobs, shapes, tables."""

from __future__ import annotations

import pytest

from sessionization_dagster.landing import RawColumn, RawTable
from sessionization_dagster.landing.file_errors import UnreadableFile
from sessionization_dagster.landing.gcs import shapes
from sessionization_dagster.landing.gcs.load_bucket import columns_to_add, header_of, load_config
from sessionization_dagster.landing.gcs.statements import declared_columns, raw_layout
from sessionization_dagster.landing.gcs.values import literal, quoted

ID = RawColumn("id", "VARCHAR", required=True)
AT = RawColumn("timestamp", "TIMESTAMP")
TABLE = RawTable("shop", "tracks", (ID, AT, RawColumn("device", "JSON")), at="timestamp")


@pytest.mark.parametrize(
    "beginning", [b"\xef\xbb\xbfid,a b,\n1,2,3\n", b"id,a b,\r\n1", b'"id",a b,', b'id,"a b",\n"broken']
)
def test_headers(beginning: bytes) -> None:
    assert header_of(beginning) == ("id", "a b", "column_3")


@pytest.mark.parametrize(
    ("beginning", "problem"),
    [
        (b"\nid\n1\n", "starts with a blank line"),
        (b"\xef\xbb\xbf \r\nid\n", "starts with a blank line"),
        (b'id,"a\nb"\n', "no readable header line"),
        (b"id,id\n", "more than once"),
        (b"\xff\xfe\n", "no readable header line"),
        (b" \n", "no header line"),
    ],
)
def test_headers_that_a_load_job_would_misread(beginning: bytes, problem: str) -> None:
    with pytest.raises(UnreadableFile, match=problem):
        header_of(beginning)


def test_a_line_of_json_is_loaded_as_one_text() -> None:
    config = load_config("jsonl", ()).to_api_repr()["load"]
    assert (config["fieldDelimiter"], config["quote"], config["skipLeadingRows"]) == ("\x1f", "", "0")
    assert config["schema"]["fields"] == [{"mode": "NULLABLE", "name": "line", "type": "STRING"}]
    config = load_config("csv", ("id", "a b")).to_api_repr()["load"]
    assert (config["quote"], config["skipLeadingRows"], config["allowQuotedNewlines"]) == ('"', "1", True)
    assert [field["name"] for field in config["schema"]["fields"]] == ["c0", "c1"]


def test_what_cannot_be_asked_for_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="missing required column 'id'; found: 'timestamp'"):
        shapes.csv_shape(TABLE, ["timestamp"], "s", "shop/tracks/a")
    with pytest.raises(UnreadableFile, match="'timestamp' is STRUCT where TIMESTAMP is wanted"):
        shapes.parquet_shape(TABLE, {"id": "STRING", "timestamp": "STRUCT"}, "s", "shop/tracks/a")
    with pytest.raises(UnreadableFile, match="rename it"):
        shapes.jsonl_shape(TABLE, ['a"b'], "s", "shop/tracks/a")
    with pytest.raises(UnreadableFile, match="more than 1000 different keys"):
        shapes.jsonl_shape(TABLE, [str(number) for number in range(1001)], "s", "shop/tracks/a")


def test_of_several_spellings_the_exact_one_counts_and_the_others_are_kept() -> None:
    shape = shapes.jsonl_shape(TABLE, ["ID", "Id", "id", '"a.b"'], "s", "shop/tracks/a")
    places = [shape.columns["id"].text.index(f'$."{name}"') for name in ("id", "ID", "Id")]
    assert places == sorted(places)
    assert sorted(extra.name for extra in shape.extras) == ["ID", "Id", "a.b"]


def test_names_and_texts_are_quoted() -> None:
    assert literal('it\'s "a" \\ \n') == r"""'it\'s "a" \\ \n'"""
    assert quoted("a`b\\") == "`a\\`b\\\\`"


def test_tables_are_divided_by_the_month_of_their_rows_but_not_of_their_arrival() -> None:
    assert raw_layout(TABLE).partitioned_by == "timestamp_trunc(`timestamp`, month)"
    received = RawTable("shop", "tracks", (ID, RawColumn("received_at", "TIMESTAMP")), at="received_at")
    assert raw_layout(received).partitioned_by is None
    assert raw_layout(RawTable("shop", "users", (ID,))).partitioned_by is None


def test_which_columns_a_table_lacks() -> None:
    declared = declared_columns(TABLE)
    assert declared == {
        "id": "STRING",
        "timestamp": "TIMESTAMP",
        "device": "JSON",
        "properties": "JSON",
        "source_file": "STRING",
    }
    shown = {**declared, "device": "STRING", "properties": "STRING"}
    assert columns_to_add(declared, declared, False) == {}
    assert columns_to_add(declared, shown, True) == {}
    assert columns_to_add(declared, shown, False) is None
    assert columns_to_add(declared, {"ID": "STRING"}, False) == {name: declared[name] for name in list(declared)[1:]}
    assert columns_to_add(declared, {**declared, "old": "STRING"}, False) is None
