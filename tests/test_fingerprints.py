"""A table's fingerprint changes with its SQL, whatever changed it, and with nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from sessionization_dagster.dbt import fingerprints
from sessionization_dagster.dbt.runner import DbtRunner
from tests.integration.thin_driver import parsed_project

STORED = {"date_overwrite", "frontier", "rollup"}
END = re.compile(r"\{%-?\s*end(macro|materialization|test)")
#: What the values of some vars may be changed to; of others the type says it.
OTHER = {
    "identity_policy": "merge", "blocked_ids": ["nobody"], "session_event_types": ["page"], "counted_events": {"cnt_login": "login"},
    "segment_user_traits": ["plan"], "segment_page_fields": ["url"], "segment_track_fields": ["url"], "own_domains": ["shop.example"],
}  # fmt: skip
#: Parsed into the project, or no var of a table's SQL.
NOT_VARS = {"sources", "families", "stored_views", "rebuild", "replayed_loads"}
# By tests alone, by the identity graph, or on BigQuery.
WITHOUT_TABLES = {
    "identity_policy", "max_users_per_alias", "max_aliases_per_user", "max_lateness_days", "max_rejected_share", "min_rejected_rows",
    "volume_factor", "volume_deviations", "volume_min_norm", "require_partition_filter",
}  # fmt: skip


#: What staging views read, what a table by day reads, what sessions are cut by; and what runs alone use.
SOME_WITH_EFFECT = {"identifier", "reject_reason", "null_text", "makes_sessions"}
SOME = SOME_WITH_EFFECT | {"drop_rows_of_this_run", "prepare_rebuilds"}


@pytest.fixture(scope="module")
def runner() -> DbtRunner:
    project = parsed_project()
    assert project.manifest
    return project.runner_in(project.target_path)


def compiled(runner: DbtRunner, changes: dict[str, Any] | None = None) -> tuple[dict[str, str], dict[str, str]]:
    """Fingerprints and texts of all models, by name."""
    found = runner._compiled_fingerprints({**runner.parsed_settings, **(changes or {})})
    models = [node for node in runner._manifest.nodes.values() if node.resource_type == "model"]
    digests = {unique_id.rsplit(".", 1)[-1]: one.digest for unique_id, one in found.items()}
    assert set(digests) == {node.name for node in models if node.config.materialized in STORED}
    return digests, {node.name: " ".join(node.compiled_code.split()) for node in models}


def made_of_changed(runner: DbtRunner, before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Stored models of which the text, or that of a view that they read, is another."""
    nodes = {node.unique_id: node for node in runner._manifest.nodes.values() if node.resource_type == "model"}

    def is_changed(node: Any) -> bool:
        views = [nodes[parent] for parent in node.depends_on.nodes if parent in nodes]
        return before[node.name] != after[node.name] or any(
            is_changed(view) for view in views if view.config.materialized not in STORED
        )

    return {node.name for node in nodes.values() if node.config.materialized in STORED and is_changed(node)}


@contextmanager
def edited(macro: Any, text: str) -> Iterator[None]:
    before, macro.macro_sql = macro.macro_sql, text
    try:
        yield
    finally:
        macro.macro_sql = before


def with_text(macro: Any, text: str) -> str:
    """The macro's source with a text at its end."""
    place_of_end = [match.start() for match in END.finditer(macro.macro_sql)][-1]
    return str(macro.macro_sql[:place_of_end] + text + macro.macro_sql[place_of_end:])


@pytest.mark.parametrize("share", [0, 1])
def test_a_changed_macro_changes_the_tables_whose_sql_changes(runner: DbtRunner, share: int) -> None:
    """Share 0: some macros; share 1: the others."""
    digests, texts = compiled(runner)
    own = [macro for macro in runner._manifest.macros.values() if macro.package_name == "sessionization"]
    with ExitStack() as remarks:
        for macro in own:
            remarks.enter_context(edited(macro, with_text(macro, "{#- A remark. -#}\n\n")))
        assert compiled(runner)[0] == digests
    with_effect = 0
    for macro in own:
        if (macro.name in SOME) is (share == 1):
            continue
        with edited(macro, with_text(macro, " /* other */ ")):
            found, changed = compiled(runner)
        expected = made_of_changed(runner, texts, changed)
        assert {name for name in digests if found[name] != digests[name]} == expected, macro.name
        with_effect += bool(expected)
    assert with_effect >= len(SOME_WITH_EFFECT)


def test_a_changed_var_changes_the_tables_whose_sql_changes(runner: DbtRunner) -> None:
    digests, texts = compiled(runner)
    declared = {name: value for name, value in parsed_project().variables.items() if name not in NOT_VARS}
    without = set()
    for name, value in declared.items():
        if name in runner.settings:
            continue
        other = OTHER.get(
            name, (not value) if isinstance(value, bool) else value + 1 if isinstance(value, (int, float)) else None
        )
        assert other is not None, name
        found, changed = compiled(runner, {name: other})
        expected = made_of_changed(runner, texts, changed)
        assert {model for model in digests if found[model] != digests[model]} == expected, name
        if not expected:
            without.add(name)
    assert without == WITHOUT_TABLES


def test_layout_is_no_part_of_sql_and_strings_are() -> None:
    plain = fingerprints._without_layout
    assert plain('select  a,\n  b -- both\nfrom "file"."core".t', "file") == 'select a, b from "core".t'
    assert plain("select 'a  b -- c'", None) == "select 'a  b -- c'"
    assert plain("select 'it''s  --' , 1", None) == "select 'it''s  --' , 1"


def test_they_are_kept_as_they_were() -> None:
    found = {"model.a.b": fingerprints.Fingerprint("digest", ("seed.a.c",))}
    assert fingerprints.from_json(json.dumps(found)) == found
