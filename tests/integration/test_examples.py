"""Each folder of examples/, run in a copy by the commands of its README: its queries give the tables that the README shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.integration.services import PATIENCE_SECONDS

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
COMMANDS = re.compile(r"```sh\n(.*?)```", re.DOTALL)
#: A query, and the table below it.
SHOWN = re.compile(r"```sql\n(.*?)```\n\n((?:\|[^\n]*\n)+)", re.DOTALL)


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_its_commands_give_what_its_readme_shows(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("data"))
    readme = (folder / "README.md").read_text()
    commands = COMMANDS.search(readme)
    assert commands is not None
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("SESSIONIZATION", "DAGSTER"))
    }
    done = subprocess.run(
        ["bash", "-euc", commands[1]],
        env={**inherited, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    shown = SHOWN.findall(readme)
    assert shown
    with duckdb.connect(str(folder / "data" / "sessionization.duckdb"), read_only=True) as warehouse:
        for query, table in shown:
            found = warehouse.sql(query)
            header, _, *rows = ([cell.strip() for cell in line.strip(" |\n").split("|")] for line in table.splitlines())
            assert header == found.columns
            assert rows == [[str(value) for value in row] for row in found.fetchall()]
