# Every command of the README. PYTHONDONTWRITEBYTECODE would make each process compile everything again.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 3000
UV_VERSION := 0.13.9
INSTALLED := $(VENV)/.installed

export DAGSTER_HOME ?= $(CURDIR)/data/dagster
export DO_NOT_TRACK := 1

.PHONY: help
help: ## Show the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: install
install: $(INSTALLED) ## Create .venv from the lock file

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Set PYTHON=python3.11, say."; exit 1; }
	@echo "Installing into $(VENV) from the lock file; a minute or two ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --no-deps --editable .
	@touch $(INSTALLED)

.PHONY: demo
demo: install ## Land the sample data, materialise all of its days, and say how to look at them
	@$(BIN)/python -m sessionization_dagster.demo

.PHONY: run
run: install ## Materialise days: make run FROM=2024-01-04 TO=2024-01-10
	@$(BIN)/python -m sessionization_dagster.run --from $(FROM) --to $(or $(TO),$(FROM))

.PHONY: ui
ui: install ## Open Dagster (webserver and daemon) on http://127.0.0.1:3000 (PORT=...)
	@$(BIN)/python -m sessionization_dagster.ui --port $(PORT)

.PHONY: test
test: install ## Run the whole test suite
	$(BIN)/python -m pytest

.PHONY: bench
bench: install ## Measure what the project costs, into docs/performance.md: hours (ARGS=--quick: minutes)
	@$(BIN)/uv pip install --quiet --group bench
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: check
check: install ## Lint Python and SQL, check types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	SESSIONIZATION_DUCKDB_PATH=:memory: $(BIN)/sqlfluff lint dbt_project/models dbt_project/tests dbt_project/analyses

.PHONY: lock
lock: install ## Write requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-annotate --no-header --quiet -o requirements.lock

.PHONY: clean
clean: ## Remove the demo's data, and what tools left behind
	rm -rf data dbt_project/target dbt_project/logs .pytest_cache .mypy_cache .ruff_cache
