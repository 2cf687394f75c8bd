"""Exports in the shapes that vendors and people really write: which rows they become, and what is refused by name."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from sessionization_dagster.landing import LandingReport, land
from tests.landing.conftest import LANDED_AT
from tests.landing.declared import declared_tables

CASES = Path(__file__).parents[1] / "data" / "vendor_cases"
NOON = datetime(2024, 3, 4, 9, 30)


class Landed:
    """One case's folder, landed into the raw tables that the sources' yml declares."""

    def __init__(self, name: str, source: str = "rudderstack") -> None:
        self.connection = duckdb.connect()
        tables = declared_tables(source)
        self.report: LandingReport = land(self.connection, CASES / name / "landing", tables, LANDED_AT)

    def rows(self, table: str, columns: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(f"select {columns} from raw.{table} order by source_file, source_row").fetchall()

    def refused(self) -> list[tuple[str, int | None, str]]:
        """(file name, line, error) of what did not become a row."""
        rows = self.connection.execute(
            "select parse_filename(source_file), source_line, error from raw.landing_rejects order by source_file, source_line"
        )
        return rows.fetchall()


def test_mixpanels_raw_export() -> None:
    case = Landed("01-mixpanel-raw-export", "mixpanel")
    rows = case.rows("mixpanel_events", "insert_id, distinct_id, user_id, time, event, mp_country_code, os")
    assert len(rows) == 14
    assert rows[0] == ("ins0000", "$device:dev0", None, datetime(2024, 3, 4, 10), "View Item", "DE", "Mac OS X")
    assert rows[3][:4] == ("ins0003", "u-0", "u-0", datetime(2024, 3, 4, 10, 6))
    properties = "properties ->> '/$browser', properties ->> 'mp_lib', properties ->> 'event'"
    assert set(case.rows("mixpanel_events", properties)) == {("Chrome", "web", None)}
    assert case.report.problems == []


def test_ids_that_pandas_wrote_as_floats() -> None:
    case = Landed("04-pandas-float-ids")
    assert case.rows("rudderstack_tracks", "id, anonymous_id, user_id") == [
        ("1001", "555", "42"), ("1002", "556", "43"), ("1003", "555", "42"), ("1004", "557", None), ("1005", "555", None),
    ]  # fmt: skip


def test_times_and_words_for_no_value() -> None:
    case = Landed("05-unloaded-times-and-nulls")
    rows = {row[0]: row[1:] for row in case.rows("rudderstack_tracks", "id, timestamp, received_at")}
    exact = datetime(2024, 3, 4, 9, 30, 0, 123000)
    same_instant = (
        "iso_z", "bigquery", "postgres", "snowflake_tz", "snowflake_z", "snowflake_colon", "go_string", "python", "jsonepochms",
    )  # fmt: skip
    assert {name: rows[name][0] for name in same_instant} == dict.fromkeys(same_instant, exact)
    assert rows["jsonepoch"] == (NOON, None)
    nulls = case.rows(
        "rudderstack_tracks where source_file like '%nulls.csv'", "user_id, received_at, context_location_country"
    )
    assert nulls == [(None, None, None)] * 6
    # A number in a text column may mean anything, and so may the other spellings.
    assert [(name, line) for name, line, _ in case.refused()] == [
        ("mongo.jsonl", 1), *(("times.csv", line) for line in (9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23)),
    ]  # fmt: skip
    assert case.refused()[1][2].startswith("column 'timestamp': '1709544600' is not a time")


def test_file_names_and_folders() -> None:
    case = Landed("06-file-names-and-layouts")
    rows = {
        row[0]: row[1:] for row in case.rows("rudderstack_tracks", "id, event, context_location_country, properties")
    }
    assert rows.keys() == {
        "a_jsonl", "b_json", "c_ndjson", "d_json_gz", "e_gz", "f_tsv", "g_not_gzipped_though_named_gz", "h_gzipped_named_csv",
        "i_hive_event", "j_hive_country", "k_hive_dt",
    }  # fmt: skip
    assert rows["i_hive_event"] == ("signup", None, None)
    assert rows["j_hive_country"] == ("view", "DE", None)
    assert rows["k_hive_dt"] == ("view", None, '{"dt":"2024-03-04"}')
    assert case.report.problems == []


def test_a_json_file_beside_a_jsonl_file() -> None:
    case = Landed("06b-one-json-file-ignored")
    assert case.rows("rudderstack_tracks", "id") == [("a_jsonl",), ("b_json",)]


def test_raw_calls_are_rows_of_the_tables_of_their_types() -> None:
    case = Landed("07-raw-call-dumps")
    at = datetime(2024, 3, 4, 9, 30, 1, 400000)
    page = case.rows(
        "rudderstack_pages", "id, anonymous_id, user_id, timestamp, name, path, context_page_url, source_row"
    )
    assert page == [("m1", "d1", None, at, "home", "/", "https://shop.example/", 1)]
    tracks = case.rows("rudderstack_tracks", "id, user_id, event, received_at, source_row")
    received = datetime(2024, 3, 4, 9, 30, 2, 300000)
    assert tracks == [("m2", None, "Product Viewed", received, 2), ("m4", "ann", "Order Completed", received, 4)]
    assert case.rows("rudderstack_tracks", "properties ->> 'sku', properties ->> 'total'") == [("A", None), (None, "5")]
    assert case.rows("rudderstack_identifies", "id, user_id") == [("m3", "ann")]
    assert case.report.problems == []


def test_types_that_change_between_files() -> None:
    case = Landed("14-types-change")
    rows = case.rows("rudderstack_tracks", "id, user_id, timestamp")
    assert len(rows) == 11
    assert {user for _, user, _ in rows} == {"42", None}
    assert [row[2] for row in rows[5:7]] == [datetime(2024, 3, 4, 10, 40)] * 2
    assert case.report.problems == []


def test_encodings_and_layouts_of_text() -> None:
    case = Landed("15-encodings")
    assert case.rows("rudderstack_tracks", "id, context_page_title") == [
        ("array1", None), ("array2", None), ("bom_crlf", 'two\r\nlines, "quoted"'), ("pretty", None), ("semi", None), ("spaces", None),
        ("utf16_jsonl", None), ("utf16le", "Grüße"),
    ]  # fmt: skip
    refused = {name: (line, error) for name, line, error in case.refused()}
    assert refused["backslash_quotes.csv"] == (
        2, "has text after a closing quote; write a quote inside a quoted field twice",
    )  # fmt: skip
    assert refused["cp1252.csv"][0] == 2
    assert "it may be Windows-1252" in refused["cp1252.csv"][1]
    assert "None of these names a column of the table: write the column names" in refused["noheader_data_0_0_0.csv"][1]
    assert len(refused) == 3


def test_columns_that_nobody_filled() -> None:
    case = Landed("19-columns-nobody-filled", "segment")
    assert case.rows("segment_pages", "id, anonymous_id, user_id, name") == [("p1", "d1", None, None)]
    assert case.rows("segment_tracks", "id, anonymous_id, user_id") == [("t1", None, "ann")]
    assert case.report.problems == []


def test_odd_bytes() -> None:
    case = Landed("21-odd-bytes")
    rows = case.rows("rudderstack_tracks", "id, user_id")
    assert [name for name, _ in rows] == [
        "nul_in_property", "nul_in_title", "emoji_pair", "nul_user", "dup_key", "big_int", "plain", "member1", "member2", "m3", "m4",
        "n1", "n2", "w1", "w2",
    ]  # fmt: skip
    assert rows[5][1] == "12345678901234567890123"
    assert case.rows("rudderstack_tracks where id like 'w%'", "id, anonymous_id, user_id") == [
        ("w1", "d-w", "ann"),
        ("w2", "d-w", "ann"),
    ]
    [(name, line, error)] = case.refused()
    assert (name, line) == ("a.jsonl", 3)
    assert error.startswith("has half of a letter")
