"""How the process of the command `sessionization` ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import atexit
import sys


class Freed:
    def __del__(self):
        print("freed by Python")


kept = Freed()
atexit.register(print, "what a library does last")
from sessionization_dagster.cli.__main__ import run_and_exit

sys.argv = ["sessionization", "report"]
run_and_exit()
"""


def test_the_process_ends_with_the_commands_code_after_its_exit_handlers_and_frees_no_objects(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True, text=True, timeout=120, cwd=tmp_path, env={"SESSIONIZATION_REPORT": str(tmp_path / "nothing")},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == "what a library does last\n"
    assert done.stderr.startswith("There is no report yet")


def test_a_closed_output_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "latest.html").touch()
    done = subprocess.run(
        f"exec '{sys.executable}' -m sessionization_dagster.cli report >&-", shell=True,
        capture_output=True, text=True, timeout=120, env={"SESSIONIZATION_REPORT": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
