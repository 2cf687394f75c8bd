"""Runs dbt inside this process: the only place that starts dbt, reads its events and turns failures into errors.

A dbt process takes seconds to start and longer to parse. In this process, with the parsed manifest in memory, a command starts at once.
dbt is imported where it is used, because it is slow to import and only runs need it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sessionization_dagster.dbt import fingerprints
from sessionization_dagster.dbt.fingerprints import FINGERPRINT, MADE_OF, Fingerprint
from sessionization_dagster.dbt.garbage import collected_rarely
from sessionization_dagster.disk import write_whole
from sessionization_dagster.errors import DbtError, says_passing_trouble
from sessionization_dagster.settings.environment import Target
from sessionization_dagster.warehouses import bigquery_errors

Event = dict[str, Any]
# The log events with the results of nodes.
RESULTS = {"LogModelResult", "LogTestResult", "LogSeedResult"}
# The log event of a macro's message: log(..., info=true).
SAID = "JinjaLogInfo"
# Commands that make tables.
MAKING = {"build", "run"}
# Settings of the connection to a warehouse and of its limits.
OF_CONNECTIONS = ("bigquery_endpoint", "bigquery_keyfile", "bigquery_maximum_bytes_billed", "bigquery_timeout_seconds")
#: Settings that only commands need, not parsing: those of connections, the range of partitions, and the var rebuild.
OF_COMMANDS = (*OF_CONNECTIONS, "first_partition", "last_partition", "rebuild")
# Vars of one run.
OF_A_RUN = ("partition_start", "partition_end", "run_id", "models_of_run", "identity_fingerprint", "announces_rebuilds")
# Unit tests check the models' SQL, not the data, so they belong to the test suite and not to every run.
RUN_ENVIRONMENT = {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


@dataclass
class DbtRunner:
    """dbt commands on one project. Not thread-safe: dbt keeps global state.

    Attributes:
        project_dir: the folder of dbt_project.yml and profiles.yml.
        target_path: dbt's folder for what it compiles, and for its last parse.
        target: the profile's output.
        settings: vars of every command.
        parsed_settings: vars for parsing. dbt parses from the start if one of them differs.
    """

    project_dir: Path
    target_path: Path
    target: str
    settings: dict[str, Any]
    parsed_settings: dict[str, Any]
    _manifest: Any = field(default=None, repr=False)
    _fingerprints: dict[str, dict[str, Fingerprint]] = field(default_factory=dict, repr=False)

    def parse(self, *flags: str) -> Any:
        """Parse the project into target_path and return dbt's manifest object. This is fast if the last parse is there.

        Raises:
            DbtError: the project does not parse.
        """
        self._manifest = self._invoke(["parse", *flags], self.parsed_settings, None).result
        return self._manifest

    def invoke(
        self, arguments: Sequence[str], variables: Mapping[str, Any], on_event: Callable[[Event], None] | None = None
    ) -> Any:
        """Run a command such as ["build", "--select", "tag:events"] and return dbt's result.

        on_event is called with the result event of each node (a dict with "info" and "data") as it happens, and with macros' messages.

        Raises:
            DbtError: a node failed, or dbt could not start. Nodes that succeeded have taken effect.
        """
        manifest = self._parsed()
        variables = {**self.settings, **variables}
        if arguments[0] in MAKING:
            for unique_id, fingerprint in self.fingerprints(variables).items():
                config = manifest.nodes[unique_id].config
                config[FINGERPRINT], config[MADE_OF] = fingerprint.digest, list(fingerprint.made_of)
            # Macros read other nodes from this.
            manifest.build_flat_graph()
        return self._invoke([*arguments, "--no-write-json"], variables, on_event, manifest)

    def fingerprints(self, variables: Mapping[str, Any]) -> Mapping[str, Fingerprint]:
        """Unique id -> fingerprint of each stored model under these vars.

        The models are compiled for this once, without reading the warehouse. The result is kept beside the manifest.

        Raises:
            DbtError: a model does not compile.
        """
        connection = {name: variables[name] for name in ("duckdb_path", *OF_CONNECTIONS) if name in variables}
        apart = {*connection, *OF_COMMANDS, *OF_A_RUN}
        lasting = {name: value for name, value in variables.items() if name not in apart}
        key = hashlib.sha256(json.dumps([lasting, _code()], sort_keys=True, default=str).encode()).hexdigest()[:16]
        if key not in self._fingerprints:
            kept = self.target_path / f"fingerprints-{key}.json"
            try:
                self._fingerprints[key] = fingerprints.from_json(kept.read_text())
            except (FileNotFoundError, ValueError):
                self._fingerprints[key] = self._compiled_fingerprints({**lasting, **connection})
                write_whole(kept, json.dumps(self._fingerprints[key]).encode())
        return self._fingerprints[key]

    def _compiled_fingerprints(self, variables: Mapping[str, Any]) -> dict[str, Fingerprint]:
        manifest = self._parsed()
        command = ["compile", "--select", "resource_type:model", "--indirect-selection", "empty", "--no-populate-cache"]
        compiled = self._invoke([*command, "--no-write-json"], {**variables, "text_only": True}, None, manifest)
        nodes = [result.node for result in compiled.result.results if result.node.resource_type == "model"]
        database = Path(variables["duckdb_path"]).stem if self.target == Target.DUCKDB else None
        return fingerprints.fingerprints(nodes, manifest.sources, database)

    def _parsed(self) -> Any:
        """Dbt's manifest object. The manifest on disk is not written again, because other processes may be reading it."""
        return self._manifest or self.parse("--no-write-json")

    def compiled_sql(self, unique_id: str) -> str:
        """The node's SQL as the last command of this runner compiled it. The file on disk may come from another process.

        Raises:
            DbtError: no command of this runner compiled it.
        """
        node = self._manifest.nodes.get(unique_id) if self._manifest else None
        if node is None or not node.compiled_code:
            raise DbtError(f"dbt has not compiled {unique_id}.")
        return str(node.compiled_code)

    def _invoke(
        self,
        arguments: list[str],
        variables: Mapping[str, Any],
        on_event: Callable[[Event], None] | None,
        manifest: Any = None,
    ) -> Any:
        from dbt.cli.main import dbtRunner
        from dbt_common.behavior_flags import BehaviorFlagRendered
        from dbt_common.events.base_types import EventMsg
        from google.protobuf.json_format import MessageToDict

        def forward(message: EventMsg) -> None:
            # Most events are debug messages. To convert them would take longer than some models do.
            if on_event is not None and (message.info.name in RESULTS or message.info.name == SAID):
                on_event(MessageToDict(message, preserving_proto_field_name=True))

        command = [
            "--quiet", "--no-use-colors", "--log-level", "none", "--log-level-file", "none", *arguments,
            "--project-dir", str(self.project_dir), "--profiles-dir", str(self.project_dir),
            "--target-path", str(self.target_path), "--target", self.target,
            "--vars", json.dumps(dict(variables)),
        ]  # fmt: skip
        # Each command makes an adapter with some thirty flags. For each flag, dbt searches the whole call stack for a module's name: half a
        # second a command. Only a warning about old settings shows that name. This replaces dbt's private method, for the whole process.
        BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt.adapters")
        with _environment(RUN_ENVIRONMENT), collected_rarely():
            try:
                result = dbtRunner(manifest=manifest, callbacks=[forward]).invoke(command)
            finally:
                _close_connections()
        raise_failures(arguments[0], result, self.target)
        return result


