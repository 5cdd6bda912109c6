# Tallylight: everything from a clean checkout with Python 3.11 or newer and make. `make demo` first; `make help` lists the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal --durations 15
PURE := tests/law tests/consent tests/policy tests/conversation tests/ledger tests/config tests/architecture

.PHONY: help demo test check lint soak tools clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile

demo: .venv/installed ## real calls on loopback, with a live wall of lamps; under 90 s once set up
	$(BIN)/python -m tallylight.demo

test: .venv/installed-dev $(if $(CI),tools) lint ## everything; where CI is set, tools are installed first and no skip is let by
	$(PYTEST)

check: .venv/installed-dev lint ## lint and the pure rooms; under 2 minutes
	$(PYTEST) $(wildcard $(PURE))

lint: .venv/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

soak: .venv/installed-dev ## the same tests with far more examples and longer fault loops; an hour or more
	TALLYLIGHT_SOAK=1 $(PYTEST) --hypothesis-profile=soak --timeout 3600

tools: ## sipp, baresip and PostgreSQL for the tests that use them (Debian packages; asks for root through sudo if need be)
	@scripts/tools

clean: ## remove what make and the tests have made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/created:
	@test -n "$(PYTHON)" || { echo "Tallylight needs Python 3.11 or newer: install it, or name it with make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv .venv || { echo "If Python lacks ensurepip, install its venv package (Debian: python3-venv)." >&2; exit 1; }
	@touch $@

.venv/installed: .venv/created pyproject.toml
	$(PIP) install --editable .
	@touch $@

.venv/installed-dev: .venv/created pyproject.toml
	$(PIP) install --editable '.[dev]'
	@touch .venv/installed $@
