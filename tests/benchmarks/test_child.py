"""Measuring a process: memory and reading of what it did, and its words where it failed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.child import ChildFailed, run_child


def test_memory_reading_and_children_are_seen(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(bytes(30_000_000))
    code = f"open({str(tmp_path / 'data')!r}, 'rb').read(); held = bytearray(b'x' * 200_000_000); import time; time.sleep(0.5)"
    usage = run_child([sys.executable, "-c", code], tmp_path / "log")
    assert usage.peak_bytes > 200_000_000
    assert 30_000_000 <= usage.read_bytes < 100_000_000
    assert usage.cpu_seconds > 0
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    assert run_child([sys.executable, "-c", parent], tmp_path / "log").peak_bytes > 200_000_000


def test_what_this_process_held_is_not_the_commands(tmp_path: Path) -> None:
    bytearray(b"x" * 400_000_000)
    assert run_child([sys.executable, "-c", "import time; time.sleep(0.5)"], tmp_path / "log").peak_bytes < 100_000_000


def test_a_failed_command_says_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match="no such luck"):
        run_child([sys.executable, "-c", "raise SystemExit('no such luck')"], tmp_path / "log")
