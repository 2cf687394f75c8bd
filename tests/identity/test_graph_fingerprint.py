"""The fingerprint of the identity graph: it changes with the settings, and with the code of every rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sessionization_dagster.identity.policies import IdentitySettings, Policy
from sessionization_dagster.identity.store import update

LATEST = IdentitySettings(Policy.LATEST_USER, 5)


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    update._rules.cache_clear()
    yield
    update._rules.cache_clear()


@pytest.mark.parametrize("settings", [(Policy.FIRST_USER, 5), (Policy.LATEST_USER, 6)])
def test_settings_count(settings: tuple[Policy, int]) -> None:
    assert update.fingerprint(IdentitySettings(*settings)) != update.fingerprint(LATEST)


@pytest.mark.parametrize(
    ("file", "added", "counts"),
    [
        ("policies.py", "ADDED = 1", True),
        ("graph.py", "ADDED = 1", True),
        # The same rules as SQL, and which two ids a call joins.
        ("in_sql.py", "ADDED = 1", True),
        ("layouts.py", "ADDED = 1", True),
        ("policies.py", "# A comment.", False),
        # How the tables are written is no rule.
        ("update.py", "ADDED = 1", False),
    ],
)
def test_the_code_of_rules_counts(file: str, added: str, counts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    before = update.fingerprint(LATEST)
    update._rules.cache_clear()
    read = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda path: read(path) + (f"\n{added}\n" if path.name == file else ""))
    assert (update.fingerprint(LATEST) != before) is counts
