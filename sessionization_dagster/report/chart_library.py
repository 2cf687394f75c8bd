"""The JavaScript that draws charts, as a page contains it. It is bundled once per version of the library, then read from a file.

Bundling takes 3 s, a tenth of a day's run, and depends only on the library's version.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import vl_convert
from platformdirs import user_cache_path

SOURCE = "window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True)
class ChartLibrary:
    """The library for a page.

    Attributes:
        packed: its text, gzipped (a third of its size), in base64.
        digest: the digest of the text in the browser's form, for the page's policy.
    """

    packed: str
    digest: str


def chart_library(folder: Path | None = None) -> ChartLibrary:
    """The library, from the folder (by default the user's cache) if this version was bundled before."""
    folder = folder or user_cache_path("sessionization")
    digest = hashlib.sha256(f"{version('vl-convert-python')}\0{SOURCE}".encode()).hexdigest()[:16]
    path = folder / f"chart-library-{digest}.json"
    try:
        return ChartLibrary(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        # This version was not bundled before, or the file is damaged.
        library = _bundle()
    _keep(path, json.dumps(asdict(library)))
    return library


def digest_of(text: str) -> str:
    """SHA-256 in base64, as in a content security policy."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _bundle() -> ChartLibrary:
    # The digest is that of the browser's text, which has no carriage returns.
    text = vl_convert.javascript_bundle(SOURCE).replace("\r\n", "\n").replace("\r", "\n")
    return ChartLibrary(base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode(), digest_of(text))


def _keep(path: Path, text: str) -> None:
    """Replace the file in one step, because several processes may bundle at once. If it cannot be written, the next run bundles again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
            file.write(text)
        os.replace(file.name, path)
    except OSError:
        return
