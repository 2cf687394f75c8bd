"""Ids that identify nobody: the var blocked_ids, compared without the blanks around an id and without regard to case."""

from __future__ import annotations

from collections.abc import Iterable


def placeholders(blocked_ids: Iterable[str]) -> frozenset[str]:
    """The blocked texts in lower case and without blanks around them, the empty text included."""
    return frozenset({"", *(blocked.strip().lower() for blocked in blocked_ids)})


def names_nobody(identifier: str, blocked_ids: Iterable[str]) -> bool:
    """Whether the id is one of them."""
    return identifier.strip().lower() in placeholders(blocked_ids)
