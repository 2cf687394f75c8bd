"""docs/one-visitor.md: its steps are run here, and its tables and statements are what comes out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from sessionization_dagster.metadata.markdown import markdown_table
from tests.integration.thin_driver import ThinDriver, parsed_project
from tests.oracle.model import RawRow, Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "one-visitor.md"
MONDAY, TUESDAY, WEDNESDAY = (date(2024, 3, day) for day in (4, 5, 6))
# A query in a comment, with the step after which it is asked; its rows follow as a table.
ROWS = re.compile(r"<!-- after (\d): (.*) -->\n\n((?:\|.*\n)*)")
SQL = re.compile(r"```sql\n(.*?)```", re.S)


def event(name: str, device: str, user: str | None, at: datetime, kind: str = "page") -> RawRow:
    return RawRow("tracks", name, device, user, timestamp=at, event=kind)


TWO_DAYS = [
    event("e1", "phone", None, datetime(2024, 3, 4, 9)),
    event("e2", "phone", None, datetime(2024, 3, 4, 9, 10)),
    event("e3", "laptop", "ann", datetime(2024, 3, 4, 9, 20), "login"),
    event("e4", "laptop", "ann", datetime(2024, 3, 5, 10)),
]
LATE = event("late", "laptop", "ann", datetime(2024, 3, 4, 9, 55))
LOGIN = event("e5", "phone", "ann", datetime(2024, 3, 6, 8), "login")


def steps(folder: Path) -> Iterator[ThinDriver]:
    """The warehouse after each step; after the last a new one, made by one run over all days."""
    project = parsed_project(families=("rudderstack",))
    driver = ThinDriver(folder, Settings(), project, days=(MONDAY, WEDNESDAY))
    driver.land(TWO_DAYS)
    driver.run(MONDAY, MONDAY)
    driver.run(TUESDAY, TUESDAY)
    yield driver
    driver.land([*TWO_DAYS, LATE])
    driver.run(MONDAY, MONDAY)
    yield driver
    driver.land([*TWO_DAYS, LATE, LOGIN])
    driver.run(WEDNESDAY, WEDNESDAY)
    yield driver
    (folder / "rebuilt").mkdir()
    rebuilt = ThinDriver(folder / "rebuilt", Settings(), project, days=(MONDAY, WEDNESDAY))
    rebuilt.land([*TWO_DAYS, LATE, LOGIN])
    rebuilt.run(MONDAY, WEDNESDAY)
    yield rebuilt


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as the page shows them."""
    return markdown_table(list(rows[0]), (row.values() for row in rows)) + "\n"


def noted_statements(patch: pytest.MonkeyPatch) -> list[str]:
    """A list to which every statement is added that dbt sends from now on."""
    from dbt.adapters.duckdb.environments.local import DuckDBCursorWrapper

    sent: list[str] = []
    execute = DuckDBCursorWrapper.execute

    def noted(self: Any, sql: str, bindings: Any = None) -> Any:
        sent.append(sql)
        return execute(self, sql, bindings)

    patch.setattr(DuckDBCursorWrapper, "execute", noted)
    return sent


def plain(sql: str) -> str:
    """A statement without comments, quotes, the database's name and line breaks."""
    return " ".join(re.sub(r"/\*.*?\*/", "", sql, flags=re.S).replace('"sessionization".', "").replace('"', "").split())


def test_the_page_shows_what_its_steps_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = PAGE.read_text()
    assert len(ROWS.findall(page)) > 8
    sent = noted_statements(monkeypatch)
    for number, driver in enumerate(steps(tmp_path), start=1):
        with driver.warehouse.connect() as connection:
            for after, query, shown in ROWS.findall(page):
                if int(after) == number:
                    assert shown == table(connection.query(query).to_pylist()), query
    everything = [plain(statement) for statement in sent]
    for statement in SQL.findall(page):
        assert any(plain(statement) in one for one in everything), statement