def _close_connections() -> None:
    """Close dbt's connections. The DuckDB adapter would keep its file open, and so locked for others, until the process ends."""
    from dbt.adapters.factory import FACTORY

    for adapter in FACTORY.adapters.values():
        close_all = getattr(adapter.connections, "close_all_connections", None)
        if close_all is not None:
            close_all()


def _code() -> str:
    """Everything else that the fingerprints depend on: the version of dbt, and the code that makes them."""
    from dbt.version import __version__

    return str(__version__) + hashlib.sha256(Path(fingerprints.__file__).read_bytes()).hexdigest()


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def raise_failures(command: str, result: Any, target: str) -> None:
    """Raise an error that names what failed, with a remedy if the message is known. A test that found rows is a result; checks report it.

    Raises:
        DbtError: a node failed, or dbt could not start.
    """
    is_bigquery = target == Target.BIGQUERY
    explain = bigquery_errors.with_remedy if is_bigquery else str
    passes = bigquery_errors.passes if is_bigquery else says_passing_trouble
    if result.exception is not None:
        said = str(result.exception)
        raise DbtError(f"dbt {command} could not run: {explain(said)}", is_transient=passes(said)) from result.exception
    failures = [
        f"{node.node.name}: {str(node.message).strip()}"
        for node in getattr(result.result, "results", [])
        if node.status.value in ("error", "runtime error") or (command == "run-operation" and not result.success)
    ]
    if failures:
        raise DbtError(
            f"dbt {command} failed in {len(failures)} node(s):\n" + "\n".join(explain(failure) for failure in failures),
            is_transient=all(passes(failure) for failure in failures),
        )
