"""dbt's macros as a linter would see them: no macro is unused, and no line is too long."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / "dbt_project"
#: sqlfluff passes macros over. It allows models 140; a macro has its Jinja besides.
LINE = 160
#: What dbt calls by itself.
OF_DBT = {"generate_schema_name", "get_where_subquery", "handle_existing_table"}
MACRO = re.compile(r"\{%-?\s*macro\s+(?:(?:default|duckdb|bigquery)__)?(\w+)")


def texts() -> dict[Path, str]:
    """Every file of the project that may define or use a macro."""
    folders = ("macros", "models", "tests", "analyses")
    files = [path for folder in folders for path in (PROJECT / folder).rglob("*") if path.suffix in (".sql", ".yml")]
    return {path: path.read_text() for path in (*files, PROJECT / "dbt_project.yml")}


def test_every_macro_is_used() -> None:
    found = texts()
    defined = {name for text in found.values() for name in MACRO.findall(text)} - OF_DBT
    assert len(defined) > 200
    used = re.findall(r"\w+", "\n".join(MACRO.sub("", text) for text in found.values()))
    assert not defined - set(used)


def test_no_line_is_too_long() -> None:
    macros = {path: text for path, text in texts().items() if "macros" in path.parts}
    assert not [
        f"{path.relative_to(PROJECT)}:{number}"
        for path, text in macros.items()
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > LINE
    ]
