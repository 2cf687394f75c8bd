"""Reads one variable of an environment. An empty variable counts as unset."""

from __future__ import annotations

from collections.abc import Mapping


def value(env: Mapping[str, str], name: str, default: str) -> str:
    """The variable's value without blanks around it."""
    return env.get(name, "").strip() or default
