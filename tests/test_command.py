"""How the process of the command `sessionization` ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import atexit
import sys

atexit.register(print, "what a library does last")
from sessionization_dagster.cli.__main__ import command

sys.argv = ["sessionization", "report"]
command()
print("not reached")
"""


def test_the_process_ends_with_the_code_of_the_command_after_what_libraries_do_last(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True, text=True, timeout=120, cwd=tmp_path, env={"SESSIONIZATION_REPORT": str(tmp_path / "nothing")},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == "what a library does last\n"
    assert done.stderr.startswith("There is no report yet")
