"""Reads statements, one JSON object a line, and answers each with one: {"error": null or what is wrong}."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from .catalog import Catalog
from .script import Script
from .service import Service


def main(cache: Path) -> None:
    """Serve until the input ends."""
    # The analyzer may write to standard output; the answers have a channel of their own.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    service = Service(cache)
    catalog = Catalog(service)
    for line in sys.stdin:
        error = Script(service, catalog, json.loads(line)["sql"]).refusal()
        print(json.dumps({"error": error}), file=answers, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
