# Hitchpost. `make` alone prints this help.
VENV := .venv
PY := $(VENV)/bin/python
.DEFAULT_GOAL := help

help:            ## print this help
	@grep -hE '^[a-z-]+: .*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

env: $(VENV)/.ok ## make the environment (.venv) for running Hitchpost

$(VENV)/.ok: requirements.txt pyproject.toml
	@test -x $(PY) || { echo "making the environment in $(VENV) …"; python3 -m venv $(VENV); }
	@( $(VENV)/bin/pip install -q --disable-pip-version-check uv && $(VENV)/bin/uv pip install -q -p $(PY) --require-hashes -r requirements.txt && $(VENV)/bin/uv pip install -q -p $(PY) --no-deps -e . ) 2>$(VENV)/uv.log \
	  || ( echo "uv could not install (see $(VENV)/uv.log); falling back to pip, which takes a little longer …"; $(VENV)/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements.txt && $(VENV)/bin/pip install -q --disable-pip-version-check --no-deps -e . )
	@touch $@

dev: $(VENV)/.dev ## add what tests and checks need

$(VENV)/.dev: $(VENV)/.ok requirements-dev.txt
	@( $(VENV)/bin/uv pip install -q -p $(PY) --require-hashes -r requirements-dev.txt ) 2>>$(VENV)/uv.log \
	  || $(VENV)/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

run: $(VENV)/.ok ## start the sandbox and the server with a small ready-made world
	@$(VENV)/bin/hitchpost demo

test: $(VENV)/.dev ## run all tests
	@$(PY) tests/bring.py
	@$(PY) -m pytest -n 3

faults: $(VENV)/.dev ## the trials at full length: kills, outages, races, keys, 10,000 due (an hour or two)
	@$(PY) tests/bring.py
	@$(PY) -m pytest tests/faults --full -s --timeout 5400

check: $(VENV)/.dev ## ruff, mypy strict, import contracts, house rules
	@$(VENV)/bin/ruff check src tests bench docs
	@$(VENV)/bin/ruff format --check src tests bench docs
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@$(PY) -m pytest -q tests/house

fix: $(VENV)/.dev ## let ruff mend what it can
	@$(VENV)/bin/ruff check --fix src tests bench docs
	@$(VENV)/bin/ruff format src tests bench docs

bench: $(VENV)/.dev ## measure speed and size; prints ratios, fails on nothing
	@$(PY) -m bench

docs: $(VENV)/.dev ## write the tables of the docs from the code, and check their links
	@$(PY) -m docs.generate

pins: ## compile the pinned requirement files again, both with the same versions
	@$(VENV)/bin/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra dev pyproject.toml -o requirements-dev.txt
	@$(VENV)/bin/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 -c requirements-dev.txt pyproject.toml -o requirements.txt

clean: ## remove the demo's world and test artefacts; an installation beside them stays
	@rm -rf .hitchpost/demo artefacts

.PHONY: help env dev run test faults check fix bench docs pins clean
