"""Ids that identify nobody, for the code that asks outside of SQL."""

from __future__ import annotations

import pytest

from sessionization_dagster.identity.placeholders import names_nobody


@pytest.mark.parametrize("identifier", ["", "  ", "NULL", " null", "[Object object]", "\\n"])
def test_blocked_ids_are_compared_without_blanks_and_case(identifier: str) -> None:
    assert names_nobody(identifier, ["null ", "[object Object]", "\\N"])


def test_other_ids_name_somebody() -> None:
    assert not names_nobody("nullable", ["null"])
