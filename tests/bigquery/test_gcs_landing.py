"""Files in a bucket land in BigQuery as the same files in a folder land in DuckDB, once, whatever happens meanwhile."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from sessionization_dagster.defs.assets.landing_gcs import build_gcs_landing_assets
from sessionization_dagster.errors import WarehouseError
from sessionization_dagster.landing import LandingError, LandingReport, RawColumn, RawTable, RemovedFiles, land
from sessionization_dagster.landing.gcs import Bucket, land_bucket
from sessionization_dagster.landing.gcs.clients import GCSClients, Loads, Objects
from sessionization_dagster.warehouses.bigquery import BigQueryWarehouse
from tests.bigquery.emulator import PROJECT, bucket_server, emulator
from tests.manifests import manifest_of

LANDED_AT = datetime(2024, 6, 1, 12)
TRACKS = RawTable(
    "shop",
    "tracks",
    (
        RawColumn("id", "VARCHAR", required=True),
        RawColumn("timestamp", "TIMESTAMP", required=True),
        RawColumn("price", "DOUBLE"),
        RawColumn("quantity", "BIGINT"),
        RawColumn("small", "INTEGER"),
        RawColumn("day", "DATE"),
        RawColumn("paid", "BOOLEAN"),
        RawColumn("device", "JSON"),
    ),
    at="timestamp",
)
CSV = r'''id,timestamp,price,quantity,small,day,paid,device,Colour,it's other
a,2024-01-31T23:59:59.123456Z,1.5,7.0,+3,2024-02-29,TRUE,"{""k"": [1, null]}",red,1
b, 2024-01-31 23:59:59.123456999+02:00 ,,,,,,,,
c,1969-12-31T23:59:59.999999999-0530,-.5e3, 9223372036854775807 ,-2147483648,0001-01-01,0,"""x""","é, ""q""
new line",' \ `
"",2024-01-31,,,,,,,,
d,2024-01-31 23:59,,,,,f,1,,
'''
JSONL = r"""{"id": "a", "timestamp": "2024-01-31T23:59:59.1Z", "price": 2, "quantity": "5", "paid": true, "device": {"os": "x"}}
{"id": "b", "more": {"a": [1, null]}}
{"ID": "spelt otherwise", "timestamp": null, "other thing": "null", "é": 1.5}

{"id": {"nested": 1}, "timestamp": "2024-01-31 23:59:59.5 UTC", "id2": null, "more": false}
{"id": "both", "Id": "kept", "day": "2024-01-31"}
{"id": 42.0, "timestamp": "2024-01-31"}
{"id": "42.0", "timestamp": "2024-01-31"}
{"id": 7, "price": 1e3, "small": -1, "more": "quote \" and \\ and \u00e9"}
{}
"""


@dataclass
class Case:
    """A bucket's folder, a warehouse, and a folder with the same files for DuckDB."""

    warehouse: BigQueryWarehouse
    bucket: Bucket
    folder: Path
    tables: Sequence[RawTable] = (TRACKS,)
    messages: list[str] = field(default_factory=list)
    removed: RemovedFiles = RemovedFiles.KEEP

    @property
    def objects(self) -> Any:
        return GCSClients(project=PROJECT, anonymous=True).get_client()

    def write(self, name: str, content: str | bytes, table: str = "shop/tracks") -> None:
        data = content.encode() if isinstance(content, str) else content
        data = gzip.compress(data) if name.endswith(".gz") and isinstance(content, str) else data
        path = self.folder / table / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        blob = self.objects.bucket(self.bucket.name).blob(f"{self.bucket.prefix}{table}/{name}")
        blob.upload_from_string(data, timeout=30)

    def remove(self, name: str) -> None:
        (self.folder / "shop/tracks" / name).unlink()
        self.objects.bucket(self.bucket.name).blob(f"{self.bucket.prefix}shop/tracks/{name}").delete(timeout=30)

    def land(self) -> LandingReport:
        return land_bucket(
            self.warehouse, self.objects, self.bucket, self.tables, LANDED_AT, self.messages.append, self.removed
        )

    def query(self, sql: str) -> list[dict[str, Any]]:
        with self.warehouse.connect() as connection:
            return connection.query(sql).to_pylist()

    def rows(self) -> list[dict[str, Any]]:
        """Those of BigQuery, with JSON as Python has it."""
        return sorted(map(plain, self.query("select * from raw.shop_tracks")), key=repr)

    def rows_of_duckdb(self) -> list[dict[str, Any]]:
        connection = duckdb.connect()
        land(connection, self.folder, self.tables, LANDED_AT)
        found = connection.sql("select * exclude (source_row) from raw.shop_tracks").to_arrow_table().to_pylist()
        return sorted(map(plain, found), key=repr)

    def ids(self) -> list[str]:
        return sorted(row["id"] for row in self.query("select id from raw.shop_tracks"))

    def ledger(self) -> list[tuple[Any, ...]]:
        rows = self.query(
            "select source_file, status, row_count, reject_count from raw.landed_files order by source_file"
        )
        return [tuple(row.values()) for row in rows]

    def rejects(self) -> list[tuple[Any, ...]]:
        rows = self.query("select source_file, error, content from raw.landing_rejects order by source_file, error")
        return [tuple(row.values()) for row in rows]

    def scratch_tables(self) -> list[str]:
        with self.warehouse.connect() as connection:
            tables = connection.native.list_tables(f"{PROJECT}.{self.warehouse.places.dataset}_internal", timeout=30)
            return [table.table_id for table in tables]


