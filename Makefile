# The door to everything: `make` lists what it can do.

PYTHON ?= python3
PORT ?= 3000
SEED ?= $(shell date +%Y%m%d)
VENV := .venv
BIN := $(VENV)/bin
SOURCES := kernel chassis appointment_svc doctor_svc video_svc gateway stack telemed_client bench proof tools tests

.DEFAULT_GOAL := help
.PHONY: help install install-dev run down test test-fast test-browser proof proof-quick fuzz check format gen lock bench clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## what `make run` needs, from requirements.txt
install-dev: $(VENV)/.installed-dev ## what `make check` and `make test` need, from requirements-dev.txt

run: $(VENV)/.installed ## start everything, book one appointment, keep serving on PORT (3000)
	@exec $(BIN)/telemed up --port $(PORT) --book

down: ## stop what `make run` started
	@if [ -x $(BIN)/telemed ]; then $(BIN)/telemed down; fi

test: $(VENV)/.installed-dev ## every test
	$(BIN)/pytest -n auto

test-fast: $(VENV)/.installed-dev ## the tests that start nothing
	$(BIN)/pytest tests/domain tests/contract

test-browser: $(VENV)/.installed-dev ## the visit page in two real browsers; needs Chromium, pictures in build/pictures
	TELEMED_BROWSER_TESTS=required $(BIN)/pytest tests/browser

check: $(VENV)/.installed-dev ## format, lint, types, import contracts, generated code, protos, tests
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/gen.py --check
	$(BIN)/python tools/gen.py --buf
	$(BIN)/pytest -n auto

format: $(VENV)/.installed-dev ## format, and mend what the linter can mend
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

gen: $(VENV)/.installed-dev ## compile protos/ into gen/, and policies into docs/authorization.md
	$(BIN)/python tools/gen.py
	$(BIN)/python -m tools.policy_page

lock: $(VENV)/.installed-dev ## resolve the dependencies of pyproject.toml anew
	$(BIN)/python tools/lock.py

# The proof forks nothing that speaks gRPC, so grpc need not look after forks.
proof: $(VENV)/.installed-dev ## nobody is booked twice whatever is killed, and who says so would notice; minutes; SEED=
	GRPC_ENABLE_FORK_SUPPORT=0 $(BIN)/python -m proof --seed $(SEED)

proof-quick: $(VENV)/.installed-dev ## the same in a minute
	GRPC_ENABLE_FORK_SUPPORT=0 $(BIN)/python -m proof --quick --seed $(SEED)

fuzz: $(VENV)/.installed-dev ## some 20,000 generated requests, each answer checked against the API's document; SEED=
	$(BIN)/python -m tests.fuzz --seed $(SEED)

bench: $(VENV)/.installed-dev ## how fast it is, as ratios
	$(BIN)/python -m bench

clean: down ## forget the demo's data and every cache; .venv stays
	@if [ -x $(BIN)/telemed ]; then $(BIN)/telemed forget; fi
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf

# The stamps make the second run instant. The dev lock holds the runtime one, so either order of installs is right.
$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/python
	$(call pip_install,requirements.txt)

$(VENV)/.installed-dev: requirements-dev.txt pyproject.toml | $(BIN)/python
	$(call pip_install,requirements-dev.txt)
	@touch $(VENV)/.installed

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; say which with make PYTHON=…")'
	$(PYTHON) -m venv $(VENV)

# The project itself needs no build isolation: its build tools are in the lock, by hash.
define pip_install
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $(1)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
endef
