# The commands of this checkout.  Only make and a Python from 3.11 to 3.13 are needed; `uv`, where it is on
# PATH, only makes the installation faster.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
# more words for the command: make run ARGS="--fresh", make test ARGS="-k ledger"
ARGS ?=
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# some images forbid Python to keep what it compiled; each process of a stack would compile all anew
export PYTHONDONTWRITEBYTECODE :=

# files stay whole, for their tests share what they start; the order is that of tests/conftest.py
IN_PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder
ROOMS := connector jobs webhooks simulator
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
PROJECT := $(VENV)/.project-installed

# 3.11 first: the Redis wheel exists for that version alone
PYTHONS := python3.11 python3.12 python3.13 python3 python
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
FIND_PYTHON = for python in $(PYTHON) $(PYTHONS); do \
	if "$$python" -c '$(FITS)' >/dev/null 2>&1; then command -v "$$python"; exit 0; fi; done

# $(1): a lock file.  pip does alone what uv does faster, also where uv knows another index than pip.
define install
	uv=$$(command -v uv || true); \
	if [ -n "$$uv" ] && "$$uv" pip install --quiet --python $(BIN)/python --compile-bytecode \
		--require-hashes --no-deps -r $(1); then :; \
	else $(BIN)/python -m pip install --quiet --require-hashes --no-deps -r $(1); fi
endef

# the steps build on each other, in the order in which a command names them
.NOTPARALLEL:
.PHONY: help setup run test contract soak chaos bench check lock stubs clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1  \2/p' Makefile | column -t -l 3 2>/dev/null \
		|| sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1  \2/p' Makefile

setup: $(RUNTIME) $(PROJECT) ## make .venv with everything that runs (about a minute, once)

run: setup ## start the whole stack with both simulators; Ctrl-C ends it
	@exec $(BIN)/connector up $(ARGS)

test: $(DEV) $(PROJECT) ## run all tests
	@exec $(BIN)/python -m pytest $(IN_PARALLEL) $(ARGS)

contract: $(DEV) $(PROJECT) ## recordings and other people's clients against the simulators (needs Node.js)
	@exec $(BIN)/python -m pytest $(IN_PARALLEL) tests/contract $(ARGS)

soak: $(DEV) $(PROJECT) ## tell stories of what can go wrong until each thing happened often, 300 at most (STORIES=n; STORY=file tells one again)
	@HYPOTHESIS_PROFILE=soak exec $(BIN)/python -m pytest -s tests/properties/test_loop.py $(ARGS)

chaos: $(DEV) $(PROJECT) ## let everything fail in turn under 20,000 events and 5,000 edits (ARGS="--minutes 5 --events 4000")
	@exec $(BIN)/python -m tests.chaos $(ARGS)

bench: $(DEV) $(PROJECT) ## measure speed beside a hand-written way (FIGURE=burst for one, SMALL=1 to try it out)
	@exec $(BIN)/python -m tests.bench $(FIGURE) $(if $(SMALL),--small) $(ARGS)

check: $(DEV) $(PROJECT) ## formats, lint, types, imports, mappings
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/connector mappings check

$(BIN)/python:
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then \
		echo "no Python from 3.11 to 3.13 was found; install one, or name it: make setup PYTHON=/path/to/python" >&2; \
		exit 2; \
	fi; \
	rm -rf $(VENV); \
	if ! { "$$python" -m venv $(VENV) >/dev/null 2>&1 \
		|| { rm -rf $(VENV); uv venv --quiet --python "$$python" $(VENV) 2>/dev/null; }; }; then \
		rm -rf $(VENV); \
		echo "$$python cannot make a virtual environment; install its venv package (python3-venv on Debian)" >&2; \
		exit 2; \
	fi

$(RUNTIME): requirements.lock | $(BIN)/python
	@echo "installing what requirements.lock names into $(VENV)" >&2
	@$(call install,requirements.lock)
	@touch $@

# the development lock holds all of the other one
$(DEV): requirements-dev.lock | $(BIN)/python
	@echo "installing what requirements-dev.lock names into $(VENV)" >&2
	@$(call install,requirements-dev.lock)
	@touch $@ $(RUNTIME)

# either lock, which every command that needs this names before it, brings what builds the project
$(PROJECT): pyproject.toml | $(BIN)/python
	@uv=$$(command -v uv || true); \
	if [ -n "$$uv" ] && "$$uv" pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	then :; else $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .; fi
	@$(BIN)/python -m compileall -q $(wildcard $(ROOMS))
	@touch $@

UV := $(shell command -v uv 2>/dev/null || echo $(BIN)/uv)
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header $(ARGS)

lock: ## renew the lock files from pyproject.toml (needs uv; ARGS=--upgrade for newer versions)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv on PATH" >&2; exit 2; }
	@printf 'hatchling\neditables\n' > $(VENV)/build.in
	@$(COMPILE) pyproject.toml $(VENV)/build.in -o requirements.lock
	@$(COMPILE) --extra dev -c requirements.lock pyproject.toml $(VENV)/build.in -o requirements-dev.lock

# each room has its own copy of the protocol, for the simulators share nothing with the system
stubs: $(DEV) ## generate the Pub/Sub stubs anew from the two .proto files (after an upgrade of grpcio)
	@for room in connector simulator; do at=$$room/salesforce/eventbus; \
		$(BIN)/python -m grpc_tools.protoc -I $$at --python_out=$$at --pyi_out=$$at --grpc_python_out=$$at \
			$$at/pubsub_api.proto; \
		sed -i.old "s/^import pubsub_api_pb2 as/from $$room.salesforce.eventbus import pubsub_api_pb2 as/" \
			$$at/pubsub_api_pb2_grpc.py; rm $$at/*.old; done

clean: ## remove what make made: the environment and the caches (the data folder stays)
	@rm -rf $(VENV) tests/contract/foreign/.venv tests/contract/foreign/node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov
	@find $(wildcard $(ROOMS) tests) -name __pycache__ -type d -prune -exec rm -rf {} +
