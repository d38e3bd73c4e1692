# `make demo` and `make test` set everything up first; nothing else needs to be installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
OUT ?= build
SECONDS ?= 600
SEEDS ?= 20

.PHONY: help demo test lint check coverage bench mutations fuzz simulate vectors lock clean
.DEFAULT_GOAL := help

help: ## Say what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

$(STAMP): requirements-dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Openstile needs Python 3.11 or later; try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	$(BIN)/python -m compileall -q src  # as an installed package is: a start need not compile first
	touch $@

demo: $(STAMP) ## Enrol riders, cross a gate in every way, show what is kept
	$(BIN)/openstile models pull
	$(BIN)/openstile demo --out $(OUT)/demo

test: $(STAMP) ## Run all tests
	$(BIN)/openstile models pull
	$(BIN)/python -m pytest -n 2

lint: $(STAMP) ## Style, types, contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

check: lint test ## Everything that must pass before a change lands

coverage: $(STAMP) ## Branch coverage of the rooms that must not fail: at least 95 %
	$(BIN)/python -m pytest -n 2 tests/passes tests/trust tests/issuer tests/crossing tests/journal tests/gate tests/cli \
	  tests/fares tests/ledger tests/office \
	  --cov-branch --cov=openstile.passes --cov=openstile.trust --cov=openstile.issuer --cov=openstile.crossing \
	  --cov=openstile.journal --cov=openstile.fares --cov=openstile.ledger --cov=openstile.office \
	  --cov-report=term --cov-fail-under=95

bench: $(STAMP) ## Measure speed, memory and error rates on this machine
	$(BIN)/openstile models pull
	$(BIN)/python -m bench --out $(OUT)/bench

mutations: $(STAMP) ## 200,000 mutated passes: refusals, never a crash or an admission
	OPENSTILE_MUTATIONS=200000 $(BIN)/python -m pytest tests/passes -k mutat -n 2

fuzz: $(STAMP) ## Search for crashes of every parser of untrusted bytes, SECONDS in all
	$(BIN)/python -m fuzz --seconds $(SECONDS) --out $(OUT)/fuzz

simulate: $(STAMP) ## A week of fifty gates with faults of network, clocks and disks, SEEDS times, from seed FIRST on
	$(BIN)/python -m simulation --seeds $(SEEDS) $(if $(FIRST),--first $(FIRST))

vectors: $(STAMP) ## Make the published vectors anew, and let both readers answer all of them
	$(BIN)/python -m tests.vectors.make
	$(BIN)/python -m pytest -q tests/passes/test_pass_vectors.py tests/interop

lock: $(STAMP) ## Renew the lock files after pyproject.toml changed
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra dev pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -c requirements-dev.lock -o requirements.lock

clean: ## Remove what was built here
	rm -rf $(VENV) build
