PY := .venv/bin/python
STAMP := .venv/.ready
FOLDERS := autodc tests benchmarks

.PHONY: setup quickstart test test-all fix lint types layers docs bench check clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(PY) || python3 -m venv .venv
	$(PY) -m pip install --quiet --constraint constraints.txt torch
	$(PY) -m pip install --quiet --constraint constraints.txt --editable '.[all,dev]'
	touch $(STAMP)

quickstart: setup
	.venv/bin/autodc run configs/digits/study.yaml --out runs/digits

test: setup
	$(PY) -m pytest -n 2 -m "not slow"

test-all: setup
	$(PY) -m pytest

fix: setup
	.venv/bin/ruff check --fix $(FOLDERS)
	.venv/bin/ruff format $(FOLDERS)

lint: setup
	.venv/bin/ruff format --check $(FOLDERS)
	.venv/bin/ruff check $(FOLDERS)

types: setup
	.venv/bin/mypy

layers: setup
	.venv/bin/lint-imports

check: lint types layers docs test
