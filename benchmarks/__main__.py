"""`make bench`: measure, and write docs/performance.md. `--quick` takes some minutes, `--page` writes the page alone."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.page import write_page
from benchmarks.recorder import Recorder, renew
from benchmarks.scenarios import SCENARIOS, Sizes

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
LATEST = RESULTS / "latest.json"
FULL = Sizes(
    events=10_000_000, days=30, large=50_000_000, day_events=200_000, histories=(30, 90, 365), merge_days=(0, 30, 90, 180, 365),
    merged_devices=1000, edges=10_000_000, repeats=3, seed=1,
)  # fmt: skip
QUICK = Sizes(
    events=200_000, days=10, large=0, day_events=5_000, histories=(6, 12), merge_days=(0, 12),
    merged_devices=20, edges=100_000, repeats=1, seed=1,
)  # fmt: skip


def main() -> int:
    """Do what the command line asks for."""
    arguments = _arguments()
    if not arguments.page:
        results = _measure(arguments)
        if arguments.only and arguments.renew:
            renew(LATEST, results)
        elif arguments.quick or arguments.only:
            print(f"Measured a part, into {results}: the page stays as it is.", file=sys.stderr)
            return 0
        else:
            shutil.copyfile(results, LATEST)
    if not LATEST.exists():
        print(f"Nothing is measured yet: {LATEST} is missing. Run `make bench` without --page first.", file=sys.stderr)
        return 2
    write_page(LATEST, ROOT / "docs")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    whole: Callable[[str], int] = lambda text: int(text.replace("_", ""))  # noqa: E731
    parser.add_argument("--events", type=whole, help=f"events of the full build; else {FULL.events:_}")
    parser.add_argument("--days", type=int, help=f"days that they lie on; else {FULL.days}")
    parser.add_argument(
        "--large", type=whole, help=f"events of the build that need only finish, 0 for none; else {FULL.large:_}"
    )
    parser.add_argument(
        "--day-events", type=whole, help=f"events of each day where days are added; else {FULL.day_events:_}"
    )
    parser.add_argument("--histories", type=int, nargs="+", help="days of history that one more is added to")
    parser.add_argument("--repeats", type=int, help=f"how often each is measured; else {FULL.repeats}")
    parser.add_argument("--seed", type=int, help="of the made events")
    parser.add_argument("--only", choices=SCENARIOS, nargs="+", help="some scenarios alone")
    parser.add_argument(
        "--renew",
        action="store_true",
        help="with --only: put what was measured in the place of what the page has of these scenarios",
    )
    parser.add_argument(
        "--work", type=Path, default=ROOT / "data" / "benchmarks", help="folder for made data: 100 GB free"
    )
    parser.add_argument("--quick", action="store_true", help="everything once on little data, in a few minutes")
    parser.add_argument(
        "--page", action="store_true", help="measure nothing: write the page from what was measured last"
    )
    return parser.parse_args()


def _measure(arguments: argparse.Namespace) -> Path:
    """Measure the scenarios; return the file of results."""
    named = ("events", "days", "large", "day_events", "repeats", "seed")
    given = {name: getattr(arguments, name) for name in named if getattr(arguments, name) is not None}
    if arguments.histories:
        given["histories"] = tuple(sorted(arguments.histories))
    sizes = replace(QUICK if arguments.quick else FULL, **given)
    work = arguments.work.absolute()
    work.mkdir(parents=True, exist_ok=True)
    recorder = Recorder(RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json", work)
    recorder.machine(**asdict(sizes))
    for name in arguments.only or SCENARIOS:
        if name != "large" or sizes.large:
            SCENARIOS[name](sizes, recorder, work)
    return recorder.results


if __name__ == "__main__":
    sys.exit(main())
