"""The JavaScript that draws charts, as a page contains it. It is bundled once per version of the library, then read from a file.

Bundling takes 3 s, a tenth of a day's run, and depends only on the library's version.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import vl_convert
from platformdirs import user_cache_path

from sessionization_dagster.disk import write_whole

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
    # If the file cannot be written, the next run bundles again.
    with suppress(OSError):
        write_whole(path, json.dumps(asdict(library)).encode())
    return library


def digest_of(text: str) -> str:
    """SHA-256 in base64, as in a content security policy."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _bundle() -> ChartLibrary:
    # The digest is that of the browser's text, which has no carriage returns.
    text = vl_convert.javascript_bundle(SOURCE).replace("\r\n", "\n").replace("\r", "\n")
    return ChartLibrary(base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode(), digest_of(text))
