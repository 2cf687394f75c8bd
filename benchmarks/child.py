"""A command in a process of its own: how long it took, how much memory it and its children held at most, how much it read."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLED_EVERY_SECONDS = 0.05


class ChildFailed(RuntimeError):
    """The command ended with another code than 0."""


@dataclass(frozen=True)
class Usage:
    """What a process used.

    Attributes:
        seconds: from its start to its end.
        cpu_seconds: of it and of its children.
        peak_bytes: resident at most, it and its children together.
        read_bytes: asked of files, from the page cache or not.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    read_bytes: int


def run_child(command: Sequence[str], log: Path, variables: Mapping[str, str] | None = None) -> Usage:
    """Run the command with further environment variables; what it prints goes to the log.

    Raises:
        ChildFailed: with the end of the log.
    """
    environment = {**os.environ, **(variables or {})}
    # Every process would compile every module again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        began = time.perf_counter()
        own_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        sampled = _watch(process.pid)
        seconds = time.perf_counter() - began
    # It has ended and is not yet waited for: the kernel still tells what it read.
    read_bytes = _read_bytes(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        raise ChildFailed(f"{' '.join(command)} ended with {process.returncode}. Its log {log} ends with:\n{tail}")
    # Sampling may miss a short peak of the process itself, the kernel does not; but that leaves children out, and begins with what
    # this process held when it started the other.
    told = usage.ru_maxrss * 1024 if usage.ru_maxrss > own_peak else 0
    return Usage(seconds, usage.ru_utime + usage.ru_stime, max(sampled, told), read_bytes)


def _watch(pid: int) -> int:
    """Wait until the process has ended, without taking its status; return the most bytes seen resident."""
    peak = 0
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        peak = max(peak, _resident(pid))
        time.sleep(SAMPLED_EVERY_SECONDS)
    return peak


def _resident(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(member.memory_info().rss for member in family)
    except psutil.NoSuchProcess:
        return 0


def _read_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:  # not on Linux
        return 0
    return int(dict(line.split(": ") for line in lines)["rchar"])
