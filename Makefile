# Xinglin 杏林. `make` alone explains itself. A fresh machine needs Python 3.11, make and git.

PORT         ?= 8000
SANDBOX_PORT ?= 8001
LIVE_PORT    ?= 8002
DATA         ?= .run
RESET        ?=
ARGS         ?=
ORDER        ?= 308608205
PYTHON       ?= python3.11
export PORT SANDBOX_PORT LIVE_PORT DATA RESET

BIN   := .venv/bin
STAMP := .venv/installed

# Dozens of processes start in a test run: they compile our modules once, not each for itself.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-all check bench chaos clean docs lock browser fuzz

help:
	@echo "make demo    the hospital, the patient's phone and a stand-in for WeChat, on this machine"
	@echo "make test    every check and the tests (below ten minutes on two cores)"
	@echo "make test-all  also every page in every look, every fault, five kills, all migrations back and forth"
	@echo "make check   the checks alone: format, lint, contracts, types, migrations, sizes, docs"
	@echo "make bench   the measured claims; rewrites docs/benchmarks.md"
	@echo "make chaos   kill every process 100 times under 200 patients, then look at the books (SEED=…)"
	@echo "make fuzz    broken bytes and hostile callbacks, some minutes (ARGS='--seconds 600 --seed 7')"
	@echo "make docs    rewrite docs/generated from the code"
	@echo "make lock    compile requirements/*.in to pinned, hashed requirements/*.txt"
	@echo "make clean   remove what the others made (ALL=1: the .venv too)"
	@echo
	@echo "PORT=$(PORT) SANDBOX_PORT=$(SANDBOX_PORT) LIVE_PORT=$(LIVE_PORT) DATA=$(DATA)"
	@echo "RESET=1 starts the demo over. DATABASE_URL=… uses that PostgreSQL instead of our own."
	@echo "ARGS='hospital/billing -k ledger' narrows make test; ORDER=… runs it in another order,"
	@echo "EXPLORE=1 with new examples for its properties."

demo: $(STAMP)
	@exec $(BIN)/python -m tools.demo

test: CHOICE = -m "not thorough"
test-all: export FAULTS = all
test test-all: $(STAMP) browser
	@echo "test: running the tests on two workers, and tools/check beside them"
	@exec $(BIN)/python -m tools.together --beside tools/check pytest -n 2 --dist loadscope --no-loadscope-reorder \
		--durations 10 \
		--randomly-seed=$(ORDER) $(CHOICE) \
		--junit-xml test-artifacts/junit.xml $(ARGS)

check: $(STAMP)
	@exec tools/check $(ARGS)

bench: $(STAMP)
	@exec $(BIN)/python -m tools.together benchmarks $(ARGS)

chaos: $(STAMP)
	@exec $(BIN)/python -W ignore -m tests.chaos

fuzz: $(STAMP)
	@$(BIN)/python -m tests.fuzz $(ARGS)
	@exec env HOSTILE=50000 FUZZ=5000 $(BIN)/python -m tools.together pytest -q tests/hostile

docs: $(STAMP)
	@exec $(BIN)/python -m tools.generate_docs

browser: $(STAMP)
	@$(BIN)/python -m tools.browser

lock: $(STAMP)
	@echo "lock: compiling requirements/*.in"
	@for name in base dev; do \
		$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 --no-header \
			--no-emit-index-url requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

.venv: $(STAMP)

$(STAMP): requirements/dev.txt
	@command -v $(PYTHON) >/dev/null || { \
		echo "install: $(PYTHON) was not found; install Python 3.11 or name it: make PYTHON=…"; exit 1; }
	@$(BIN)/python -c '' 2>/dev/null || { \
		echo "install: making .venv"; $(PYTHON) -m venv --clear .venv; }
	@echo "install: fetching the pinned packages into .venv (one to three minutes, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--no-deps --no-compile -r requirements/dev.txt
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true
	@touch $(STAMP)

clean:
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m tools.demo clean; fi
	@echo "clean: removing caches and test artefacts"
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		.coverage .coverage.* htmlcov test-artifacts
	@find hospital wechat_sandbox tests tools benchmarks demo -name __pycache__ \
		-type d -prune -exec rm -rf {} + 2>/dev/null || true
	@if [ -n "$(ALL)" ]; then echo "clean: removing .venv"; rm -rf .venv; fi
