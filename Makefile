# Two commands matter: `make run` and `make test`. `make help` lists the others.
SHELL := /bin/bash
PY := .venv/bin/python
# Compiled once and kept out of the tree: every service that starts would compile itself anew.
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/.cache/pycache
.DEFAULT_GOAL := help
.PHONY: help setup run test lint fmt isolation bench screens replay events migration lock clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: ## Make .venv, everything pinned and hashed
	@deploy/local/setup.sh

run: setup ## Start the platform on http://127.0.0.1:8000 (MSP_PORT moves it)
	@exec $(PY) -m msp_local run

test: setup ## Run every test; k=breach chooses by name, s=sla one service or package
	@$(PY) -m pytest $(if $(s),$(wildcard services/$(s) shared/$(s) deploy/$(s) tests/$(s) $(s))) $(if $(k),-k '$(k)') $(args)

lint: setup ## Check style, types, architecture and Kubernetes files
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@if [ -x deploy/k8s/check.sh ]; then deploy/k8s/check.sh; fi

fmt: setup ## Format and mend what can be mended
	@.venv/bin/ruff check --fix-only --quiet . ; .venv/bin/ruff format --quiet .

isolation: setup ## Try every way through the wall between clients, and write docs/isolation.md
	@$(PY) -m pytest tests/isolation -q --write-report

bench: setup ## Measure, and keep the numbers in benchmarks/results
	@$(PY) -m msp_local with-servers $(CURDIR)/$(PY) -m benchmarks $(args)

screens: setup ## Keep a picture of every page in docs/screens
	@mkdir -p docs/screens; MSP_SCREENS=$(CURDIR)/docs/screens $(PY) -m pytest -q tests/browser/test_every_page.py

replay: setup ## Import an incident log: make replay FILE=log.csv.gz
	@$(PY) -m msp_local replay $(FILE)

events: setup ## Write schemas, examples and docs of the events
	@$(PY) -m msp_events.generate

migration: setup ## Write an empty migration: make migration service=sla name="create clocks"
	@$(PY) -m msp_kit.migrations $(service) "$(name)"

lock: setup ## Resolve the dependencies anew into requirements.lock
	@deploy/local/lock.sh $(args)

clean: setup ## Remove the data of `make run`
	@$(PY) -m msp_local clean
