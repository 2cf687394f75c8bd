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
        for definition in [*map(_create_table, tables, tables.values()), *functions]:
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


def _create_table(name: str, columns: Mapping[str, str]) -> str:
    # An INFORMATION_SCHEMA view is a table like others, to the analyzer.
    fields = ",\n".join(f"    `{column}` {_spelled(kind)}" for column, kind in columns.items())
    return f"create table `{name}` (\n{fields}\n)"


def _spelled(kind: str) -> str:
    """Type names of BigQuery's API that its SQL does not know."""
    legacy = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
    return re.sub(r"\b(INTEGER|FLOAT|BOOLEAN|RECORD)\b(?!`)", lambda found: legacy[found[0].upper()], kind)
