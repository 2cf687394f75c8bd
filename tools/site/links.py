"""Hooks of MkDocs: the README and the changelog as pages of the site, and links that lead out of docs/ as plain text.

In the repository the same links lead to files. The site has only the pages.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
#: Page of the site -> file of the repository, for pages that lie outside of docs/.
PAGES = {"index.md": "README.md", "changelog.md": "CHANGELOG.md"}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside of docs/."""
    for page, path in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / path).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point the page's links at pages of the site, and make text of those that lead elsewhere in the repository."""
    written_in = posixpath.dirname(PAGES.get(page.file.src_uri, f"docs/{page.file.src_uri}"))

    def pointed(link: re.Match[str]) -> str:
        mark, text, target, anchor = link.group(1), link.group(2), link.group(3), link.group(4) or ""
        if "://" in target:
            return link.group(0)
        path = posixpath.normpath(posixpath.join(written_in, target))
        uri = next((uri for uri, file in PAGES.items() if file == path), path.removeprefix("docs/"))
        found = files.get_file_from_path(uri)
        if found is None or found.inclusion.is_excluded():
            return f"{text} (`{path}`)"
        return f"{mark}[{text}]({posixpath.relpath(uri, posixpath.dirname(page.file.src_uri))}{anchor})"

    return LINK.sub(pointed, markdown)
