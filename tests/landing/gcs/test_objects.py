"""Which objects of a bucket are raw files, by their names alone."""

from __future__ import annotations

import pytest

from sessionization_dagster.landing import LandingError, RawColumn, RawTable
from sessionization_dagster.landing.gcs.objects import Bucket, RawFile, StoredObject, discover

TABLES = [RawTable("shop", name, (RawColumn("id", "VARCHAR"),)) for name in ("tracks", "pages")]
BUCKET = Bucket.of("gs://b/raw/files/")


def found_in(*names: str) -> tuple[dict[str, list[str]], list[tuple[str, str]], list[str]]:
    found = discover(BUCKET, [StoredObject(f"raw/files/{name}", 1, 1) for name in names], TABLES)
    files = {table: [file.source_file for file in files] for table, files in found.files.items()}
    return files, found.ignored, found.unknown_folders


@pytest.mark.parametrize(
    ("url", "bucket"),
    [
        ("gs://b", Bucket("b", "")),
        ("gs://b/", Bucket("b", "")),
        ("gs://b/a", Bucket("b", "a/")),
        ("gs://b/a/c/", Bucket("b", "a/c/")),
    ],
)
def test_places(url: str, bucket: Bucket) -> None:
    assert Bucket.of(url) == bucket


def test_files_belong_to_the_table_that_their_folders_name() -> None:
    files, ignored, unknown = found_in(
        "shop/tracks/2024/b.CSV.gz", "shop/tracks/a.parquet", "shop/pages/x", "shop/tracks/", "shop/tracks/2024/",
        "shop/tracks/_SUCCESS", "shop/_tmp/a.csv", "shop/tracks/_temporary/a.csv", ".hidden/tracks/a.csv", "shop/tracks/_notes/a.txt",
    )  # fmt: skip
    assert files == {
        "shop_tracks": ["shop/tracks/2024/b.CSV.gz", "shop/tracks/a.parquet"],
        "shop_pages": ["shop/pages/x"],
    }
    assert (ignored, unknown) == ([], [])


def test_data_with_a_name_like_a_marker_are_reported() -> None:
    _, ignored, unknown = found_in(
        "shop/tracks/a.csv", "shop/tracks/_part.csv", "shop/tracks/2024/_old/1/a.csv", "shop/tracks/2024/_old/b.csv",
        "shop/tracks/_old/_temporary/a.csv", "shop/trakcs/_a.csv", "shpo/tracks/_old/a.csv", "shop/.a.csv",
        "done/tracks/_SUCCESS", "done/tracks/_temporary/a.csv",
    )  # fmt: skip
    assert [name for name, _ in ignored] == ["shop/.a.csv", "shop/tracks/2024/_old", "shop/tracks/_part.csv"]
    assert "outside a table's folder" in ignored[0][1]
    assert "begins with . or _" in ignored[1][1]
    assert [text.split(";")[0] for text in unknown] == ["shop/trakcs/: no such table", "shpo/: no such source"]


def test_other_files_are_reported() -> None:
    _, ignored, unknown = found_in(
        "shop/tracks/a.csv", "a.csv", "shop/b.csv", "shop/tracks/c.csv.tmp", "shop/tracks/d*.csv", "shop/trakcs/e.csv",
        "other/tracks/f.csv", "other/pages/f.csv",
    )  # fmt: skip
    assert [name for name, _ in ignored] == ["a.csv", "shop/b.csv", "shop/tracks/c.csv.tmp", "shop/tracks/d*.csv"]
    assert "rename it" in ignored[3][1]
    assert [text.split(";")[0] for text in unknown] == ["other/: no such source", "shop/trakcs/: no such table"]
    assert "pages, tracks" in unknown[1]


def test_a_bucket_without_files_is_an_error() -> None:
    with pytest.raises(
        LandingError, match=r"gs://b/raw/files/ holds no data file.*no such source.*SESSIONIZATION_LANDING"
    ):
        found_in("othershop/tracks/a.csv", "shop/tracks/a.tmp")


def test_each_generation_has_a_key_of_its_own() -> None:
    files = [RawFile(StoredObject(name, number, 1), name) for name in ("a", "b") for number in (1, 2)]
    keys = {file.key(bucket, table) for file in files for bucket in (BUCKET, Bucket("c", "")) for table in ("t", "u")}
    assert len(keys) == 16
    assert files[0].key(BUCKET, "t") == RawFile(StoredObject("a", 1, 5), "a").key(BUCKET, "t")


@pytest.mark.parametrize("marker", ["_delta_log/0.json", ".hoodie/a.commit", "_hudi/a", "metadata/v1.metadata.json"])
def test_folders_that_another_format_owns_are_refused_by_name(marker: str) -> None:
    names = ["shop/tracks/a.csv", "shop/tracks/lake/d=1/a.parquet", f"shop/tracks/lake/{marker}", "shop/pages/b.csv"]
    found = discover(BUCKET, [StoredObject(f"raw/files/{name}", 1, 1) for name in names], TABLES)
    files = {file.source_file: file.refusal for file in found.files["shop_tracks"]}
    assert files["shop/tracks/a.csv"] is None
    assert files.keys() == {"shop/tracks/a.csv", "shop/tracks/lake"}
    assert "not all of its files are live" in str(files["shop/tracks/lake"])
    whole = discover(
        BUCKET, [StoredObject(f"raw/files/{name}", 1, 1) for name in ("shop/a.csv", f"shop/{marker}")], TABLES
    )
    assert {name: [file.source_file for file in files] for name, files in whole.files.items()} == {
        "shop_tracks": ["shop/tracks"],
        "shop_pages": ["shop/pages"],
    }
    for folder, shown in {"shop/trakcs": "shop/trakcs/: no such table", "shpo": "shpo/: no such source"}.items():
        _, ignored, unknown = found_in("shop/tracks/a.csv", f"{folder}/a.parquet", f"{folder}/{marker}")
        assert (ignored, [text.split(";")[0] for text in unknown]) == ([], [shown])
