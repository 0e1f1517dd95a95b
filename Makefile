# Everything below runs on a machine with git, make, python3 (3.11 or newer) and python3-venv; nothing else.
# The two lock files name every distribution with its hashes; uv is needed only to write them (make lock).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8080
DATA ?= ./data
WORKERS ?= 2
SEED ?= 7
ARGS ?=
UV ?= uv

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := --universal --python-version 3.11 --group build --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet $(UPGRADE)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/runtime.stamp ## serve the demo data; PORT=8080 and DATA=./data choose port and store
	$(BIN)/sdmx-service init --demo --data "$(DATA)"
	@echo; echo "A token for this store, role publisher (Authorization: Bearer ...):"
	@$(BIN)/sdmx-service token create --role publisher --data "$(DATA)"
	@exec $(BIN)/sdmx-service serve --data "$(DATA)" --port "$(PORT)"

.PHONY: test
test: $(VENV)/dev.stamp ## run the whole test suite; ARGS="tests/model -k period" runs a part, WORKERS=0 in one process
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

.PHONY: check
check: $(VENV)/dev.stamp ## check format, lint, types, import rules and the compose file
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

.PHONY: format
format: $(VENV)/dev.stamp ## put the code into the form that check asks for
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(VENV)/dev.stamp ## run the measurements against peers and print their table of ratios; ARGS="..." goes to them
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: precision
precision: $(VENV)/dev.stamp ## inject errors into real files and count what the checks find; SEED=7, ARGS="--again --anywhere"
	$(BIN)/python -m benchmarks.precision --seed $(SEED) --shared $(or $(SDMX_SHARED),../shared)/data --recall 0.95 --false 0.02 $(ARGS)

.PHONY: vtl
vtl: $(VENV)/dev.stamp .venv-vtl/engine.stamp ## check that an independent engine finds the same with the rules in VTL (an environment of its own)
	$(BIN)/python -m pytest tests/vtl $(ARGS)

.venv-vtl/engine.stamp: tests/vtl/requirements.txt
	test -x .venv-vtl/bin/python || $(PYTHON) -m venv .venv-vtl
	.venv-vtl/bin/python -m pip --disable-pip-version-check --quiet install --requirement $<
	touch $@

.PHONY: lock
lock: ## write both lock files anew (needs uv); UPGRADE=--upgrade takes the newest versions
	$(UV) pip compile $(LOCK) --extra dev pyproject.toml --output-file requirements-dev.lock
	$(UV) pip compile $(LOCK) --constraint requirements-dev.lock pyproject.toml --output-file requirements.lock

.PHONY: dist
dist: $(VENV)/dev.stamp ## build the wheel and the source archive into dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist .

.PHONY: clean
clean: ## remove what building and testing left behind, with the virtual environment; data/ stays
	rm -rf $(VENV) .venv-vtl build dist *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the virtual environment ------------------------------------------------------------------------

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "python3 is missing: install python3 (3.11 or newer) and python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: name another one, as in make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "the module ensurepip is missing: install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Two commands, as a lock with hashes cannot name the checkout itself; no isolation, as the build backend is in the lock.
$(VENV)/runtime.stamp: requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes --requirement requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/runtime.stamp
