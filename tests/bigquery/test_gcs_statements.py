"""Google's analyzer takes each statement with which files of a bucket are landed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from sessionization_dagster.landing import RawColumn, RawTable
from sessionization_dagster.landing.gcs import shapes
from sessionization_dagster.landing.gcs.objects import RawFile, StoredObject
from sessionization_dagster.landing.gcs.statements import LEDGER, REJECTS, Outcome, Statements, raw_layout
from sessionization_dagster.landing.tables import COLUMN_TYPES
from sessionization_dagster.warehouses.dialect import Places, create_table
from tests.bigquery.analyzer import Analyzer

PLACES = Places("demo", "shop")
TABLE = RawTable(
    "shop",
    "tracks",
    (RawColumn("timestamp", "TIMESTAMP"), *(RawColumn(f"{kind} it's", kind) for kind in COLUMN_TYPES)),
    at="timestamp",
)
NAMES = [*(column.name for column in TABLE.columns), 'a "b" \\ `c` é', "tab\there"]
KEYS = [*(column.name for column in TABLE.columns), "TIMESTAMP", '"quoted by json_keys"', "a.b", "it's", "é😀"]
# What a load job makes of Parquet, in the order of the declared columns, and beside them.
TYPES = dict(
    zip(
        NAMES[:-2],
        ["TIMESTAMP", "BYTES", "DATETIME", "TIMESTAMP", "STRUCT<a INT64>", "BOOL", "NUMERIC", "FLOAT64", "INT64"],
        strict=True,
    )
) | {"day": "DATE", "hour": "TIME", "list": "ARRAY<STRING>", "more": "JSON", "real": "FLOAT64"}
FILE = RawFile(StoredObject("raw/shop/tracks/a'b.csv", 1, 2), "shop/tracks/a'b.csv")


@pytest.fixture(scope="module")
def analyzer() -> Iterator[Analyzer]:
    scratch = {
        "demo.shop_internal.scratch_csv": {f"c{place}": "STRING" for place in range(len(NAMES))},
        "demo.shop_internal.scratch_jsonl": {shapes.LINE: "STRING"},
        "demo.shop_internal.scratch_parquet": TYPES,
    }
    with Analyzer(scratch) as analyzer:
        for layout in (LEDGER, REJECTS, raw_layout(TABLE)):
            assert analyzer.analyze(create_table(layout, PLACES)) is None
        yield analyzer


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_records_become_rows(analyzer: Analyzer, kind: str) -> None:
    scratch = f"demo.shop_internal.scratch_{kind}"
    if kind == "csv":
        shape = shapes.csv_shape(TABLE, NAMES, scratch, FILE.source_file)
    elif kind == "jsonl":
        assert analyzer.analyze(shapes.jsonl_keys(scratch)) is None
        shape = shapes.jsonl_shape(TABLE, KEYS, scratch, FILE.source_file)
    else:
        shape = shapes.parquet_shape(TABLE, TYPES, scratch, FILE.source_file)
    assert len(shape.columns) == len(TABLE.columns)
    judged = shapes.judged(TABLE, shape)
    statements = Statements(PLACES, TABLE, datetime(2024, 1, 1, 12))
    assert analyzer.analyze(statements.counts(judged)) is None
    outcome = Outcome("loaded", judged, list(shape.columns), rows=1, rejects=1)
    assert analyzer.analyze(statements.replace(FILE, outcome)) is None
    assert analyzer.analyze(statements.replace(FILE, Outcome("loaded", judged, list(shape.columns), rows=1))) is None


def test_the_ledger_is_kept(analyzer: Analyzer) -> None:
    statements = Statements(PLACES, TABLE, datetime(2024, 1, 1, 12, 0, 0, 5))
    names = ["shop/tracks/it's.csv", "shop/tracks/b\\.csv"]
    for statement in (
        statements.entries(),
        statements.forget_generations(),
        statements.empty(),
        statements.remove_rows(names),
        statements.replace(FILE, Outcome("unreadable", rejects=1, error="it's\nbroken \\ `")),
        statements.rejects(names),
        statements.reject_count(),
        statements.add_columns({"another one": "JSON"}),
        statements.drop(),
    ):
        assert analyzer.analyze(statement) is None, statement
