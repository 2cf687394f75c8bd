"""Which tables are keyed by visitor: read from config and tests, errors included."""

from __future__ import annotations

from typing import Any

import pytest

from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.rebuild.keyed_tables import EntityKind, keyed_tables
from tests.manifests import manifest_of


def model(name: str, *parents: str, **config: Any) -> tuple[str, dict[str, Any]]:
    return f"model.{name}", {"config": config, "depends_on": {"nodes": [f"model.{p}" for p in parents]}}


def unique(name: str, *columns: str) -> tuple[str, dict[str, Any]]:
    test = {"name": "unique_combination_of_columns", "kwargs": {"columns": list(columns)}}
    return f"test.{name}", {
        "resource_type": "test", "test_metadata": test, "depends_on": {"nodes": [f"model.{name}"]},
    }  # fmt: skip


def manifest(*nodes: tuple[str, dict[str, Any]]) -> Manifest:
    return manifest_of(dict(nodes))


STREAM = model("stream", materialized="frontier", entity="v", entity_kind="visitor", date="d")


def test_a_table_on_a_stream_has_its_kind_and_its_own_entity_key_and_date() -> None:
    sessions, stream, summary = keyed_tables(
        manifest(
            STREAM, unique("stream", "d", "e"),
            model("summary", "stream", materialized="rollup", key="u"), unique("summary", "u"),
            model("sessions", "stream", materialized="frontier", entity="visitor_of(s)"), unique("sessions", "s", "n"),
            model("days", "stream", materialized="rollup", key="d", date="d"),
            model("plain", materialized="table"),
        )
    )  # fmt: skip
    assert (stream.kind, stream.key, stream.date, stream.is_stream) == (EntityKind.VISITOR, ("d", "e"), "d", True)
    assert (sessions.kind, sessions.entity, sessions.date, sessions.is_stream) == (
        EntityKind.VISITOR, "visitor_of(s)", None, False,
    )  # fmt: skip
    assert (summary.kind, summary.entity, summary.key) == (EntityKind.VISITOR, "u", ("u",))


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (model("m", materialized="frontier", entity="v"), "entity_kind, one of visitor, alias"),
        (model("m", materialized="frontier", entity="v", entity_kind="person"), "'person'. Allowed: visitor, alias"),
    ],
)
def test_a_stream_that_does_not_say_whose_it_is_is_refused(node: tuple[str, dict[str, Any]], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        keyed_tables(manifest(node, unique("m", "e")))


def test_a_table_whose_rows_nothing_distinguishes_is_refused() -> None:
    with pytest.raises(SettingsError, match="stream: its yml needs a test"):
        keyed_tables(manifest(STREAM))
