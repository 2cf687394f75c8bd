# Every command of the README. PYTHONDONTWRITEBYTECODE would make each process compile everything again.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 3000
# Each process of the tests takes up to a core and a gigabyte. Some wait for servers a good part of their time; on the emulator none does.
WORKERS ?= 3
EMULATOR_WORKERS ?= 2
CORES ?= 2
UV_VERSION := 0.13.9
INSTALLED := $(VENV)/.installed

export DAGSTER_HOME ?= $(CURDIR)/data/dagster
export DO_NOT_TRACK := 1

.PHONY: help
help: ## Show the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

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
	@$(BIN)/sessionization demo

.PHONY: run
run: install ## Materialise days: make run FROM=2024-01-04 TO=2024-01-10
	@$(BIN)/sessionization run --from $(FROM) --to $(or $(TO),$(FROM))

.PHONY: ui
ui: install ## Open Dagster (webserver and daemon) on http://127.0.0.1:3000 (PORT=...)
	@$(BIN)/sessionization ui --port $(PORT)

.PHONY: test-quick
test-quick: install ## Run what catches a broken rule, in about two minutes
	$(BIN)/python -m pytest --numprocesses $(CORES) --suite quick

.PHONY: test
test: install ## Run the test suite, but for what needs BigQuery's emulator
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --suite usual

.PHONY: test-long
test-long: emulator ## Run what is slow and rarely broken: more random histories, benchmarks, the deployment
	@# A folder that pytest does not look into is left out, without a word, where it is named beside the one that it lies in.
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --suite long --override-ini "norecursedirs=.*" $(FLAGS) tests

.PHONY: test-mutations
test-mutations: install ## Say which suite notices which fault: hours
	$(BIN)/python -m tests.mutations

.PHONY: analyzer
analyzer: .analyzer/.installed ## Install Google's analyzer of BigQuery's SQL, which tests ask, into .analyzer

.analyzer/.installed: tests/bigquery/requirements-analyzer.txt | $(INSTALLED)
	@$(PYTHON) -m venv --without-pip .analyzer
	@$(BIN)/uv pip install --quiet --compile-bytecode --python .analyzer/bin/python -r $<
	@touch $@

.PHONY: emulator
emulator: .emulator/.installed ## Create .emulator: an emulator of BigQuery for the tests

# Where an emulator looks for DuckDB's extension, which its package brings along and a download would else.
EXTENSIONS := .emulator/home/.duckdb/extensions
.emulator/.installed: tests/bigquery/requirements-emulator.txt $(INSTALLED)
	@rm -rf .emulator
	@$(PYTHON) -m venv .emulator/venv
	@$(BIN)/uv pip install --quiet --compile-bytecode --python .emulator/venv/bin/python -r tests/bigquery/requirements-emulator.txt
	@mkdir -p $(EXTENSIONS)
	@set -- .emulator/venv/lib/python*/site-packages/duckdb_extension_spatial/extensions/*; \
		platform=$$(.emulator/venv/bin/python -c 'import duckdb; print(duckdb.sql("pragma platform").fetchone()[0])'); \
		mkdir -p "$(EXTENSIONS)/$$(basename "$$1")/$$platform"; \
		cp "$$1"/spatial.duckdb_extension "$(EXTENSIONS)/$$(basename "$$1")/$$platform/"
	@touch .emulator/.installed

.PHONY: test-bigquery
test-bigquery: emulator analyzer ## Run the tests on BigQuery's emulator, and have its statements analysed
	$(BIN)/python -m pytest --numprocesses $(EMULATOR_WORKERS) --suite usual tests/bigquery

.PHONY: bigquery-bytes
bigquery-bytes: emulator ## Estimate what a run's statements bill on BigQuery, into docs/bigquery.md (ARGS=--show: by model)
	$(BIN)/python -m benchmarks.bigquery_bytes $(ARGS)

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

.PHONY: site
site: .site/.installed ## Build the pages of docs/ into site/, and check their links
	@NO_MKDOCS_2_WARNING=1 .site/bin/mkdocs build --quiet --strict
	@! grep --recursive --files-with-matches --include='*.html' 'src="http' site || { echo "These pages ask a host."; exit 1; }
	@echo "Open site/index.html, or, to search too: $(PYTHON) -m http.server --directory site"

.site/.installed: tools/site/requirements.txt | $(INSTALLED)
	@$(PYTHON) -m venv --without-pip .site
	@$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes --python .site/bin/python -r $<
	@touch $@

.PHONY: lock
lock: install ## Write requirements.lock anew from pyproject.toml, and the versions of `make site`
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-annotate --no-header --quiet -o requirements.lock
	$(BIN)/uv pip compile tools/site/requirements.in --universal --generate-hashes --no-annotate --no-header --quiet -o tools/site/requirements.txt

.PHONY: clean
clean: ## Remove what the demo made, and what tools left behind; nothing of your own
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m sessionization_dagster.cli.demo_data; fi
	rm -rf dbt_project/target dbt_project/logs .pytest_cache .mypy_cache .ruff_cache .emulator .site site
