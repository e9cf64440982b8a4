# Penstock from a checkout. Every target sets up what it needs, in .venv, from the locks in requirements/.
# Needed beforehand: Python 3.11, 3.12 or 3.13. Root (or sudo) is used only to install Debian packages that are
# missing: python3-venv where Python comes without it, PostgreSQL, Redis and Chromium for `make test`, nginx and wrk
# for `make bench`.

SHELL := /bin/sh
ARGS ?=
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= python3.13 python3.12 python3.11 python3 python
BIN := .venv/bin
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check bench drill docs lock runtime dev

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-8s %s\n' "$$name" "$$text"; done

run: runtime ## serve, with simulated providers attached; ARGS="--port 9000" adds flags
	@exec $(BIN)/penstock serve --simulate $(ARGS)

test: dev ## all tests; ARGS="-k name" adds arguments of pytest
	@$(BIN)/python scripts/debian.py postgres redis-server chromium
	@$(BIN)/python -m pytest -n logical --dist worksteal $(ARGS)

check: dev ## format, style, types, import directions, house rules, docs
	@$(BIN)/python scripts/check.py

bench: dev ## measure against nginx; writes docs/benchmarks.md; PEERS=1 adds other gateways
	@$(BIN)/python scripts/debian.py nginx wrk postgres redis-server
	@$(BIN)/python bench/run.py $(ARGS)

drill: dev ## kill, stop and fill up what it depends on, and the long tests; writes docs/reliability.md; needs root
	@$(BIN)/python scripts/debian.py postgres redis-server
	@PYTHONPATH=. $(BIN)/python scripts/drill.py $(ARGS)

docs: dev ## write the tables in docs/ that the code already knows
	@$(BIN)/python scripts/docs.py

lock: dev ## write requirements/ anew from pyproject.toml; ARGS=--upgrade takes the newest versions
	@$(BIN)/python scripts/lock.py $(ARGS)

runtime dev:
	@for python in $(BIN)/python $(PYTHON); do \
		$$python -c '$(SUITABLE)' >/dev/null 2>&1 && exec $$python scripts/setup.py $@; \
	done; \
	echo "Penstock needs Python 3.11, 3.12 or 3.13; none of these is one: $(PYTHON)" >&2; exit 1
