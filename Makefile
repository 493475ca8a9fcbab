# Every target sets up what it needs: a virtual environment in .venv with the library and its tools, built once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# an editable install knows the modules that were there when it was made: another list of them needs another one
MODULES := $(shell find python/sable dialects passes tools -name '*.py' | LC_ALL=C sort | cksum | cut -d' ' -f1)
STAMP := $(VENV)/.installed-$(MODULES)
NATIVE := CMakeLists.txt pyproject.toml $(wildcard python/native/*)
PYTEST_WORKERS ?= auto
BASE ?= HEAD
# what `make fuzz` runs: so many programs of each mode (or of one), from this seed on
COUNT ?= 200
SEED ?= 0
MODE ?= all
# what `make pythons` tries, those of them that are here, and on what: the native module, traces, processes, arrays
PYTHONS ?= python3.10 python3.11 python3.12 python3.13
PYTHONS_TESTS ?= tests/api/test_jit.py tests/api/test_names.py tests/api/test_pickling.py tests/concurrency tests/core \
	tests/library/test_plans.py tests/pytree tests/runtime/test_leftovers.py

.PHONY: help setup run test unit pythons filecheck fuzz lint bench replay docs coverage clean

help:
	@echo "make run        set up and run the main job: train on handwritten digits, deploy, check (examples/digits.py)"
	@echo "make test       set up and run every test: lint, unit, filecheck, examples"
	@echo "make unit       the pytest suite alone"
	@echo "make pythons    install into each Python of PYTHONS that is here, and run a small part of the tests"
	@echo "make filecheck  the lit + FileCheck tests of the passes alone"
	@echo "make fuzz       random programs under JAX and Sable (COUNT=200 SEED=0 MODE=all, eager, jit, vmap, grad ...)"
	@echo "make lint       ruff, pyright, import-linter"
	@echo "make bench      JAX, NumPy and Sable side by side; writes benchmarks/README.md"
	@echo "make replay     what a change does to the programs emitted, against the last commit (BASE=commit)"
	@echo "make docs       rewrite docs/ops.md, docs/options.md, docs/errors and the definition of the sable dialect from the code"
	@echo "make coverage   which of JAX's public names are there, and which not; writes docs/coverage.md"
	@echo "make setup      only the virtual environment"
	@echo "make clean      remove the virtual environment and build products"

$(STAMP): $(NATIVE)
	@command -v $(PYTHON) >/dev/null || { echo "python3 (3.10 or newer) is needed"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or newer is needed, found $$($(PYTHON) --version)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet 'scikit-build-core>=0.11' 'nanobind>=2.4' 'numpy>=2.0' cmake ninja
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable '.[dev]'
	@rm -f $(VENV)/.installed*
	@touch $@

setup: $(STAMP)

run: $(STAMP)
	$(BIN)/python examples/digits.py

test: lint unit filecheck

unit: $(STAMP)
	@# modules are compiled once, not in each of the processes that tests start
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal

pythons:
	@for python in $(PYTHONS); do \
		$$python -c 'import venv' 2>/dev/null || { echo "$$python is not here: left out"; continue; }; \
		echo "== $$($$python --version)"; venv=build/pythons/$$(basename $$python); \
		{ test -x $$venv/bin/python || $$python -m venv $$venv; } \
		&& $$venv/bin/python -m pip install --quiet --upgrade pip \
		&& $$venv/bin/python -m pip install --quiet '.[dev]' \
		&& $$venv/bin/python -m pytest -q -p no:cacheprovider $(PYTHONS_TESTS) || exit 1; \
	done

filecheck: $(STAMP)
	$(BIN)/lit -v tests/filecheck

fuzz: $(STAMP)
	$(BIN)/python -m tests.differential --count $(COUNT) --seed $(SEED) --mode $(MODE)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	@rm -rf build/typecheck && mkdir -p build/typecheck && cp -r python/sable build/typecheck/ && cp -r dialects passes tools build/typecheck/sable/
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: $(STAMP)
	$(BIN)/python benchmarks/run.py

replay: $(STAMP)
	$(BIN)/python tools/replay.py --base $(BASE)

docs: $(STAMP)
	$(BIN)/python -m sable.tools.op_table --write docs/ops.md
	$(BIN)/python -m sable.tools.option_table --write docs/options.md
	$(BIN)/python -m sable.tools.irdl --write
	$(BIN)/python -m sable.tools.error_pages --write docs/errors

coverage: $(STAMP)
	$(BIN)/python -m tests.api.coverage --write docs/coverage.md

clean:
	rm -rf $(VENV) build
