"""What a dbt node becomes as a Dagster asset: from the node's own config, never by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings
from dagster_dbt import DbtProject as DagsterDbtProject

DEFAULT_OWNER = "team:product-analytics"


def meta_of(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node's meta, wherever its yml gave it."""
    meta: Mapping[str, Any] = node.get("config", {}).get("meta") or node.get("meta") or {}
    return meta


def group_of(node: Mapping[str, Any]) -> str:
    """The asset group: meta.dagster.group, else the node's schema."""
    dagster = meta_of(node).get("dagster", {})
    return str(dagster.get("group") or node.get("config", {}).get("schema") or node["schema"])


def kinds_of(node: Mapping[str, Any], warehouse: str) -> set[str]:
    """Icons: dbt, the warehouse, and whether it is a table or a view."""
    materialized = node.get("config", {}).get("materialized")
    return {"dbt", warehouse, "view" if materialized == "view" else "table"}


def owners_of(node: Mapping[str, Any]) -> Sequence[str]:
    """Who answers for the asset: meta.dagster.owners."""
    owners: Sequence[str] = meta_of(node).get("dagster", {}).get("owners") or [DEFAULT_OWNER]
    return owners


def freshness_of(node: Mapping[str, Any]) -> dg.FreshnessPolicy | None:
    """How old the asset may be: meta.freshness_hours warns, twice that fails; none given, no policy."""
    hours = meta_of(node).get("freshness_hours")
    if hours is None:
        return None
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=2 * hours), warn_window=timedelta(hours=hours))


def describe(node: Mapping[str, Any]) -> str:
    """The yml's description. dagster-dbt would add the SQL, which the UI shows from metadata."""
    return str(node.get("description") or "").strip()


def spec_of_source(
    node: Mapping[str, Any],
    warehouse: str,
    partitions: dg.PartitionsDefinition[str],
    deps: Sequence[dg.AssetKey] = (),
) -> dg.AssetSpec:
    """A dbt source that a Python asset writes, as that asset."""
    return dg.AssetSpec(
        key=key_of_source(node),
        deps=deps,
        description=describe(node),
        group_name=node["schema"],
        owners=owners_of(node),
        kinds={"python", warehouse, "table"},
        partitions_def=partitions,
        skippable=True,
    )


def key_of_source(node: Mapping[str, Any]) -> dg.AssetKey:
    """The asset key of a dbt source: schema.table."""
    return dg.AssetKey([node["source_name"], node["name"]])


def keys_by_day(manifest: Mapping[str, Any]) -> list[dg.AssetKey]:
    """The models whose days a run replaces: all of them have run when a day has."""
    return [
        dg.AssetKey([node["config"]["schema"], node["name"]])
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "date_overwrite"
    ]


def history_tables(manifest: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Tables, as (schema, table), that a rebuild cannot bring back: sources that say so (meta.history), and what dbt's runs left."""
    sources = [
        (node["schema"], node["identifier"]) for node in manifest["sources"].values() if meta_of(node).get("history")
    ]
    return (*sources, ("internal", "run_results"))


class Translator(DagsterDbtTranslator):
    """Asset keys are schema.table, as people query them."""

    def __init__(self, partitions: dg.PartitionsDefinition[str], warehouse: str) -> None:
        """Every asset has the given partitions; warehouse is the icon's name."""
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_source_tests_as_checks=True))
        self._partitions = partitions
        self._warehouse = warehouse

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DagsterDbtProject | None
    ) -> dg.AssetSpec:
        """One node as an asset."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = self.get_resource_props(manifest, unique_id)
        return spec.replace_attributes(
            kinds=kinds_of(node, self._warehouse),
            freshness_policy=freshness_of(node),
            partitions_def=self._partitions,
        )

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """See group_of."""
        return group_of(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:
        """See owners_of."""
        return owners_of(dbt_resource_props)

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """See describe."""
        return describe(dbt_resource_props)
