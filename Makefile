# Everything a person does here. Each target sets up what it needs, once.
SHELL := /bin/bash
# Tests start Python some hundred times; each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
SOURCES := function_app.py functions shared local standin replay ops dashboards bench tests client

.PHONY: help setup run test check generated detection recordings lock advisories sbom clean lint types quick page javascript screenshots azcli bench scale trust

help: ## Say what each target does
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed. Install it, or say make PYTHON=/path/to/python3."; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "The venv module is missing. On Debian and Ubuntu: apt install python3-venv."; exit 1; }

.venv/.local: requirements.in requirements-local.txt | $(BIN)/python
	@echo "Installing the packages that agentmeter runs on ..."
	@$(PIP) -r requirements-local.txt
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.local
	@echo "Installing the packages that tests and checks need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@

node_modules/.installed: package.json package-lock.json
	@echo "Installing the npm packages that tests and checks need ..."
	@npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

setup: .venv/.dev ## Make .venv with every package (run and test do it by themselves)

run: .venv/.local ## Start the whole system on this machine; DEMO=0 leaves the simulated fleet out
	@exec $(BIN)/python -m local

test: .venv/.dev ## Run every test but the one that replays a whole day
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not day"

lint: .venv/.dev
	$(BIN)/ruff format --check --quiet $(SOURCES)
	$(BIN)/ruff check --quiet $(SOURCES)
	$(BIN)/lint-imports --no-cache | tail -n 3

types: .venv/.dev
	$(BIN)/basedpyright
	$(BIN)/basedpyright -p client

quick: .venv/.dev
	$(BIN)/python -m ops generated --check
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m "not slow and not azurite" --ignore tests/journeys # all slow

page: ## Format, lint and types of the page's JavaScript (needs npm)
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory javascript; \
	else echo "npm is not installed: the page's JavaScript is not checked."; fi

javascript: node_modules/.installed
	node_modules/.bin/biome check --error-on-warnings
	node_modules/.bin/tsc --project jsconfig.json

check: lint ## Format, lint, types, imports, generated files, quick tests: under two minutes
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target types quick page

generated: .venv/.dev ## Write every generated file anew
	$(BIN)/python -m ops generated

detection: .venv/.dev ## Measure how soon failures are told and write docs/detection.md anew
	$(BIN)/python -m ops detection

azcli: ## Record the options of the Azure CLI that docs and scripts use (installs it, 900 MB)
	bash .ci/azcli

recordings: .venv/.dev ## Record the programs of tests/recordings that have no recording yet
	$(BIN)/python -m tests.recordings.record

bench: .venv/.dev ## Measure speed beside usual libraries; docs/performance.md has the table anew
	$(BIN)/python -m bench --write
	$(BIN)/python -m bench.scale --write > /dev/null

scale: .venv/.dev ## Write the tables of docs/scale.md anew, from the last measure and the prices
	$(BIN)/python -m bench.scale --write > /dev/null

MINUTES ?= 60
EVENTS ?= 1000000
trust: .venv/.dev ## Let a fault come each minute for an hour, under load, and count what was lost; WRITE=--write keeps it
	$(BIN)/python -m tests.trust faults --minutes $(MINUTES) $(WRITE)
	$(BIN)/python -m tests.trust memory --events $(EVENTS) $(WRITE)

screenshots: .venv/.dev ## Photograph the page after forty minutes of the simulated fleet (needs Chromium)
	$(BIN)/python -m tests.journeys.screenshots

lock: ## Resolve requirements.in into requirements.txt, with hashes; UPGRADE=--upgrade takes newer versions
	@test -x .cache/uv/bin/uv || { $(PYTHON) -m venv .cache/uv && .cache/uv/bin/python -m pip install -qq uv==0.13.9; }
	.cache/uv/bin/uv pip compile requirements.in --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make lock" --quiet $(UPGRADE) -o requirements.txt

advisories: .venv/.dev ## Take known faults of what is deployed from DATABASE, a clone of pypa/advisory-database
	$(BIN)/python -m ops advisories --from "$(DATABASE)"

sbom: .venv/.dev ## Write sbom.json, the software bill of materials of what is deployed
	$(BIN)/python -m ops sbom > sbom.json

clean: ## Remove the virtual environment, caches and the laptop's state
	rm -rf .venv .agentmeter .cache node_modules .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