def plain(row: dict[str, Any]) -> dict[str, Any]:
    parsed = {name: json.loads(row[name]) for name in ("device", "properties") if isinstance(row[name], str)}
    return dict(sorted({**row, **parsed}.items()))


@pytest.fixture(scope="module")
def buckets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a running server of buckets, which Google's client finds."""
    folder = tmp_path_factory.mktemp("buckets")
    with bucket_server(folder.with_suffix(".log"), folder) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", address)
        GCSClients(project=PROJECT, anonymous=True).get_client().create_bucket("landing", timeout=30)
        yield folder


@pytest.fixture(scope="module")
def endpoint(buckets: Path) -> Iterator[str]:
    """An emulator whose load jobs read the buckets."""
    with emulator(buckets.with_suffix(".emulator.log"), buckets) as address:
        yield address


@pytest.fixture
def case(warehouse: BigQueryWarehouse, tmp_path: Path) -> Case:
    return Case(warehouse, Bucket.of(f"gs://landing/{warehouse.places.dataset}/raw"), tmp_path / "landing")


def test_rows_are_those_that_a_folder_lands(case: Case) -> None:
    for name, text in {"a.csv": CSV, "b.csv.gz": CSV, "c.jsonl": JSONL, "d.jsonl.gz": JSONL, "e é ü.csv": CSV}.items():
        case.write(name, text)
    report = case.land().tables["shop_tracks"]
    assert report.problems == []
    assert (report.files_loaded, report.rows_loaded, report.rows_rejected) == (5, 33, 0)
    rows = case.rows()
    assert rows == case.rows_of_duckdb()
    found = {row["id"]: row for row in rows if row["source_file"].endswith("a.csv")}
    assert found["a"]["timestamp"] == datetime(2024, 1, 31, 23, 59, 59, 123456)
    assert found["c"]["timestamp"] == datetime(1970, 1, 1, 5, 29, 59, 999999)
    assert found["a"]["day"] == date(2024, 2, 29)
    assert found["b"]["properties"] is None
    assert found["c"]["properties"] == {"Colour": 'é, "q"\nnew line', "it's other": "' \\ `"}
    assert case.scratch_tables() == []


