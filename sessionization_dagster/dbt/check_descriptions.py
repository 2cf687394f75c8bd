"""The description of a dbt test as an asset check: its own, or the sentence of its generic test with the arguments filled in."""

from __future__ import annotations

from typing import Any

from sessionization_dagster.dbt.manifest import DataTest

# dbt's own generic tests. The project's generic tests have their descriptions in a yml, as macros.
BUILT_IN = {
    "macro.dbt.test_unique": "A row is the only one with its {column_name}.",
    "macro.dbt.test_not_null": "Never null: {column_name}.",
    "macro.dbt.test_accepted_values": "{column_name} is null or one of: {values}.",
    "macro.dbt.test_relationships": "Each {column_name} is in {to}, as {field}.",
}


def description_of_check(test: DataTest) -> str | None:
    """The description of a test; None if there is none."""
    if test.description:
        return test.description
    sentence = BUILT_IN.get(test.macro) or test.macro_description
    if test.generic is None or not sentence:
        return None
    for name, value in test.arguments.items():
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
