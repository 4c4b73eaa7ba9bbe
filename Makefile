# Verbs of the project. Everything runs in .venv; only Python 3.11 or newer and make are needed.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install -q
# File by file in their order: else those with the fewest tests come last, which are the longest of all.
ON_TWO := -n 2 --dist loadfile --no-loadscope-reorder
SQUAWK_FILES := $(wildcard store/migrations/*.sql)

# Each of the processes that are started here would compile the sources anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-full drill check sbom fmt clients mock examples screenshots bench clean lock

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/run.stamp ## install, make a demo where there is no data yet, serve on http://localhost:8000
	@$(BIN)/healthbook demo --if-empty
	@exec $(BIN)/healthbook serve --die-with-parent

test: $(VENV)/dev.stamp ## run all tests
	@$(BIN)/pytest -q $(ON_TWO)

test-full: $(VENV)/dev.stamp ## run the same tests with large counts
	@HEALTHBOOK_COUNTS=full $(BIN)/pytest -q $(ON_TWO)

drill: $(VENV)/dev.stamp ## break a running installation in every way we know; prints what was lost and how long it took
	@HEALTHBOOK_COUNTS=drill $(BIN)/pytest -q -m drill tests/anomaly

check: $(VENV)/dev.stamp ## lint, types, import contracts, house rules, generated files, SQL, containers, secrets, known vulnerabilities
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check -q
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest -q tests/test_house.py tests/test_docker.py
	@$(BIN)/healthbook openapi --check
	@$(BIN)/openapi-spec-validator openapi/openapi.json
	@$(BIN)/python openapi/compat.py openapi/baseline/v1.json openapi/openapi.json
	@$(BIN)/squawk --config .squawk.toml $(SQUAWK_FILES)
	@$(BIN)/yamllint --strict docker
	@$(BIN)/pytest -q tests/supply
	@$(BIN)/python -m tests.supply.secret_scan
	@$(BIN)/python -m tests.supply.audit

sbom: $(VENV)/dev.stamp ## write the bill of materials of what runs (CycloneDX) to build/sbom.cdx.json
	@$(BIN)/python -m tests.supply.locked

fmt: $(VENV)/dev.stamp ## format and put right what can be put right
	@$(BIN)/ruff check --fix -q || true
	@$(BIN)/ruff format -q

clients: $(VENV)/dev.stamp ## generate clients in TypeScript, Kotlin, Swift and Dart; compile what can be compiled
	@$(BIN)/python mobile-contract/clients/make.py

mock: $(VENV)/dev.stamp ## answer every operation with its example, on http://127.0.0.1:4010 or PORT
	@exec $(BIN)/python openapi/serve_mock.py

examples: $(VENV)/dev.stamp ## pick the examples anew from what all tests send and get; stops where tests fail, unless ANYWAY=1
	@rm -rf .examples
	@HEALTHBOOK_RECORD=.examples $(BIN)/pytest -q $(ON_TWO) \
		|| { echo "Tests failed: their exchanges may be wrong. ANYWAY=1 picks from them."; test -n "$(ANYWAY)"; }
	@$(BIN)/python -m tests.support.picking .examples
	@$(BIN)/healthbook openapi

screenshots: $(VENV)/dev.stamp ## take pictures of the main pages in Debian's Chromium, for the README and docs/huong-dan
	@PYTHONPATH=openapi $(BIN)/python -m tests.browser.screenshots

bench: $(VENV)/dev.stamp ## measure ratios; writes bench/results.json
	@$(BIN)/python -m bench

clean: ## remove environment and caches; data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench/.data
	find . -name __pycache__ -prune -exec rm -rf {} +

lock: $(VENV)/dev.stamp ## resolve both lock files again; an update is one commit of these two alone
	@$(BIN)/uv pip compile pyproject.toml --extra build --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url -q --upgrade -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra dev --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url -q --upgrade -o requirements-dev.lock
	@$(BIN)/uv pip compile tests/interop/peers.in --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url -q --upgrade -o tests/interop/peers.lock
	@$(BIN)/uv pip compile tests/interop/fhir_peers.in --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url -q --upgrade -o tests/interop/fhir_peers.lock
	@$(BIN)/uv pip compile mobile-contract/clients/tools.in --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url -q --upgrade -o mobile-contract/clients/tools.lock

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing (first time: about a minute) ..."
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
