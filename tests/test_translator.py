"""The metadata of every asset, read from the definitions for all sources; a yml decides it."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import yaml
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy

from sessionization_dagster.cli.sample import land_sample
from sessionization_dagster.dbt.check_descriptions import description_of_check
from sessionization_dagster.dbt.manifest import Manifest
from sessionization_dagster.dbt.project import PROJECT_DIR, DbtProject
from sessionization_dagster.dbt.raw_tables import raw_tables
from sessionization_dagster.dbt.translator import freshness_of, tags_of
from sessionization_dagster.definitions import build_definitions
from sessionization_dagster.errors import SettingsError
from sessionization_dagster.landing import land
from sessionization_dagster.report.queries import TABLES
from sessionization_dagster.settings.environment import Environment
from tests.manifests import manifest_of

SOURCES = ("rudderstack", "segment", "measure_js", "mixpanel")
ENVIRONMENT = Environment.from_env(
    {
        "SESSIONIZATION_SOURCES": ",".join(SOURCES),
        "SESSIONIZATION_START_DATE": "2024-03-09",
        "SESSIONIZATION_END_DATE": "2024-03-12",
    }
)
PROMISED = yaml.safe_load((PROJECT_DIR.parent / "docs" / "tables.yml").read_text())


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return DbtProject.of(ENVIRONMENT).manifest


@pytest.fixture(scope="module")
def specs(manifest: Manifest) -> dict[str, dg.AssetSpec]:
    """All assets by schema.table."""
    found = build_definitions(ENVIRONMENT).resolve_all_asset_specs()
    return {".".join(spec.key.path): spec for spec in found}


def test_a_code_server_can_load_all_definitions() -> None:
    """It looks closer than building them does: names of ops and jobs must differ, for one."""
    build_definitions(ENVIRONMENT).get_repository_def().load_all_definitions()


def test_every_table_is_an_asset(specs: dict[str, dg.AssetSpec], manifest: Manifest) -> None:
    assert set(specs) == {*manifest.table_names, "reports.sessions_report"}
    assert len(specs) > 40


def test_every_asset_has_a_group_owner_tags_kinds_and_description(specs: dict[str, dg.AssetSpec]) -> None:
    for name, spec in specs.items():
        assert spec.group_name == name.split(".")[0], name
        assert spec.owners, name
        assert "duckdb" in spec.kinds, name
        assert {"table", "view", "html"} & spec.kinds, name
        assert {"dbt", "python"} & spec.kinds, name
        assert spec.description, name
        assert spec.tags["layer"] in ("raw", "staging", "core", "sessions", "monitoring", "reports"), name
        assert spec.tags["grain"], name


def test_every_asset_has_a_freshness_policy_for_the_daily_run(specs: dict[str, dg.AssetSpec]) -> None:
    daily = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=50), warn_window=timedelta(hours=26))
    assert {name: spec.freshness_policy for name, spec in specs.items()} == dict.fromkeys(specs, daily)


def test_every_asset_leads_to_its_files_and_models_show_their_sql(
    specs: dict[str, dg.AssetSpec], manifest: Manifest
) -> None:
    seeds = {table.full_name for table in manifest.tables.values() if table.resource_type == "seed"}
    for name, spec in specs.items():
        files = [Path(one.file_path) for one in spec.metadata["dagster/code_references"].code_references]
        assert all(file.is_file() for file in files), name
        kinds = {file.suffix for file in files}
        if "html" in spec.kinds:
            assert kinds == {".py"}, name
        elif "python" in spec.kinds:
            assert kinds == {".py", ".yml"}, name
        elif name in seeds:
            assert kinds == {".csv", ".yml"}, name
        else:
            assert kinds == {".sql", ".yml"}, name
            assert files[0].read_text().strip() in spec.metadata["sql"].value, name


def test_every_check_has_a_description() -> None:
    graph = build_definitions(ENVIRONMENT).resolve_asset_graph()
    described = {key: graph.get_check_spec(key).description for key in graph.asset_check_keys}
    assert not [str(key) for key, text in described.items() if not text]
    table = dg.AssetKey(["core", "session_events"])
    assert {text for key, text in described.items() if key.asset_key == table} >= {
        # A singular test, a test with a list, one of a session's column in another table.
        "The window's events that make sessions and its session_events are the same events, once each.",
        "A row is the only one with its event_date, event_id.",
        "Each session_key that is looked for in core_sessions is there, as session_key.",
    }
    causes = "split_cause is null or one of: first, timeout."
    assert causes in {text for key, text in described.items() if key.asset_key == dg.AssetKey(["core", "sessions"])}


def test_a_test_without_words_has_no_description_and_its_own_words_go_first() -> None:
    def described(macros: dict[str, Any], **more: Any) -> str | None:
        node = {"resource_type": "test", "depends_on": {"macros": ["macro.shop.test_even"]}, **more}
        (test,) = manifest_of({"test.shop.even": node}, macros=macros).tests
        return description_of_check(test)

    generic = {"name": "even", "kwargs": {"by": 2}}
    assert described({}, test_metadata=generic) is None
    macros = {"macro.shop.test_even": {"description": "Divides by {by}, not {more}. "}}
    assert described(macros, test_metadata=generic) == "Divides by 2, not {more}."
    assert described(macros, test_metadata=generic, description="Pairs.") == "Pairs."
    # A singular test may call macros that have descriptions.
    assert described(macros) is None


def test_every_promised_column_is_described(manifest: Manifest) -> None:
    tables = {table.relation: table for table in manifest.tables.values()}
    for schema, promised in PROMISED.items():
        for table, columns in promised.items():
            described = {name for name, text in tables[schema, table].described_columns.items() if text}
            assert described == set(columns), f"{schema}.{table}"


def test_every_declared_column_is_described(manifest: Manifest) -> None:
    for table in manifest.tables.values():
        columns = table.described_columns
        assert columns, table.name
        assert all(columns.values()), (table.name, [name for name, text in columns.items() if not text])


def test_every_column_of_a_raw_table_is_described(manifest: Manifest, tmp_path: Path) -> None:
    sources = {source.relation: source for source in manifest.sources}
    land_sample(tmp_path, SOURCES)
    with duckdb.connect() as connection:
        land(connection, tmp_path, raw_tables(manifest, SOURCES), datetime(2024, 3, 9), report=lambda _: None)
        rows = connection.sql("""
            select table_name, list(column_name) from information_schema.columns where table_schema = 'raw' group by 1""")
        made = {(table, frozenset(columns)) for table, columns in rows.fetchall()}
    assert {(table, columns) for table, columns in made if ("raw", table) in sources} == {
        (name, frozenset(source.described_columns)) for (schema, name), source in sources.items() if schema == "raw"
    }


def test_the_reports_exposures_name_the_tables_that_it_reads(manifest: Manifest) -> None:
    exposures = manifest.json["exposures"].values()
    nodes = [unique_id for exposure in exposures for unique_id in exposure["depends_on"]["nodes"]]
    assert sorted(manifest.tables[unique_id].full_name for unique_id in nodes) == TABLES


def test_a_models_yml_decides_before_its_folder(tmp_path: Path) -> None:
    project_dir = tmp_path / "dbt_project"
    shutil.copytree(PROJECT_DIR, project_dir, ignore=shutil.ignore_patterns("target", "logs"))
    yml = project_dir / "models" / "core" / "events.yml"
    before = yml.read_text()
    after = before.replace(
        "        grain: event\n", "        grain: event\n        freshness: {warn_hours: 1, fail_hours: 3}\n"
    )
    assert after != before
    yml.write_text(after)
    tables = DbtProject.of(ENVIRONMENT, project_dir=project_dir).manifest.tables
    assert freshness_of(tables["model.sessionization.events"]) == dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=3), warn_window=timedelta(hours=1)
    )
    daily = freshness_of(tables["model.sessionization.identity_edges"])
    assert isinstance(daily, TimeWindowFreshnessPolicy)
    assert daily.warn_window is not None
    assert daily.warn_window.to_timedelta() == timedelta(hours=26)


@pytest.mark.parametrize(
    "policy",
    [None, {}, {"warn_hours": 26}, {"warn_hours": "a day", "fail_hours": 50}, {"warn_hours": 50, "fail_hours": 26}],
)
def test_a_freshness_that_cannot_be_used_names_the_model_and_the_remedy(policy: Any) -> None:
    (model,) = manifest_of({"model.shop.orders": {"config": {"meta": {"freshness": policy}}}}).models
    with pytest.raises(SettingsError, match=r"model orders: meta.freshness .*warn_hours: 26, fail_hours: 50"):
        freshness_of(model)


def test_dbt_tags_and_layer_and_grain_are_tags() -> None:
    node = {"tags": ["sessions"], "config": {"meta": {"layer": "core", "grain": "event", "owner": "x"}}}
    (model,) = manifest_of({"model.shop.events": node}).models
    assert tags_of(model) == {"sessions": "", "layer": "core", "grain": "event"}