def test_parquet_comes_with_its_types(case: Case) -> None:
    moments = [datetime(2024, 1, 31, 23, 59, 59, 123456), None]
    table = pa.table(
        {
            "id": ["a", None],
            "timestamp": pa.array(moments, pa.timestamp("us")),
            "price": [1.5, None],
            "quantity": pa.array([2**60, None], pa.int64()),
            "small": ["12", ""],
            "day": pa.array(moments, pa.timestamp("us")),
            "paid": [True, None],
            "device": ['{"os": "x"}', None],
            "extra": [2.5, None],
            "seen": pa.array(moments, pa.timestamp("us")),
        }
    )
    # As pandas writes ids and numbers of which some are missing.
    floats = pa.table(
        {
            "id": [42.0, float("nan"), float("inf"), 1.5, -(2.0**53), 123456789012345678.0],
            "timestamp": pa.array(moments * 3, pa.timestamp("us")),
            "price": [1.5, float("nan")] * 3,
            "quantity": [7.0, float("nan")] * 3,
        }
    )
    for name, written in (("a", table), ("b", floats)):
        sink = pa.BufferOutputStream()
        pq.write_table(written, sink)
        case.write(f"{name}.parquet", sink.getvalue().to_pybytes())
    assert case.land().problems == []
    rows = case.rows()
    assert rows == case.rows_of_duckdb()
    ids = {row["id"] for row in rows if row["source_file"].endswith("b.parquet")}
    assert ids == {"42", None, "1.5", "-9007199254740992", "123456789012345680"}


