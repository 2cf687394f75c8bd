"""`make test-mutations`: which suite notices which fault. Hours; ends with a table, and goes on where it was stopped.

Each mutation is made in a copy of what git has staged. The quick suite runs there; where it notices nothing, the usual one does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.mutations.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[2]
SUITE_SECONDS = 7200
#: What pytest's exit codes mean here; any other is an error of the run, not a finding. With several processes, -x ends as interrupted.
PASSED, FAILED, INTERRUPTED = 0, 1, 2


def main() -> int:
    """Run what the command line asks for; returns the exit code: 1 where nobody notices some mutation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--results", type=Path, default=ROOT / ".pytest_cache" / "mutations.json", help="what was found so far"
    )
    parser.add_argument("--workers", default="2", help="processes of a suite")
    parser.add_argument("--only-quick", action="store_true", help="leave out the usual suite")
    parser.add_argument("names", nargs="*", help="mutations; all by default")
    arguments = parser.parse_args()
    results: dict[str, dict[str, Any]] = json.loads(arguments.results.read_text()) if arguments.results.exists() else {}
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    suites = ("quick",) if arguments.only_quick else ("quick", "usual")
    for mutation in MUTATIONS:
        if not arguments.names or mutation.name in arguments.names:
            found = results.setdefault(mutation.name, {})
            examine(mutation, suites, found, arguments.workers)
            arguments.results.write_text(json.dumps(results, indent=1))
            print(row(mutation, found), flush=True)
    print(table(results))
    return int(any(noticed_by(found) == "nobody" for found in results.values()))


def examine(mutation: Mutation, suites: tuple[str, ...], found: dict[str, Any], workers: str) -> None:
    """Fill in what each suite says of the mutation, up to the first that notices it; what is known already stays."""
    for suite in suites:
        if suite not in found:
            found[suite] = noticed(mutation, suite, workers)
        if found[suite]["failed"]:
            return


def noticed(mutation: Mutation, suite: str, workers: str) -> dict[str, Any]:
    """The first test of a suite that fails on the mutation, and after how many seconds.

    Raises:
        RuntimeError: the suite did not run.
    """
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder)
        subprocess.run(["git", "checkout-index", "--all", f"--prefix={copy}/"], cwd=ROOT, check=True, timeout=300)
        mutation.apply(copy)
        began = time.monotonic()
        # The file of mutations would notice each by the text that is gone.
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "--numprocesses", workers, "--suite", suite,
             "--ignore", "tests/mutations"],
            cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True, text=True, timeout=SUITE_SECONDS,
        )  # fmt: skip
    failed = [
        line.split(" - ")[0].removeprefix("FAILED ") for line in done.stdout.splitlines() if line.startswith("FAILED")
    ]
    if done.returncode not in (PASSED, FAILED, INTERRUPTED) or bool(failed) is (done.returncode == PASSED):
        raise RuntimeError(
            f"{mutation.name}: pytest ended with {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-2000:]}"
        )
    return {"failed": failed[:1], "seconds": round(time.monotonic() - began)}


def noticed_by(found: dict[str, Any]) -> str:
    """The suite that noticed a mutation."""
    by = next((suite for suite in ("quick", "usual") if found.get(suite, {}).get("failed")), None)
    return by or ("nobody" if "usual" in found else "not the quick suite")


def row(mutation: Mutation, found: dict[str, Any]) -> str:
    """A line of the table."""
    by = noticed_by(found)
    test = found[by]["failed"][0] if by in found else ""
    seconds = sum(result["seconds"] for result in found.values())
    return f"| {mutation.name} | {by} | {seconds} | {test.rsplit('::', 1)[-1]} |"


def table(results: dict[str, dict[str, Any]]) -> str:
    """All results as a Markdown table, and how many each suite noticed."""
    lines = [row(mutation, results[mutation.name]) for mutation in MUTATIONS if mutation.name in results]
    counts = {by: sum(noticed_by(found) == by for found in results.values()) for by in ("quick", "usual", "nobody")}
    head = ["| rule | noticed by | seconds | first test that failed |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *lines, ", ".join(f"{by}: {count}" for by, count in counts.items())])


if __name__ == "__main__":
    sys.exit(main())
