# Fil rouge: `make demo` and `make test` need Python 3.11+, git and make; everything else is set up here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
# The machine's own list of certificates, so that a closed network's mirror is trusted as pip trusts it.
export UV_SYSTEM_CERTS ?= 1
# One compile of the byte code at install time would cost more than it saves on a first run.
export UV_LINK_MODE ?= copy

# Tests and benches start the command itself many times, as where it is installed: with its byte code kept.
KEPT := PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(CURDIR)/.cache/bytecode

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench test-long test-real test-container lock clean

help:  ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Fil rouge needs Python 3.11 or later; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 demo"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/uv.txt

# Two stamps, so that the demo does not wait for the tools that only developers need.
$(VENV)/.run: $(UV) locks/run.txt pyproject.toml
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r locks/run.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run locks/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r locks/dev.txt
	@touch $@

demo: $(VENV)/.run  ## A small theatre, from export files to a workbook, a report and mails, in demo/
	@$(BIN)/filrouge demo demo

test: $(VENV)/.dev  ## The whole suite (under 5 minutes)
	$(KEPT) $(BIN)/python -m pytest -q -n 2 --dist worksteal

check: $(VENV)/.dev  ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev  ## Let the formatter write
	$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

test-long: $(VENV)/.dev  ## Kills, long histories, fuzzing (about an hour on two cores; each piece tells when it is done)
	FILROUGE_OTHER_CASES=1 $(KEPT) $(BIN)/python -m pytest -v -n 2 --dist worksteal -m long

test-real: $(VENV)/.dev  ## Against a real pretix, Ghost, Postfix, Dovecot, LibreOffice, yaml-language-server and caniemail (installs them under .cache/)
	$(KEPT) $(BIN)/python -m pytest -q -m real

test-container:  ## The Dockerfile's steps in a clean Debian root (needs root and debootstrap)
	tests/container/run.sh

bench: $(VENV)/.dev  ## Speed beside what one would use instead
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r locks/bench.txt
	$(KEPT) $(BIN)/python -m bench

lock: $(UV)  ## Resolve the dependencies anew
	$(UV) pip compile pyproject.toml $(LOCKING) --group build -o locks/run.txt
	$(UV) pip compile pyproject.toml $(LOCKING) --group build --all-extras -o locks/image.txt
	$(UV) pip compile pyproject.toml $(LOCKING) --group build --all-extras --group dev -c locks/run.txt -o locks/dev.txt
	$(UV) pip compile pyproject.toml $(LOCKING) --group build --all-extras --group dev --group bench -c locks/dev.txt -o locks/bench.txt
	echo uv | $(UV) pip compile - $(LOCKING) -o locks/uv.txt
LOCKING := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header

clean:  ## Throw away what was installed and made
	rm -rf $(VENV) demo .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
