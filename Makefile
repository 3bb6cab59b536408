# SPDX-License-Identifier: Apache-2.0
# Thin doors: each target calls the command line, pytest or nox of the environment in .venv.

PYTHON ?= python3
ARGS ?=

BIN := .venv/bin
.DEFAULT_GOAL := help

# One stamp for what runs a hub, one for what develops it: the second holds the first. A third for
# what is only measured beside it.
RUNTIME := .venv/.runtime
DEV := .venv/.dev
RIVALS := .venv/.rivals
ORACLES := .oracles/.made
INPUTS := setup.cfg pyproject.toml requirements/bootstrap.txt requirements/install

.PHONY: help up demo demo-federation setup oracles test lint bench bench-engine bench-federation requirements clean

help:  ## Show this list
	@echo "Breakwater: child-safety signal exchange between platforms"
	@echo
	@sed -nE 's/^([a-z%-]+):.*## (.*)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) \
	    | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'
	@echo
	@echo "  ARGS='…' reaches the command behind a target; PYTHON=python3.12 chooses the Python."

up: $(RUNTIME)  ## Start a hub in the foreground, with its own database and Valkey
	@exec $(BIN)/breakwater up $(ARGS)

demo: $(DEV)  ## Tell the main job on real photographs; fails unless all went as expected
	@exec $(BIN)/python -m hub.demo $(ARGS)

demo-federation: $(DEV)  ## Tell how three hubs exchange, on real photographs, and what a lie comes to
	@exec $(BIN)/python -m hub.demo.federation $(ARGS)

setup: $(DEV)  ## Make .venv with everything a developer needs

oracles: $(ORACLES)  ## Install programs of other people that must believe our logs

test: $(DEV)  ## Test everything that this machine can test (ARGS go to pytest)
	@exec $(BIN)/nox -s tests -- $(ARGS)

lint: $(DEV)  ## Check style, types, architecture and the committed API description
	@exec $(BIN)/nox -s style types architecture docs

bench: $(RIVALS)  ## Measure everything, rivals and yardsticks beside it (ARGS=--json for JSON)
	@exec $(BIN)/python -m bench $(ARGS)

bench-engine: $(RIVALS)  ## Measure nearest match beside its rivals, and over HTTP (ARGS=--sizes=1000000)
	@exec $(BIN)/python -m bench engine lookups batches --codes 1000000 $(ARGS)

bench-federation: $(RIVALS)  ## Measure exchange between hubs, a rival beside it (ARGS=--operations=1000000)
	@exec $(BIN)/python -m bench federation $(ARGS)

bench-federation-first-sync: $(RIVALS)  ## Measure a hub that joins another, a rival beside it
	@exec $(BIN)/python -m bench federation-first-sync $(ARGS)

bench-%: $(DEV)  ## Measure one thing: make bench-NAME
	@exec $(BIN)/python -m bench $* $(ARGS)

PIN := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make requirements"

requirements: $(DEV)  ## Pin what setup.cfg asks for (ARGS=--upgrade for the newest that fit)
	$(PIN) $(ARGS) requirements/bootstrap.in -o requirements/bootstrap.txt
	$(PIN) $(ARGS) setup.cfg --extra postgres -o requirements/runtime.txt
	$(PIN) $(ARGS) setup.cfg --extra dev -c requirements/runtime.txt -o requirements/dev.txt
	$(PIN) $(ARGS) setup.cfg --extra rivals -c requirements/dev.txt -o requirements/rivals.txt
	$(subst 3.11,3.12,$(PIN)) $(ARGS) requirements/oracles.in -c requirements/dev.txt -o requirements/oracles.txt

clean:  ## Remove .venv and what tools left behind; a hub's data stays
	rm -rf .venv .oracles .nox build *.egg-info .coverage .coverage.* coverage.xml htmlcov
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find hub matching federation tests bench -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(RUNTIME): requirements/runtime.txt $(INPUTS)
	@PYTHON='$(PYTHON)' requirements/install runtime
	@touch $@

$(DEV): requirements/dev.txt $(INPUTS)
	@PYTHON='$(PYTHON)' requirements/install dev
	@touch $@ $(RUNTIME)

$(RIVALS): requirements/rivals.txt $(DEV)
	@PYTHON='$(PYTHON)' requirements/install rivals
	@touch $@

# They ask for Python 3.12 and run on 3.11 as well; only pip can be told so.
$(ORACLES): requirements/oracles.txt
	@'$(PYTHON)' -m venv --clear .oracles
	@.oracles/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
	    --ignore-requires-python --require-hashes -r $<
	@touch $@
