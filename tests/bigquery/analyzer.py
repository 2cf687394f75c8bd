"""Asks Google's analyzer whether BigQuery would take a statement: names, types, functions and syntax, without a BigQuery.

A refusal is strong evidence; that it accepts a statement says nothing of limits, costs, rights, options or partitions.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".analyzer"

# The views of a dataset that describe its tables, as far as statements may ask them.
INFORMATION_SCHEMA = {
    "TABLES": {
        "table_catalog": "STRING",
        "table_schema": "STRING",
        "table_name": "STRING",
        "table_type": "STRING",
        "creation_time": "TIMESTAMP",
        "ddl": "STRING",
    },
    "COLUMNS": {
        "table_catalog": "STRING",
        "table_schema": "STRING",
        "table_name": "STRING",
        "column_name": "STRING",
        "ordinal_position": "INT64",
        "is_nullable": "STRING",
        "data_type": "STRING",
        "is_partitioning_column": "STRING",
        "clustering_ordinal_position": "INT64",
    },
    "PARTITIONS": {
        "table_catalog": "STRING",
        "table_schema": "STRING",
        "table_name": "STRING",
        "partition_id": "STRING",
        "total_rows": "INT64",
        "total_logical_bytes": "INT64",
        "last_modified_time": "TIMESTAMP",
    },
}


class Analyzer:
    """The analyzer in a process of its own, with the tables and functions that statements may name.

    `tables` are columns with BigQuery types by `project.dataset.table`; `functions` are whole CREATE FUNCTION statements. What an
    analysed statement creates is known to those after it.
    """

    def __init__(
        self,
        tables: Mapping[str, Mapping[str, str]],
        functions: Iterable[str] = (),
        environment: Path = ENVIRONMENT,
    ) -> None:
        python = environment / "bin" / "python"
        if not python.exists():
            raise FileNotFoundError(f"{python} is missing: make analyzer")
        self._process = subprocess.Popen(
            [str(python), "-m", "tests.bigquery.analyzer_worker", str(environment / "cache")],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        known = {**_information_schemas(tables), **tables}
        for definition in [*map(_create_table, known, known.values()), *functions]:
            if (error := self.analyze(definition)) is not None:
                self.close()
                raise ValueError(f"The analyzer refuses what it should know:\n{definition}\n{error}")

    def __enter__(self) -> Analyzer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def analyze(self, statement: str) -> str | None:
        """What is wrong with a statement or script, with its place, or None."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"sql": statement}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"The analyzer ended (exit code {self._process.wait()}) over:\n{statement}")
        error: str | None = json.loads(answer)["error"]
        return error

    def close(self) -> None:
        """End the analyzer's process."""
        self._process.communicate()


def _information_schemas(tables: Iterable[str]) -> dict[str, Mapping[str, str]]:
    datasets = {name.rpartition(".")[0] for name in tables if name.count(".") == 2}
    return {f"{d}.INFORMATION_SCHEMA.{view}": columns for d in datasets for view, columns in INFORMATION_SCHEMA.items()}


def _create_table(name: str, columns: Mapping[str, str]) -> str:
    fields = ",\n".join(f"    `{column}` {_spelled(kind)}" for column, kind in columns.items())
    return f"create table `{name}` (\n{fields}\n)"


def _spelled(kind: str) -> str:
    """Type names of BigQuery's API that its SQL does not know."""
    legacy = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
    return re.sub(r"(?i)\b(INTEGER|FLOAT|BOOLEAN|RECORD)\b(?!`)", lambda found: legacy[found[0].upper()], kind)
