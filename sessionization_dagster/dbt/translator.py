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
from sessionization_dagster.dbt.manifest import DataTest, Manifest, Table
from sessionization_dagster.errors import SettingsError

T = TypeVar("T")

DEFAULT_OWNER = "team:product-analytics"


def key_of(table: Table) -> dg.AssetKey:
    """The asset key: schema.table, as in queries."""
    return dg.AssetKey(table.relation)


def owners_of(table: Table) -> Sequence[str]:
    """The owners of the asset: meta.dagster.owners."""
    return table.owners or [DEFAULT_OWNER]


def freshness_of(table: Table) -> dg.FreshnessPolicy:
    """How old the newest materialisation may be: meta.freshness, from dbt_project.yml by folder or from the node's own yml.

    Raises:
        SettingsError: it is missing, or it cannot be used.
    """
    policy = table.freshness or {}
    try:
        warn, fail = (timedelta(hours=policy[name]) for name in ("warn_hours", "fail_hours"))
        if warn >= fail:
            raise ValueError("nothing would warn")
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(
            f"{table.resource_type} {table.name}: meta.freshness is {policy}. Give it or its folder in dbt_project.yml "
            "{warn_hours: 26, fail_hours: 50}, warn_hours the smaller one."
        ) from error
    return dg.FreshnessPolicy.time_window(fail_window=fail, warn_window=warn)


def tags_of(table: Table) -> Mapping[str, str]:
    """The dbt tags, and two tags with names: the layer and the grain."""
    named = {"layer": table.layer, "grain": table.grain}
    return {**dict.fromkeys(table.tags, ""), **{name: value for name, value in named.items() if value is not None}}


def spec_of_source(
    source: Table,
    warehouse: str,
    partitions: dg.PartitionsDefinition[str],
    deps: Sequence[dg.AssetKey] = (),
    python_files: Sequence[Path] = (),
) -> dg.AssetSpec:
    """The asset of a dbt source that Python writes. python_files are the files that the UI links to."""
    return dg.AssetSpec(
        key=key_of(source),
        deps=deps,
        description=source.description,
        group_name=source.relation[0],
        owners=owners_of(source),
        kinds={"python", warehouse, "table"},
        tags=tags_of(source),
        freshness_policy=freshness_of(source),
        metadata=definition_metadata(source, python_files),
        partitions_def=partitions,
        skippable=True,
    )


def sources_by_key(manifest: Manifest) -> dict[dg.AssetKey, Table]:
    """The dbt sources by asset key."""
    return {key_of(source): source for source in manifest.sources}


def keys_by_day(manifest: Manifest) -> list[dg.AssetKey]:
    """The models whose days a run replaces. If a day has run, all of them have run."""
    return [key_of(model) for model in manifest.models if model.materialized == "date_overwrite"]


def by_asset_key(things: Mapping[str, T], manifest: Manifest) -> dict[dg.AssetKey, T]:
    """Turn a mapping by unique id into one by asset key."""
    return {key_of(manifest.tables[unique_id]): thing for unique_id, thing in things.items()}


class Translator(DagsterDbtTranslator):
    """The project's translator. dagster-dbt passes it dbt's JSON."""

    def __init__(self, partitions: dg.PartitionsDefinition[str], warehouse: str) -> None:
        """Every asset gets the partitions. warehouse is the icon's name."""
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_source_tests_as_checks=True))
        self._partitions = partitions
        self._warehouse = warehouse

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """schema.table, also for models with an alias, which have one because their name occurs in two schemas."""
        return key_of(Table.of(dbt_resource_props))

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DagsterDbtProject | None
    ) -> dg.AssetSpec:
        """One node as an asset."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        table = Table.of(self.get_resource_props(manifest, unique_id))
        if table.resource_type == "source":
            # A source is named here only as a dependency; spec_of_source makes the asset.
            return spec
        return spec.merge_attributes(metadata=definition_metadata(table)).replace_attributes(
            kinds={"dbt", self._warehouse, "view" if table.is_view else "table"},
            freshness_policy=freshness_of(table),
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
        test = DataTest.of(self.get_resource_props(manifest, unique_id), manifest)
        return spec and spec._replace(description=description_of_check(test))

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """See Table.group."""
        return Table.of(dbt_resource_props).group

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:
        """See owners_of."""
        return owners_of(Table.of(dbt_resource_props))

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """See tags_of."""
        return tags_of(Table.of(dbt_resource_props))

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The yml's description. dagster-dbt would add the SQL, but the UI already shows it from metadata."""
        return Table.of(dbt_resource_props).description
