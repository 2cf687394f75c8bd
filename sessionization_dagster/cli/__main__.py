"""The command `sessionization`: its arguments. Each part is imported when it is used, because Dagster and dbt are slow to import."""

from __future__ import annotations

import argparse
import atexit
import os
import sys
import webbrowser
from collections.abc import Sequence
from datetime import date
from typing import NoReturn

from sessionization_dagster.dbt.garbage import collect_rarely
from sessionization_dagster.errors import DbtError, SettingsError, WarehouseError
from sessionization_dagster.settings.environment import Environment, dagster_home


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line (by default the process's own) and return the exit code."""
    arguments = _parser().parse_args(argv)
    collect_rarely()
    try:
        code: int = arguments.command(arguments)
    except (SettingsError, DbtError, WarehouseError) as error:
        print(error, file=sys.stderr)
        return 2
    return code


def run_and_exit() -> NoReturn:
    """Run the process's command line, and end the process with its exit code.

    Python's own end frees each object by itself, which takes seconds after a run. The system frees the memory at once. The handlers that
    libraries registered with atexit run before.
    """
    code = main()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        # Python has no stream where the process was started with a closed one.
        if stream:
            stream.flush()
    os._exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sessionization", description="Exactly incremental sessions and identities from raw event data."
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    command = commands.add_parser("demo", help="land the sample data and materialise all of its days")
    command.set_defaults(command=_demo)

    command = commands.add_parser("run", help="materialise days")
    command.add_argument("--from", dest="first", required=True, type=_day, help="first day, YYYY-MM-DD")
    command.add_argument("--to", dest="last", type=_day, help="last day; the first one where not given")
    command.add_argument(
        "--select", default="*", help="""assets in Dagster's selection syntax, like '+key:"rudderstack/*"'; else all"""
    )
    command.set_defaults(command=_run)

    command = commands.add_parser("ui", help="open Dagster (webserver and daemon)")
    command.add_argument("--port", default="3000", help="port of the webserver")
    command.set_defaults(command=_ui)

    command = commands.add_parser("report", help="say where the newest report is")
    command.add_argument("--open", action="store_true", help="show it in a browser")
    command.set_defaults(command=_report)

    command = commands.add_parser("status", help="say which days each table has had, and which checks did not pass")
    command.set_defaults(command=_status)
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no day. Write it like 2024-01-31.") from None


def _demo(_: argparse.Namespace) -> int:
    from sessionization_dagster.cli import demo

    return demo.main()


def _ui(arguments: argparse.Namespace) -> int:
    from sessionization_dagster.cli import ui

    return ui.serve(arguments.port)


def _status(_: argparse.Namespace) -> int:
    from sessionization_dagster.cli import status
    from sessionization_dagster.cli.dagster_home import with_demo_settings

    return status.show(Environment.from_env(with_demo_settings(dagster_home())))


def _run(arguments: argparse.Namespace) -> int:
    from sessionization_dagster.cli import run

    last = arguments.last or arguments.first
    return run.materialise(Environment.from_env(), arguments.first, last, arguments.select)


def _report(arguments: argparse.Namespace) -> int:
    from sessionization_dagster.report.destination import report_place
    from sessionization_dagster.report.folder import LATEST

    place = report_place(Environment.from_env())
    if not place.has(LATEST):
        print(f"There is no report yet: {place.address(LATEST)}. Each run writes one.", file=sys.stderr)
        return 1
    print(place.address(LATEST))
    if arguments.open:
        webbrowser.open(place.url(LATEST))
    return 0


if __name__ == "__main__":
    run_and_exit()
