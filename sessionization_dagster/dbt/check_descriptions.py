"""The description of a dbt test as an asset check: its own, or the sentence of its generic test with the arguments filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# dbt's own generic tests. A project's generic tests have descriptions in a yml, as macros.
BUILT_IN = {
    "macro.dbt.test_unique": "A row is the only one with its {column_name}.",
    "macro.dbt.test_not_null": "Never null: {column_name}.",
    "macro.dbt.test_accepted_values": "{column_name} is null or one of: {values}.",
    "macro.dbt.test_relationships": "Each {column_name} stands in {to}, as {field}.",
}


def description_of_check(node: Mapping[str, Any], macros: Mapping[str, Any]) -> str | None:
    """The description of a test's node, given the manifest's macros; None if there is none."""
    if own := str(node.get("description") or "").strip():
        return own
    test = node.get("test_metadata")
    # The generic test is the first macro that its node depends on.
    macro = next(iter(node["depends_on"]["macros"]), "")
    sentence = BUILT_IN.get(macro) or str(macros.get(macro, {}).get("description") or "").strip()
    if not test or not sentence:
        return None
    for name, value in test["kwargs"].items():
        sentence = sentence.replace(f"{{{name}}}", _shown(value))
    return sentence


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    text = str(value)
    # ref('sessions') is dbt's notation; people read `sessions`.
    return text.split("'")[-2] if text.startswith(("ref('", "source('")) else text
