# Two commands do everything: `make demo` and `make test`.
SHELL := /bin/bash
PYTHON := $(shell for p in python3.11 python3.12 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' \
	&& { echo $$p; break; }; done)
BIN := .venv/bin
ANVIL_DIR := $(firstword $(wildcard node_modules/@foundry-rs/anvil-*/bin))
export PATH := $(CURDIR)/.venv/bin:$(if $(ANVIL_DIR),$(CURDIR)/$(ANVIL_DIR):)$(PATH)

.PHONY: demo setup docs test lint unit core test-deep deep coverage mutants bench clean

demo: setup ## Set up, run the main scenario, end with a verdict table and a report
	$(BIN)/assay run scenarios/hard-assets-2026.yaml

setup: .venv/.assay-ready node_modules/.assay-ready ## Set up alone

.venv/.assay-ready: constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Assay needs Python 3.11 or 3.12 on the PATH"; exit 1; }
	@echo "setting up .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[chain,calibrate,serve]'
	@touch $@

node_modules/.assay-ready: package.json
	@if command -v npm >/dev/null 2>&1; then \
		echo "fetching Anvil from npm"; \
		npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error >/dev/null \
		|| echo "Anvil could not be fetched: replays run on the in-process EVM"; \
	else echo "npm is not here: replays run on the in-process EVM"; fi
	@mkdir -p node_modules && touch $@

.venv/.assay-dev-ready: .venv/.assay-ready
	@echo "installing the development tools"
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

.venv-numpy2/.assay-ready: constraints-numpy2.txt pyproject.toml
	@echo "setting up .venv-numpy2: the core with numpy 2"
	@$(PYTHON) -m venv .venv-numpy2
	@.venv-numpy2/bin/pip install --quiet --disable-pip-version-check -c constraints-numpy2.txt \
		-e '.[chain,calibrate]' pytest pytest-xdist hypothesis
	@touch $@

test: lint unit core ## Everything that CI runs

lint: setup .venv/.assay-dev-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python scripts/build_artifacts.py --check

unit: setup .venv/.assay-dev-ready
	$(BIN)/ape compile --force
	$(BIN)/pytest -n auto --dist worksteal

core: setup .venv-numpy2/.assay-ready
	.venv-numpy2/bin/pytest -n auto --dist worksteal tests/core tests/market tests/chain
	.venv-numpy2/bin/pytest -n auto --dist worksteal --without-chain tests/instruments --ignore tests/instruments/test_outside.py

test-deep: deep coverage mutants ## Long tests, and how good all tests are: about an hour

deep: setup .venv/.assay-dev-ready ## The tests that take minutes
	$(BIN)/pytest -m deep

coverage: setup .venv/.assay-dev-ready ## Lines and branches of the contracts that no test runs
	$(BIN)/python tests/coverage/line_coverage.py

mutants: setup .venv/.assay-dev-ready ## Break contracts and kernels: a test must fail each time
	$(BIN)/python tests/mutation/mutants.py

.venv/.assay-docs-ready: .venv/.assay-ready
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

docs: .venv/.assay-docs-ready ## The documentation as a site, site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "site/index.html"

bench: setup .venv/.assay-dev-ready ## The benchmark table
	$(BIN)/python benchmarks

clean:
	rm -rf .venv .venv-numpy2 node_modules runs site .build .cache
