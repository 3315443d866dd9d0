# schoolgate: `make run` and `make test` do all their set-up themselves.
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3,$(if $(shell $(p) -c 'import sys; print(sys.version_info >= (3, 12) or "")' 2>/dev/null),$(p))))
BIN := .venv/bin
ARGS ?=

.PHONY: run test test-system deb test-deploy soak setup lock lint bench pictures clean

run: setup
	@$(BIN)/schoolgate run $(ARGS)

setup:
	@test -n "$(PYTHON)" || { echo "schoolgate needs Python 3.12 or newer: install it, or name it with 'make PYTHON=/path/to/python'" >&2; exit 2; }
	@flock .venv.lock $(MAKE) --silent --no-print-directory .venv/.installed
	@flock .venv.lock $(MAKE) --silent --no-print-directory .venv/.assets

# Under a lock: two commands at once in a fresh clone must not build over each other.
.venv/.made: requirements-dev.lock pyproject.toml
	@echo "Preparing .venv with $$($(PYTHON) --version) (once, about a minute)…"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@if command -v krb5-config > /dev/null; then $(MAKE) --silent --no-print-directory .venv/.kerberos; fi
	@touch .venv/.made

# For Kerberos, where its headers are.
.venv/.kerberos: requirements-kerberos.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-kerberos.lock
	@touch .venv/.kerberos

# With the native index, where there is a C compiler.
.venv/.installed: .venv/.made $(wildcard addons/schoolgate/core/index/native/*)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/.installed

# Without it the filter runs and the portal does not; the next set-up tries again.
ASSETS := addons/schoolgate/portal/assets
.venv/.assets: .venv/.made deploy/build-assets $(wildcard $(ASSETS)/*.json $(ASSETS)/*.scss $(ASSETS)/*.mjs)
	@if deploy/build-assets; then touch .venv/.assets; fi

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/schoolgate lists lint
	@$(BIN)/schoolgate policy check

# A file of tests is of one process: its tests share what they have started.
test: lint
	@$(BIN)/pytest -m "not long and not deploy" --numprocesses auto --maxprocesses 4 --dist loadfile

# In two processes, with the longest files first (tests/conftest.py).
test-system: setup
	@deploy/install-ci-packages
	@$(MAKE) --silent --no-print-directory .venv/.kerberos
	@$(BIN)/pytest -m "system or long" --numprocesses 2 --dist loadfile --no-loadscope-reorder --timeout 600

# The package for Debian 13: build/schoolgate.deb.
deb: setup
	@deploy/build-deb

# Installs it in a Debian 13 of its own (build/debian-13), boots that and breaks it; as root.
test-deploy: setup
	@deploy/install-ci-packages deploy-packages.txt
	@$(BIN)/pytest -s -m deploy tests/deploy

# Draws the dashboards of deploy/grafana for docs/images with what a scene of some minutes shows (docs/monitoring.md).
pictures: setup
	@deploy/install-ci-packages
	@$(BIN)/python -m tests.system.pictures

# Fuzzes the native index (docs/fuzzing.md), then loads a gateway that must not grow; seconds of each.
SOAK_SECONDS ?= 3600
SOAK_GATEWAY_SECONDS ?= 1800
soak: setup
	@deploy/install-ci-packages
	@$(BIN)/python -m tests.fuzz.soak $(SOAK_SECONDS)
	@$(BIN)/python -m tests.fuzz.pages $(SOAK_SECONDS)
	@$(BIN)/python -m tests.soak.traffic $(SOAK_GATEWAY_SECONDS)

# Exact versions with hashes, no index address (needs the 'uv' command).
lock:
	uv pip compile pyproject.toml --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url -q -o requirements.lock
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url -q -o requirements-dev.lock
	uv pip compile pyproject.toml --extra postgresql --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url -c requirements-dev.lock -q -o requirements-postgresql.lock
	uv pip compile pyproject.toml --extra kerberos --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url -c requirements-dev.lock -q -o requirements-kerberos.lock
	uv pip compile pyproject.toml --extra trust --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url -c requirements-dev.lock -q -o requirements-trust.lock
	uv pip compile pyproject.toml --extra assets --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url -c requirements-dev.lock -q -o requirements-assets.lock

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache build $(ASSETS)/node_modules addons/schoolgate/portal/static

bench: setup
	@deploy/install-ci-packages bench-packages.txt
	@$(BIN)/python -m benchmarks.gateway --write
	@$(BIN)/python -m benchmarks.index --list both --write
	@$(BIN)/python -m benchmarks.policy --write
	@$(BIN)/python -m benchmarks.content --write
	@$(BIN)/python -m benchmarks.propagation --write
	@$(BIN)/python -m benchmarks.portal --write
	@$(BIN)/python -m benchmarks.approval --write
	@$(BIN)/python -m benchmarks.feeds --times --write
	@$(BIN)/python -m benchmarks.journal --write
