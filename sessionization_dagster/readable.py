"""Values of any type as people read them."""

from __future__ import annotations

from typing import Any

LONGEST = 80


def shown(value: Any) -> str:
    """A value as text, cut where it is long."""
    text = "null" if value is None else value.isoformat(" ") if hasattr(value, "hour") else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
