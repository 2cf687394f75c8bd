"""docs/bigquery.md says what the code does: remedies, variables, datasets and the snippets that people copy."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml

from sessionization_dagster.dbt.project import PROJECT_DIR
from sessionization_dagster.settings import bigquery_settings
from sessionization_dagster.settings.environment import Environment
from sessionization_dagster.warehouses.bigquery_errors import TROUBLES, Trouble

DOCS = PROJECT_DIR.parent / "docs"
PAGE = (DOCS / "bigquery.md").read_text()
# Words run on over the ends of lines, and code is set off.
DOCUMENTED = " ".join(PAGE.replace("`", "").split())


def blocks(language: str) -> list[str]:
    """The page's code blocks of a language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.words.pattern[:30])
def test_each_remedy_is_documented_beside_words_that_lead_to_it(trouble: Trouble) -> None:
    rows = [line.replace("`", "") for line in PAGE.splitlines() if line.startswith("|")]
    shown = [row for row in rows if trouble.remedy in row]
    assert len(shown) == 1
    said, remedy = shown[0].strip("| ").split(" | ", 1)
    assert trouble.words.search(said), said
    assert ("Tried again by itself" in remedy) == trouble.passes


def test_each_variable_is_documented_and_no_other() -> None:
    read = set(re.findall(r'"(BIGQUERY_[A-Z_]+)"', Path(bigquery_settings.__file__).read_text()))
    assert read == set(re.findall(r"\bBIGQUERY_[A-Z]+(?:_[A-Z]+)*", PAGE))


def test_the_start_is_an_environment_that_is_taken() -> None:
    start = dict(re.findall(r"^export (\w+)=(\S+)", blocks("sh")[0], re.MULTILINE))
    environment = Environment.from_env(start)
    assert environment.bigquery is not None
    assert environment.bigquery.raw_datasets == {"rudderstack": "rudder_prod"}


def test_each_dataset_is_documented() -> None:
    folders = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text())["models"]["sessionization"]
    schemas = {folder["+schema"] for folder in folders.values() if "+schema" in folder} | {"internal"}
    (shown,) = re.findall(r"Datasets that the first run creates: (.*?);", DOCUMENTED.replace("*", ""))
    assert set(re.findall(r"_([a-z_]+)", shown)) == schemas


def test_the_log_managers_snippet_adds_to_the_deployments_instance() -> None:
    (snippet,) = map(yaml.safe_load, blocks("yaml"))
    assert not snippet.keys() & yaml.safe_load((DOCS / "deploy" / "dagster.yaml").read_text()).keys()
    ((name, given),) = snippet.items()
    assert name == "compute_logs"
    manager = getattr(importlib.import_module(given["module"]), given["class"])
    assert given["config"].keys() <= manager.config_type().keys()
