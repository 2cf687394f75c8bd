"""What folders on the way to a file say: columns, and other formats that own them."""

from __future__ import annotations

import pytest

from tests.landing.conftest import HEADER, Case, csv_row, parquet


def test_folders_give_columns_that_a_file_does_not_have(case: Case) -> None:
    case.write("price=2.5/user_id=a%20b%2Fc/a.csv", "id,timestamp\n1,2024-01-01\n")
    case.write(
        "price=2.5/user_id=a%20b%2Fc/b.jsonl",
        '{"id": "2"}\n{"id": "3", "user_id": "own"}\n{"id": "4", "USER_ID": null}\n',
    )
    case.write("price=2.5/user_id=a%20b%2Fc/c.parquet", parquet(id=["5"]).drop_columns(["user_id"]))
    case.write("dt=2024-01-01/ID=no/d.csv", HEADER + csv_row("6"))
    assert case.land().problems == []
    rows = case.rows("id, user_id, price, properties")
    assert sorted(rows[1:], key=lambda row: str(row[0])) == [
        ("1", "a b/c", 2.5, None), ("2", "a b/c", 2.5, None), ("3", "own", 2.5, None), ("4", "a b/c", 2.5, None), ("5", "a b/c", 2.5, None),
    ]  # fmt: skip
    assert rows[0] == ("6", "u", 1.5, '{"dt":"2024-01-01"}')


def test_the_default_partition_is_no_value(case: Case) -> None:
    case.write("user_id=__HIVE_DEFAULT_PARTITION__/a.csv", "id,timestamp\n1,2024-01-01\n")
    case.write("user_id=__HIVE_DEFAULT_PARTITION__/b.jsonl", '{"id": "2"}\n')
    assert case.land().problems == []
    assert case.rows("id, user_id") == [("1", None), ("2", None)]


def test_parquet_files_of_several_folders_keep_their_values(case: Case) -> None:
    for day in range(1, 5):
        for name in ("a", "b"):
            case.write(f"dt=2024-01-0{day}/{name}.parquet", parquet(id=[f"{day}{name}"]))
    assert case.land().problems == []
    assert case.rows("id, properties ->> 'dt'") == [
        (f"{day}{name}", f"2024-01-0{day}") for day in range(1, 5) for name in "ab"
    ]


def test_a_value_that_cannot_be_is_a_reject_of_each_row(case: Case) -> None:
    case.write("price=dear/a.csv", "id,user_id,timestamp\n1,u,2024-01-01\n")
    case.land()
    assert case.rejects("error") == ["column 'price': 'dear' is not a finite number"]


@pytest.mark.parametrize(
    ("marker", "owner"),
    [
        ("_delta_log/00.json", "a Delta table (it has _delta_log)"),
        (".hoodie/hoodie.properties", "a Hudi table (it has .hoodie)"),
        ("_hudi/x", "a Hudi table (it has _hudi)"),
        ("metadata/v1.metadata.json", "an Iceberg table (it has metadata/*.metadata.json)"),
    ],
)
def test_folders_that_another_format_owns_are_refused_by_name(case: Case, marker: str, owner: str) -> None:
    case.write("a.csv", HEADER + csv_row("a"))
    data = case.write("lake/d=1/b.parquet", parquet(id=["b"]))
    case.land()
    assert case.rows() == ["b", "a"] or case.rows() == ["a", "b"]
    log = case.write(f"lake/{marker}", "{}")
    for _ in range(2):
        report = case.land_tracks()
        assert (report.files_unreadable, case.rows()) == (1, ["a"])
        [(source_file, error)] = case.rejects("source_file, error")
        assert source_file == "shop/tracks/lake"
        assert error.startswith(
            f"is {owner}: not all of its files are live, so it is not read. Export its rows as plain parquet"
        )
    log.unlink()
    log.parent.rmdir()
    mended = case.land()
    assert (mended.problems, mended.tables["shop_tracks"].removed_now) == ([], [])
    assert data.exists()
    assert sorted(case.rows()) == ["a", "b"]


def test_a_table_folder_that_another_format_owns_is_refused(case: Case) -> None:
    case.write("a.parquet", parquet(id=["a"]))
    case.write("_delta_log/00.json", "{}")
    report = case.land_tracks()
    assert (report.files_unreadable, case.rejects("source_file")) == (1, ["shop/tracks"])


def test_a_source_folder_that_another_format_owns_is_refused(case: Case) -> None:
    case.write("a.parquet", parquet(id=["a"]))
    case.write("00.json", "{}", table="shop/_delta_log")
    case.land()
    assert case.rejects("source_file") == ["shop"]
