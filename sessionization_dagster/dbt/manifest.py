"""dbt's manifest, read here and nowhere else: its tables and tests, with the fields that the project uses. No Dagster, no warehouse."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

Json = Mapping[str, Any]
TABLES = ("model", "seed", "source")
# The macro note_staging_keys writes keys with this beginning into a model's meta.
STAGED = "staged "


@dataclass(frozen=True)
class Column:
    """A column of a table's yml. data_type and description are None if the yml lacks them."""

    name: str
    data_type: str | None
    description: str | None
    meta: Mapping[str, Any]


@dataclass(frozen=True)
class Staged:
    """The keys of one call of stage_events, and the canonical columns that they may name."""

    canonical: Sequence[str]
    columns: Mapping[str, str | Sequence[str]]
    expressions: Collection[str]
    kept: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A model, a seed or a source.

    Attributes:
        unique_id: dbt's id of it.
        resource_type: one of TABLES.
        name: the name that ref() and source() take.
        relation: (schema, table) as the project names it. This is its asset key, and its name on DuckDB.
        place: (schema or dataset, table) as the warehouse and the compiled SQL name it.
        description, sql: the SQL is a model's, as it is written. Empty if there is none.
        tags: dbt's tags.
        depends_on: unique ids of what its SQL reads.
        files: its own file (the .sql of a model, the .csv of a seed) and its .yml, below the project's folder.
        columns: the columns of the yml, by name.
        described_columns: column -> description, for these and, in a raw table, for those that landing adds (meta.own_columns).
        materialized, stored_by, key, unique_by: config of a model.
        is_storable: whether the var stored_views may name it.
        entity_kind: what its entities are.
        date, entity, session, visitor: SQL over its columns that gives a row's date, its entity and so on.
        layer, grain: the place in the flow, and the meaning of a row.
        freshness, landing: meta as it is written. freshness_of and raw_tables check it.
        staged: what a staging model passes to stage_events.
        group: the asset group: meta.dagster.group, else the schema.
        owners: meta.dagster.owners.
        is_log: whether it records what runs did (meta.dagster.log). No later run needs its rows.
        written_by: the Python op that writes a source (meta.dagster.written_by).
        limits: warn_after and error_after of a source's freshness, those that are set.
    """

    unique_id: str
    resource_type: str
    name: str
    relation: tuple[str, str]
    place: tuple[str, str]
    description: str
    sql: str
    tags: Sequence[str]
    depends_on: Sequence[str]
    files: Sequence[str]
    columns: Mapping[str, Column]
    described_columns: Mapping[str, str | None]
    materialized: str | None
    stored_by: str | None
    key: str | None
    unique_by: Sequence[str] | None
    is_storable: bool
    entity_kind: str | None
    date: str | None
    entity: str | None
    session: str | None
    visitor: str | None
    layer: str | None
    grain: str | None
    freshness: Any
    landing: Any
    staged: Sequence[Staged]
    group: str
    owners: Sequence[str]
    is_log: bool
    written_by: str | None
    limits: Mapping[str, timedelta]

    @classmethod
    def of(cls, json: Json) -> Table:
        """Read a node or a source."""
        config, meta = json["config"], _meta(json)
        dagster = meta.get("dagster", {})
        is_source = json["resource_type"] == "source"
        relation = (json["source_name"], json["name"]) if is_source else (config["schema"], json["alias"])
        columns = {
            column["name"]: Column(column["name"], column["data_type"], column["description"] or None, _meta(column))
            for column in json["columns"].values()
        }
        described = {name: column.description for name, column in columns.items()}
        files = (json["original_file_path"], (json["patch_path"] or "").rpartition("://")[2])
        return cls(
            **{name: json[name] for name in ("unique_id", "resource_type", "name", "tags")},
            **{name: config.get(name) for name in ("materialized", "stored_by", "key", "unique_by")},
            **{name: meta.get(name) for name in ("session", "visitor", "layer", "grain", "freshness", "landing")},
            # dbt allows a source no config of a project's own.
            **{name: config.get(name) or meta.get(name) for name in ("date", "entity", "entity_kind")},
            relation=relation,
            place=(json["schema"], json["identifier" if is_source else "alias"]),
            description=json["description"].strip(),
            sql=json.get("raw_code", "").strip(),
            depends_on=json.get("depends_on", {}).get("nodes", []),
            # A source's own file is its yml. A manifest names a patch's file as <package>://<path>.
            files=[path for path in dict.fromkeys(files) if path],
            columns=columns,
            described_columns={**described, **meta.get("own_columns", {})},
            is_storable=bool(config.get("storable")),
            staged=[Staged(**keys) for name, keys in meta.items() if name.startswith(STAGED)],
            group=str(dagster.get("group") or relation[0]),
            owners=dagster.get("owners") or [],
            is_log=bool(dagster.get("log")),
            written_by=dagster.get("written_by"),
            limits=_limits(json.get("freshness") or {}),
        )

    @property
    def full_name(self) -> str:
        """schema.table, as the project names it."""
        return ".".join(self.relation)

    @property
    def is_view(self) -> bool:
        """Whether it is a view, so that reading it means reading other tables."""
        return self.materialized == "view"


@dataclass(frozen=True)
class DataTest:
    """A test of tables' rows.

    Attributes:
        description: its own, or empty.
        generic: the name of its generic test; None for a singular test.
        arguments: those of its generic test.
        tables: unique ids of the tables that it reads.
        macro, macro_description: unique id and description of the first macro that it calls, which is its generic test.
    """

    description: str
    generic: str | None
    arguments: Mapping[str, Any]
    tables: Sequence[str]
    macro: str
    macro_description: str

    @classmethod
    def of(cls, json: Json, manifest: Json) -> DataTest:
        """Read a node of the manifest."""
        generic = json.get("test_metadata") or {}
        macro = next(iter(json["depends_on"]["macros"]), "")
        return cls(
            description=json["description"].strip(),
            generic=generic.get("name"),
            arguments=generic.get("kwargs", {}),
            tables=json["depends_on"]["nodes"],
            macro=macro,
            macro_description=manifest["macros"].get(macro, {}).get("description", "").strip(),
        )


@dataclass(frozen=True)
class Manifest:
    """A parsed project.

    Attributes:
        tables: models, seeds and sources by unique id.
        tests: the tests of these.
        schemas: the schemas of all nodes and sources, of tests and analyses too.
        adapter: dbt's name of the warehouse.
        json: all of it as dbt wrote it. Only dagster-dbt reads this.
    """

    tables: Mapping[str, Table]
    tests: Sequence[DataTest]
    schemas: frozenset[str]
    adapter: str
    json: Json = field(repr=False)

    @classmethod
    def of(cls, json: Json) -> Manifest:
        """Read the content of manifest.json."""
        nodes = [*json["nodes"].values(), *json["sources"].values()]
        return cls(
            tables={node["unique_id"]: Table.of(node) for node in nodes if node["resource_type"] in TABLES},
            tests=[DataTest.of(node, json) for node in nodes if node["resource_type"] == "test"],
            schemas=frozenset(node["schema"] for node in nodes),
            adapter=json["metadata"]["adapter_type"],
            json=json,
        )

    @cached_property
    def models(self) -> Sequence[Table]:
        """The models."""
        return [table for table in self.tables.values() if table.resource_type == "model"]

    @cached_property
    def sources(self) -> Sequence[Table]:
        """The sources."""
        return [table for table in self.tables.values() if table.resource_type == "source"]

    @property
    def logs(self) -> Sequence[Table]:
        """The logs, see Table.is_log."""
        return [table for table in self.tables.values() if table.is_log]

    @property
    def staging_views(self) -> Sequence[str]:
        """schema.table of the views that core.events is made from, as the warehouse names them."""
        (events,) = (model for model in self.models if model.relation == ("core", "events"))
        return [".".join(self.tables[parent].place) for parent in events.depends_on]

    @cached_property
    def table_names(self) -> Collection[str]:
        """schema.table of all tables that a run makes or reads."""
        return {table.full_name for table in self.tables.values()}

    def written_by(self, op: str) -> Sequence[Table]:
        """The sources that a Python op writes."""
        return [source for source in self.sources if source.written_by == op]


def _meta(json: Json) -> Any:
    """The meta of a node or column, wherever its yml has it."""
    return json["config"].get("meta") or json.get("meta") or {}


def _limits(freshness: Json) -> dict[str, timedelta]:
    found = {name: freshness.get(name) or {} for name in ("warn_after", "error_after")}
    return {
        name: timedelta(**{f"{limit['period']}s": limit["count"]})
        for name, limit in found.items()
        if limit.get("count")
    }
