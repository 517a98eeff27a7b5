# One vocabulary for people, scripts and CI.
PY := .venv/bin/python
PYTEST_ARGS ?=

.PHONY: setup check format lint types imports test bench docs lock run
setup:            ## make .venv from the hash-locked requirements
	scripts/setup.sh dev
check: lint types imports test   ## everything that must be green
lint:
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
format:
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .
types:
	.venv/bin/mypy
imports:
	.venv/bin/lint-imports
test:
	.venv/bin/pytest -n 2 $(PYTEST_ARGS)
run:
	scripts/run.sh
bench:
	scripts/bench.sh all
docs:             ## regenerate what is generated (.env.template, docs/settings.md)
	$(PY) -m extension docs
lock:             ## refresh both lock files: hashes, no addresses
	uv pip compile --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -q requirements.in -o requirements.lock
	uv pip compile --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -q requirements-dev.in -o requirements-dev.lock
