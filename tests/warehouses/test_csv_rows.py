"""Rows on their way through CSV: null and the empty text stay apart, and what is not loaded is refused by name."""

from __future__ import annotations

import pyarrow as pa
import pytest

from sessionization_dagster.warehouses import csv_rows
from sessionization_dagster.warehouses.bigquery import as_label


def test_texts_bear_a_mark_that_nulls_lack() -> None:
    rows = pa.table({"text": ["", None, "=a"], "n": pa.array([1, None, 3], pa.int32())})
    assert csv_rows.as_csv(rows).read().decode() == '"text","n"\n"=",1\n,\n"==a",3\n'
    assert csv_rows.as_query(rows, "p.d.t") == (
        "(SELECT IF(STARTS_WITH(`text`, '='), SUBSTR(`text`, 2), NULL) AS `text`, `n` FROM `p.d.t`)"
    )


def test_times_keep_their_microseconds() -> None:
    rows = pa.table({"at": pa.array([1_000_000], pa.timestamp("us")), "ns": pa.array([1_001_000], pa.timestamp("ns"))})
    assert csv_rows.as_csv(rows).read().decode().splitlines()[1] == (
        "1970-01-01 00:00:01.000000,1970-01-01 00:00:00.001001"
    )
    assert [field.field_type for field in csv_rows.schema(rows)] == ["TIMESTAMP", "TIMESTAMP"]


def test_a_type_that_is_not_loaded_is_named() -> None:
    with pytest.raises(TypeError, match=r"Column tags is of type list"):
        csv_rows.schema(pa.table({"tags": [["a"]]}))


def test_labels_are_what_bigquery_allows() -> None:
    assert as_label("core.Identity Graph") == "core_identity_graph"
    assert len(as_label("x" * 100)) == 63
