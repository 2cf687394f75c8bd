"""The package is laid out as docs/architecture.md says: one list of folders, of which each imports only those below it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "sessionization_dagster"


def listed() -> list[str]:
    """The folders and files of the package, as the page lists them: folders of the package itself, from the top down."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    section = page.partition("## The Python package")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    return [name.rstrip("/").removesuffix(".py") for name in names if "/" not in name.rstrip("/")]


def imports(path: Path) -> Iterator[str]:
    """The folders and files of the package that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            package, *names = node.module.split(".")
            if package == PACKAGE.name:
                yield from names[:1] or [alias.name for alias in node.names]


def test_every_folder_is_listed() -> None:
    code = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")}
    assert set(listed()) == code - {"__init__"}


def test_imports_point_down_the_list() -> None:
    rank = {name: place for place, name in enumerate(listed())}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in PACKAGE.rglob("*.py")
        for name in imports(path)
        if rank[name] < rank.get(path.relative_to(PACKAGE).parts[0].removesuffix(".py"), -1)
    ]
    assert not wrong


def test_no_two_modules_have_the_same_name() -> None:
    modules = [path for path in PACKAGE.rglob("*.py") if not path.stem.startswith("__")]
    counts = Counter(path.stem for path in modules)
    assert not {name for name, count in counts.items() if count > 1}
    folders = {path.parent.name for path in PACKAGE.rglob("__init__.py")}
    assert not [path for path in modules if path.stem in folders and path.parent != PACKAGE / "defs" / "assets"]


def test_every_file_of_the_page_is_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text().partition("## Where a rule is")[2].partition("\n## ")[0]
    rows = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    named = re.findall(r"`([a-z_/]+(?:\.py|\.sql|/))`", rows)
    assert len(named) > 20
    places = [PACKAGE, ROOT / "dbt_project"]
    assert not [name for name in named if not any((place / name).exists() for place in places)]
