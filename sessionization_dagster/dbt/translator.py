"""Turns a dbt node into a Dagster asset, by the node's own config and never by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings
from dagster_dbt import DbtProject as DagsterDbtProject

from sessionization_dagster.dbt.check_descriptions import description_of_check
from sessionization_dagster.dbt.definition_metadata import definition_metadata
from sessionization_dagster.dbt.nodes import is_view, meta_of, relation_of
from sessionization_dagster.errors import SettingsError

T = TypeVar("T")

DEFAULT_OWNER = "team:product-analytics"


def group_of(node: Mapping[str, Any]) -> str:
    """The asset group: meta.dagster.group, else the schema."""
    dagster = meta_of(node).get("dagster", {})
    return str(dagster.get("group") or relation_of(node)[0])


def kinds_of(node: Mapping[str, Any], warehouse: str) -> set[str]:
    """The icons: dbt, the warehouse, and table or view."""
    return {"dbt", warehouse, "view" if is_view(node) else "table"}


def owners_of(node: Mapping[str, Any]) -> Sequence[str]:
    """The owners of the asset: meta.dagster.owners."""
    owners: Sequence[str] = meta_of(node).get("dagster", {}).get("owners") or [DEFAULT_OWNER]
    return owners


def freshness_of(node: Mapping[str, Any]) -> dg.FreshnessPolicy:
    """How old the newest materialisation may be: meta.freshness, from dbt_project.yml by folder or from the node's own yml.

    Raises:
        SettingsError: there is none, or it cannot be used.
    """
    policy = meta_of(node).get("freshness") or {}
    try:
        warn, fail = (timedelta(hours=policy[name]) for name in ("warn_hours", "fail_hours"))
        if warn >= fail:
            raise ValueError("nothing would warn")
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(
            f"{node['resource_type']} {node['name']}: meta.freshness is {policy}. Give it or its folder in dbt_project.yml "
            "{warn_hours: 26, fail_hours: 50}, warn_hours the smaller one."
        ) from error
    return dg.FreshnessPolicy.time_window(fail_window=fail, warn_window=warn)


def tags_of(node: Mapping[str, Any]) -> Mapping[str, str]:
    """The dbt tags, and two tags with names: meta.layer (the place in the flow) and meta.grain (the meaning of a row)."""
    meta = meta_of(node)
    return {
        **dict.fromkeys(node.get("tags", []), ""),
        **{name: str(meta[name]) for name in ("layer", "grain") if name in meta},
    }


def describe(node: Mapping[str, Any]) -> str:
    """The yml's description. dagster-dbt would add the SQL, but the UI already shows it from metadata."""
    return str(node.get("description") or "").strip()


def spec_of_source(
    node: Mapping[str, Any],
    warehouse: str,
    partitions: dg.PartitionsDefinition[str],
    deps: Sequence[dg.AssetKey] = (),
    python_files: Sequence[Path] = (),
) -> dg.AssetSpec:
    """The asset of a dbt source that Python writes. python_files are the files that the UI links to."""
    return dg.AssetSpec(
        key=key_of_source(node),
        deps=deps,
        description=describe(node),
        group_name=node["source_name"],
        owners=owners_of(node),
        kinds={"python", warehouse, "table"},
        tags=tags_of(node),
        freshness_policy=freshness_of(node),
        metadata=definition_metadata(node, python_files),
        partitions_def=partitions,
        skippable=True,
    )


def key_of_source(node: Mapping[str, Any]) -> dg.AssetKey:
    """The asset key of a dbt source: schema.table."""
    return dg.AssetKey(relation_of(node))


def keys_by_day(manifest: Mapping[str, Any]) -> list[dg.AssetKey]:
    """The models whose days a run replaces. If a day has run, all of them have run."""
    return [
        dg.AssetKey(relation_of(node))
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "date_overwrite"
    ]


def by_asset_key(
    things: Mapping[str, T], manifest: Mapping[str, Any], translator: DagsterDbtTranslator
) -> dict[dg.AssetKey, T]:
    """Turn a mapping by unique id into one by asset key."""
    return {translator.get_asset_spec(manifest, unique_id, None).key: thing for unique_id, thing in things.items()}


class Translator(DagsterDbtTranslator):
    """The project's translator. Asset keys are schema.table, as in queries."""

    def __init__(self, partitions: dg.PartitionsDefinition[str], warehouse: str) -> None:
        """Every asset gets the partitions. warehouse is the icon's name."""
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_source_tests_as_checks=True))
        self._partitions = partitions
        self._warehouse = warehouse

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """schema.table, also for models with an alias, which have one because their name occurs in two schemas."""
        return dg.AssetKey(relation_of(dbt_resource_props))

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DagsterDbtProject | None
    ) -> dg.AssetSpec:
        """One node as an asset."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = self.get_resource_props(manifest, unique_id)
        if node["resource_type"] == "source":
            # A source is named here only as a dependency; spec_of_source makes the asset.
            return spec
        return spec.merge_attributes(metadata=definition_metadata(node)).replace_attributes(
            kinds=kinds_of(node, self._warehouse),
            freshness_policy=freshness_of(node),
            partitions_def=self._partitions,
        )

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DagsterDbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """One test as a check of the asset, if it is one. dagster-dbt would take its description only from its meta."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        description = description_of_check(self.get_resource_props(manifest, unique_id), manifest["macros"])
        return spec and spec._replace(description=description)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """See group_of."""
        return group_of(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:
        """See owners_of."""
        return owners_of(dbt_resource_props)

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """See tags_of."""
        return tags_of(dbt_resource_props)

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """See describe."""
        return describe(dbt_resource_props)
