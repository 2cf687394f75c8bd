"""parquet files: types that fit, types that cannot, and damaged files."""

from __future__ import annotations

import datetime as dt
import decimal
import struct
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sessionization_dagster.landing import ledger, load, rows
from tests.landing.conftest import Case, parquet
from tests.landing.test_csv import forbid
from tests.landing.test_load import kill_after, rebuilt

MOMENT = dt.datetime(2024, 1, 31, 23, 59, 59, 123456)


def test_clean_files_take_the_vectorised_path(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "load_row_by_row", forbid)
    case.write("a.parquet", parquet(id=["a", "b"], price=[1.5, None], extra=["x", None]))
    case.write("b.parquet", parquet(id=[]))
    assert case.land().problems == []
    assert case.rows("id, price, properties, source_row") == [("a", 1.5, '{"extra":"x"}', 1), ("b", None, None, 2)]


def test_new_files_with_the_same_columns_are_loaded_together(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.write("a [1].parquet", parquet(id=["a", "b"], price=[1.5, None], extra=["x", None]))
    case.write("b.parquet", parquet(id=["c"], price=[2.5], extra=pa.array([None], pa.string())))
    nothing = parquet(id=["x"], price=[1.0], extra=["x"]).slice(0, 0)
    case.write("c/it's.parquet", nothing)
    with monkeypatch.context() as patch:
        patch.setattr(rows, "load_whole", forbid)
        report = case.land_tracks()
    assert (report.files_loaded, report.rows_loaded) == (3, 3)
    assert case.rows("source_file, source_row, id, price, properties") == [
        ("shop/tracks/a [1].parquet", 1, "a", 1.5, '{"extra":"x"}'),
        ("shop/tracks/a [1].parquet", 2, "b", None, None),
        ("shop/tracks/b.parquet", 1, "c", 2.5, None),
    ]
    assert case.query("select source_file, row_count from raw.landed_files order by 1") == [
        ("shop/tracks/a [1].parquet", 2), ("shop/tracks/b.parquet", 1), ("shop/tracks/c/it's.parquet", 0),
    ]  # fmt: skip
    together = case.state()
    monkeypatch.setattr(load, "TOGETHER_FILES", 1)
    assert together == rebuilt(case).state()


def test_files_that_load_together_fill_the_blocks_of_storage(tmp_path: Path) -> None:
    # Blocks that are not full are written again when a connection closes. Each thread may leave one.
    with duckdb.connect(tmp_path / "w.duckdb", config={"threads": 2}) as connection:
        case = Case(tmp_path / "landing", connection)
        for place in range(4):
            case.write(f"{place}.parquet", parquet(id=[f"{place}-{row}" for row in range(160_000)]))
        assert case.land_tracks().rows_loaded == 640_000
        blocks = case.query(
            "select sum(count) from pragma_storage_info('raw.shop_tracks') "
            "where column_name = 'id' and segment_type = 'VARCHAR' group by row_group_id"
        )
    assert sum(count < 122_880 for (count,) in blocks) <= 2


def test_files_beside_one_that_is_not_clean_lose_nothing(case: Case) -> None:
    case.write("a.parquet", parquet(id=["a"], price=["1.5"]))
    case.write("b.parquet", parquet(id=["b", "c"], price=["dear", "2.5"]))
    case.write("c.parquet", parquet(id=["d"], price=["3.5"]))
    case.write("d.parquet", b"no parquet")
    case.write("e.parquet", parquet(file_row_number=["e"], id=["e"], price=["1"]))
    case.write("f.parquet", parquet(file_row_number=["f"], id=["f"], price=["1"]))
    report = case.land_tracks()
    assert (report.files_loaded, report.rows_loaded, report.rows_rejected, report.files_unreadable) == (5, 5, 1, 1)
    # Rows that are numbered as they come rely on it, in this run and the caller's next statements.
    assert case.query("select current_setting('preserve_insertion_order')") == [(True,)]
    assert case.rows("id, source_row") == [("a", 1), ("c", 2), ("d", 1), ("e", 1), ("f", 1)]


@pytest.mark.parametrize("moment", ["note_changes", "record"])
def test_a_kill_leaves_files_that_load_together_wholly_out(
    case: Case, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    case.write("a.parquet", parquet(id=["a"]))
    case.land()
    before = case.state()
    case.write("b.parquet", parquet(id=["b"]))
    case.write("c.parquet", parquet(id=["c"]))
    kill_after(case, monkeypatch, ledger, moment)
    assert case.state() == before
    case.land()
    assert case.state() == rebuilt(case).state()


def test_timestamps_of_any_unit_are_utc_microseconds(case: Case) -> None:
    seconds = int(MOMENT.replace(microsecond=0, tzinfo=dt.UTC).timestamp())
    values = [
        (pa.array([MOMENT], pa.timestamp("us")), MOMENT),
        (pa.array([MOMENT], pa.timestamp("us", "America/New_York")), MOMENT),
        (pa.array([seconds * 10**9 + 123456999], pa.timestamp("ns")), MOMENT),
        (pa.array([seconds * 10**9 + 123456999], pa.timestamp("ns", "UTC")), MOMENT),
        (pa.array(["2024-01-31T23:59:59.123456Z"]), MOMENT),
        (pa.array(["2024-02-01 01:59:59.1234569+02:00"]).dictionary_encode(), MOMENT),
        (pa.array([seconds], pa.timestamp("s")), MOMENT.replace(microsecond=0)),
        (pa.array([seconds * 1000 + 123], pa.timestamp("ms")), MOMENT.replace(microsecond=123000)),
        (pa.array([MOMENT.date()]), dt.datetime(2024, 1, 31)),
        (pa.array([-1], pa.timestamp("ns")), dt.datetime(1969, 12, 31, 23, 59, 59, 999999)),
        (pa.array([None], pa.null()), None),
    ]
    case.connection.execute("set TimeZone = 'Asia/Tokyo'")
    for place, (array, _) in enumerate(values):
        case.write(f"{place:02}.parquet", parquet(timestamp=array))
    assert case.land().problems == []
    assert case.rows("timestamp") == [expected for _, expected in values]


def test_scalars_where_text_is_wanted(case: Case) -> None:
    values = [
        (pa.array([42]), "42"),
        (pa.array([True]), "true"),
        (pa.array([1.5]), "1.5"),
        (pa.array([42.0]), "42"),
        (pa.array([-42.0], pa.float32()), "-42"),
        (pa.array([2.0**53]), "9007199254740992"),
        (pa.array([123456789012345678.0]), "123456789012345680"),
        (pa.array([1e20]), "1e+20"),
        (pa.array([float("nan")]), None),
        (pa.array([float("nan")], pa.float32()), None),
        (pa.array([float("inf")]), None),
        (pa.array([-float("inf")]), None),
        (pa.array([decimal.Decimal("1.50")]), "1.50"),
        (pa.array([decimal.Decimal("-42.00")]), "-42"),
        (pa.array([decimal.Decimal(10**37)]), "1" + 37 * "0"),
        (pa.array([b"\xc3\xa9"]), "é"),
        (pa.array([MOMENT], pa.timestamp("us", "Asia/Tokyo")), "2024-01-31 23:59:59.123456"),
        (pa.array([""]), ""),
        (pa.array([" 007 "]), " 007 "),
    ]
    for place, (array, _) in enumerate(values):
        case.write(f"{place:02}.parquet", parquet(user_id=array))
    assert case.land().problems == []
    assert case.rows("user_id") == [expected for _, expected in values]


def test_numbers_and_json(case: Case) -> None:
    case.write(
        "a.parquet",
        parquet(
            id=["a", "b"],
            price=pa.array([1, 2], pa.int8()),
            quantity=[3.0, None],
            device=[{"os": "x", "v": [1, None]}, None],
        ),
    )
    case.write("b.parquet", parquet(id=["c"], price=["2.5"], quantity=["7"], device=['{"os": 1}']))
    assert case.land().problems == []
    assert case.rows("price, quantity, device") == [
        (1.0, 3, '{"os":"x","v":[1,null]}'),
        (2.0, None, None),
        (2.5, 7, '{"os": 1}'),
    ]


def test_nan_is_no_value_in_a_column_of_numbers(case: Case) -> None:
    # What pandas makes of a missing number.
    nan = float("nan")
    case.write("a.parquet", parquet(id=["a", "b"], price=[nan, 1.5], quantity=pa.array([7.0, nan], pa.float32())))
    assert case.land().problems == []
    assert case.rows("price, quantity") == [(None, 7), (1.5, None)]


def test_extra_columns_are_properties_whatever_they_are_called(case: Case) -> None:
    case.write(
        "year=2024/a.parquet",
        parquet(
            **{"ID": [1], "file_row_number": [7], "filename": ["f"], "": [True], 'q"': [[1]], "nan": [float("nan")]}
        ),
    )
    assert case.land().problems == []
    assert case.rows("id, properties, source_row") == [
        ("a", '{"ID":1,"file_row_number":7,"filename":"f","":true,"q\\"":[1],"year":"2024"}', 1)
    ]


MISFITS: list[tuple[dict[str, Any], str]] = [
    ({"timestamp": [True]}, "column 'timestamp' is BOOLEAN where TIMESTAMP is wanted; write it as TIMESTAMP"),
    ({"id": [{"a": 1}]}, "column 'id' is STRUCT(a BIGINT) where VARCHAR is wanted"),
    ({"id": [["a"]]}, "column 'id' is VARCHAR[] where VARCHAR is wanted"),
    ({"quantity": [True]}, "column 'quantity' is BOOLEAN where BIGINT is wanted"),
    ({"price": pa.array([MOMENT])}, "column 'price' is TIMESTAMP where DOUBLE is wanted"),
    ({"timestamp": [b"2024-01-01"]}, "column 'timestamp' is BLOB where TIMESTAMP is wanted"),
]


def test_types_that_cannot_fit_set_the_file_aside(case: Case) -> None:
    for place, (columns, _) in enumerate(MISFITS):
        case.write(f"{place}.parquet", parquet(**columns))
    case.write("b.parquet", parquet(id=["b"]))
    assert case.land_tracks().files_unreadable == len(MISFITS)
    assert case.rows() == ["b"]
    for error, (_, expected) in zip(case.rejects("error"), MISFITS, strict=True):
        assert error.startswith(expected)


def test_missing_and_repeated_columns_set_the_file_aside(case: Case) -> None:
    case.write("a.parquet", parquet().drop_columns(["user_id"]))
    case.write("b.parquet", parquet().append_column("id", pa.array(["x"])))
    case.write("c.parquet", pa.table({}))
    assert case.land_tracks().files_unreadable == 3
    errors = case.rejects("error")
    assert errors[0].startswith("missing required column 'user_id'; found: 'id', 'timestamp'. Add the column")
    assert errors[1].startswith("has the column 'id' more than once")


def test_values_that_cannot_fit_are_rejected_by_row(case: Case) -> None:
    far = 2**62
    case.write("a.parquet", parquet(id=["a", "b", "c"], timestamp=["2024-01-01", "soon", None]))
    case.write(
        "b.parquet", parquet(id=["d", "e"], timestamp=pa.array([far, 0], pa.timestamp("us")), quantity=[1.0, 1.5])
    )
    report = case.land_tracks()
    assert (report.rows_loaded, report.rows_rejected) == (2, 3)
    assert case.rows("id, source_row") == [("a", 1), ("c", 3)]
    assert case.rejects("source_line") == [2, 1, 2]
    assert case.rejects("content")[0] == '{"id":"b","user_id":"u","timestamp":"soon"}'


def test_text_that_is_not_utf8_is_rejected_by_row(case: Case) -> None:
    garbled = pa.array([b"ok", b"\xff\xfe", "é".encode(), None], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 4, garbled.buffers())
    nested = pa.StructArray.from_arrays([text.take([0, 0, 1, 0])], ["x"])
    case.write("a.parquet", parquet(id=list("abcd"), user_id=text))
    case.write("b.parquet", parquet(id=list("efgh"), extra=nested))
    case.write("c.parquet", parquet(id=list("ijkl"), user_id=garbled))
    case.land()
    assert case.rows() == list("acd" + "efh" + "ikl")
    assert case.rejects("source_line") == [2, 3, 2]
    assert "UTF-8" in case.rejects("error")[0]


def test_damaged_files_are_set_aside_and_leave_the_warehouse_usable(case: Case) -> None:
    path = case.write("a.parquet", parquet(id=[str(number) for number in range(1000)]))
    whole = path.read_bytes()
    for place, content in enumerate(
        [b"", b"x\0", b"id,user_id\0\n" * 9, whole[:-10], whole[100:], whole[:40] + whole[60:]]
    ):
        case.write(f"b{place}.parquet", content)
    report = case.land_tracks()
    assert (report.files_loaded, report.files_unreadable, report.rows_loaded) == (1, 6, 1000)
    assert all("parquet file" in error or "is empty" in error for error in case.rejects("error"))
    assert not any(str(case.folder) in error for error in case.rejects("error"))


def test_a_damaged_time_that_the_statistics_do_not_know_is_a_reject(case: Case) -> None:
    times = [dt.datetime(2024, 3, 10, 0, 0, second) for second in range(20)]
    table = parquet(id=[str(second) for second in range(20)], timestamp=pa.array(times, pa.timestamp("us")))
    path = case.folder / "shop" / "tracks" / "damaged.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(table, path, compression="none", use_dictionary=False)
    content = path.read_bytes()
    seventh = struct.pack("<q", int(times[7].replace(tzinfo=dt.UTC).timestamp()) * 10**6)
    assert content.count(seventh) == 1
    path.write_bytes(content.replace(seventh, seventh[:7] + b"\x96"))
    case.land()
    assert case.rejects("source_line") == [8]
    assert len(case.rows()) == 19