def test_a_run_loads_new_files_and_removes_the_rows_of_removed_ones(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[str] = []
    load = bigquery.Client.load_table_from_uri

    def noted(self: bigquery.Client, uri: str, *more: Any, **options: Any) -> Any:
        jobs.append(uri)
        return load(self, uri, *more, **options)

    monkeypatch.setattr(bigquery.Client, "load_table_from_uri", noted)
    case.write("a.csv", "id,timestamp\na1,2024-01-01\na2,2024-01-01\n")
    case.write("b.jsonl", '{"id": "b1"}\n')
    case.write("c.csv", "id,timestamp\nc1,2024-01-01\nc2,broken\n")
    case.land()
    assert len(jobs) == 3
    again = case.land().tables["shop_tracks"]
    assert (len(jobs), again.files_unchanged, again.rows_loaded, again.rejects_held) == (3, 3, 0, 1)
    case.write("a.csv", "id,timestamp\na3,2024-01-01\n")
    case.remove("b.jsonl")
    case.remove("c.csv")
    kept = case.land().tables["shop_tracks"]
    assert (len(jobs), kept.files_loaded, kept.removed_now) == (4, 1, ["shop/tracks/b.jsonl", "shop/tracks/c.csv"])
    assert case.ids() == ["a3", "b1", "c1"]
    case.removed = RemovedFiles.REMOVE
    changed = case.land().tables["shop_tracks"]
    assert (len(jobs), changed.files_loaded, changed.files_removed, changed.rejects_held) == (4, 0, 2, 0)
    assert case.ids() == ["a3"]
    assert case.ledger() == [("shop/tracks/a.csv", "loaded", 1, 0)]
    assert case.rejects() == []
    case.remove("a.csv")
    with pytest.raises(LandingError, match="holds no data file"):
        case.land()
    assert case.ids() == ["a3"]


def test_what_is_broken_is_kept_aside_and_the_rest_goes_on(case: Case) -> None:
    broken = "bad,2024-02-30,,\nbad,2024-01-01,dear,\nbad,2024-01-01,,2147483648\n"
    case.write("a.csv", f"id,timestamp,price,small\ngood,2024-01-01,1,1\n{broken}")
    case.write("b.csv", "id,timestamp\nx,2024-01-01,too,many\n")
    case.write("c.csv", "timestamp\n2024-01-01\n")
    case.write("d.csv", b"")
    case.write("e.jsonl", '{"id": "good"}\n{"id": \n[1]\n{"id": "bad", "quantity": 1.5}\n')
    case.write("f.csv.gz", b"no gzip")
    case.write("g.csv", "id,timestamp\ngood,2024-01-01\n")
    case.write("h.txt", "what?")
    case.write("i.csv", "x", table="shop/traks")
    report = case.land()
    table = report.tables["shop_tracks"]
    assert case.ids() == ["good"] * 3
    assert (table.files_loaded, table.files_unreadable, table.rows_rejected, table.rejects_held) == (3, 5, 6, 11)
    shown = {(name.removeprefix("shop/tracks/"), content): error for name, error, content in case.rejects()}
    assert "column 'timestamp': '2024-02-30' is not a time" in shown["a.csv", '["bad","2024-02-30","",""]']
    assert "column 'price': 'dear' is not a finite number" in shown["a.csv", '["bad","2024-01-01","dear",""]']
    assert (
        "'2147483648' is not a whole number of at most 32 bits"
        in shown["a.csv", '["bad","2024-01-01","","2147483648"]']
    )
    assert "cannot be loaded" in shown["b.csv", None]
    assert "missing required column 'id'" in shown["c.csv", None]
    assert "is empty" in shown["d.csv", None]
    assert shown["e.jsonl", '{"id": '] == "is not JSON; write one object per line"
    assert shown["e.jsonl", "[1]"] == "is JSON, but no object; write one object per line"
    assert "column 'quantity': '1.5' is not" in shown["e.jsonl", '{"id": "bad", "quantity": 1.5}']
    assert "missing required columns" in shown["f.csv.gz", None]
    assert len([text for text in report.problems if "more rejected" in text]) == 0
    assert any("shop/traks/: no such table" in text for text in report.problems)
    assert "missing required column" in shown["h.txt", None]
    before = case.ledger(), case.rejects()
    assert case.land().tables["shop_tracks"].files_unreadable == 5
    assert (case.ledger(), case.rejects()) == before
    case.write("b.csv", "id,timestamp\nmended,2024-01-01\n")
    case.land()
    assert case.ids() == ["good"] * 3 + ["mended"]


def die_at(endpoint: str, host: str, case: Case, place: str) -> None:
    """In a process of its own: land, and end without a word where a method is called."""
    os.environ["STORAGE_EMULATOR_HOST"] = host
    owner, name = {"before": (Objects, "is_still"), "after": (Loads, "drop")}[place]
    setattr(owner, name, lambda *_: os._exit(9))
    case.land()


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_killed_run_loses_and_doubles_nothing(case: Case, endpoint: str, place: str) -> None:
    """Killed between loading a file and putting it in its place, and just after that."""
    case.write("a.csv", "id,timestamp\na1,2024-01-01\na2,2024-01-01\n")
    case.land()
    case.write("a.csv", "id,timestamp\na3,2024-01-01\n")
    case.write("b.jsonl", '{"id": "b1"}\n')
    process = multiprocessing.get_context("spawn").Process(
        target=die_at, args=(endpoint, os.environ["STORAGE_EMULATOR_HOST"], case, place)
    )
    process.start()
    process.join(60)
    assert process.exitcode == 9
    assert case.ids() == (["a1", "a2"] if place == "before" else ["a3"])
    assert len(case.scratch_tables()) == 1
    report = case.land().tables["shop_tracks"]
    assert case.ids() == ["a3", "b1"]
    assert report.files_loaded == (2 if place == "before" else 1)
    assert [row[2] for row in case.ledger()] == [1, 1]


def test_what_a_killed_run_loaded_is_not_loaded_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.write("a.csv", "id,timestamp\na1,2024-01-01\n")
    with monkeypatch.context() as patch:
        patch.setattr(Objects, "is_still", interrupt)
        with pytest.raises(KeyboardInterrupt):
            case.land()
    (name,) = case.scratch_tables()
    dataset = f"{PROJECT}.{case.warehouse.places.dataset}_internal"
    with case.warehouse.connect() as connection:
        # Loading the file again would take this row away.
        connection.native.query_and_wait(f"insert into `{dataset}.{name}` (c0) values ('there before')")
    case.land()
    assert case.ids() == ["a1", "there before"]
    assert case.scratch_tables() == []


def interrupt(*_: object) -> bool:
    raise KeyboardInterrupt


def test_a_file_that_changes_while_it_is_read_waits(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.write("a.csv", "id,timestamp\na1,2024-01-01\n")
    case.land()
    case.write("a.csv", "id,timestamp\na2,2024-01-01\n")
    still = Objects.is_still

    def rewritten(self: Objects, stored: Any) -> bool:
        case.write("a.csv", "id,timestamp\na3,2024-01-01\n")
        return still(self, stored)

    with monkeypatch.context() as patch:
        patch.setattr(Objects, "is_still", rewritten)
        assert case.land().tables["shop_tracks"].files_loaded == 0
    assert case.ids() == ["a1"]
    assert case.scratch_tables() == []
    assert "changed while it was read" in case.messages[-1]
    case.land()
    assert case.ids() == ["a3"]


def test_a_file_that_vanishes_while_it_is_read_is_gone(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """BigQuery says that it is not found; where it is there all the same, something else is missing, and the run fails."""
    case.write("a.jsonl", '{"id": "a1"}\n')
    case.write("b.jsonl", '{"id": "b1"}\n')
    attempt = Loads._attempt

    def not_found(self: Loads, uri: str, *rest: Any) -> bool:
        if uri.endswith("a.jsonl"):
            raise NotFound("Not found: Dataset demo:other")
        return attempt(self, uri, *rest)

    monkeypatch.setattr(Loads, "_attempt", not_found)
    with pytest.raises(WarehouseError, match="No such dataset"):
        case.land()
    still = Objects.is_still
    monkeypatch.setattr(Objects, "is_still", lambda self, stored: "a.jsonl" not in stored.name and still(self, stored))
    assert case.land().problems == []
    assert case.ids() == ["b1"]


def test_a_changed_declaration_has_files_read_again(case: Case) -> None:
    case.write("a.csv", "id,timestamp,colour\na1,2024-01-01,7\n")
    case.land()
    case.tables = [RawTable("shop", "tracks", (*TRACKS.columns, RawColumn("colour", "BIGINT")), at="timestamp")]
    case.land()
    (row,) = case.rows()
    assert (row["colour"], row["properties"]) == (7, None)
    with case.warehouse.connect() as connection:
        # The emulator adds a column and does not report it.
        table = connection.native.get_table(f"{PROJECT}.{case.warehouse.places.dataset}_raw.shop_tracks", timeout=30)
        table.schema = [*table.schema, bigquery.SchemaField("colour", "INT64")]
        connection.native.update_table(table, ["schema"], timeout=30)
    assert case.land().tables["shop_tracks"].files_unchanged == 1
    case.tables = [TRACKS]
    case.land()
    (row,) = case.rows()
    assert "colour" not in row
    assert row["properties"] == {"colour": "7"}


def source_node(name: str, meta: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "description": name,
        "original_file_path": "models/raw.yml",
        "config": {"meta": {"freshness": {"warn_hours": 26, "fail_hours": 50}, **meta}},
        **more,
    }


def test_assets_report_files_and_rows(case: Case) -> None:
    columns = {
        column.name: {"data_type": column.type, "config": {"meta": {"required": column.required}}}
        for column in TRACKS.columns
    }
    landing = {"landing": {"source": "shop", "table": "tracks"}}
    freshness = {"warn_after": {"count": 1, "period": "day"}}
    manifest = manifest_of(
        {},
        {
            "source.shop.raw.shop_tracks": source_node("shop_tracks", landing, columns=columns, freshness=freshness),
            "source.shop.raw.landing_rejects": source_node("landing_rejects", {}),
        },
    )
    case.write("a.csv", "id,timestamp\ngood,2024-01-01\nbad,broken\n")
    assets = build_gcs_landing_assets(
        manifest,
        case.warehouse,
        GCSClients(project=PROJECT, anonymous=True),
        case.bucket,
        ["shop"],
        dg.DailyPartitionsDefinition("2024-01-01"),
        now=lambda: datetime(2024, 1, 3, tzinfo=UTC),
    )
    result = dg.materialize([assets], partition_key="2024-01-01")
    key = dg.AssetKey(["raw", "shop_tracks"])
    events = {event.asset_key: event for event in result.asset_materializations_for_node("landing")}
    assert events.keys() == {key, dg.AssetKey(["raw", "landing_rejects"])}
    metadata = events[key].metadata
    shown = {name: metadata[name].value for name in ("files_loaded", "rows_loaded", "rows_rejected")}
    assert shown == {"files_loaded": 1, "rows_loaded": 1, "rows_rejected": 1}
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert checks.keys() == {"files_readable", "files_in_table_folders", "files_still_there", "source_is_fresh"}
    assert not checks["files_readable"].passed
    assert checks["files_readable"].metadata["unreadable"].value == 1
    assert checks["source_is_fresh"].metadata["hours_behind"].value == 48
    assert not checks["source_is_fresh"].passed
