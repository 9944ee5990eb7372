"""The shape of the house: a file is read top to bottom in one sitting."""

from __future__ import annotations

from pathlib import Path

from radon.metrics import mi_visit

PACKAGE = Path(__file__).resolve().parents[1] / "autodc"
LONGEST = 360
LEAST_MAINTAINABLE = 20.0
"""Radon's index, 0 to 100: of length, branches and operators, with docstrings as comments."""


def test_a_file_is_read_in_one_sitting() -> None:
    too_much = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        lines, index = text.count("\n"), mi_visit(text, multi=True)
        if lines > LONGEST or index < LEAST_MAINTAINABLE:
            too_much[str(file.relative_to(PACKAGE))] = (lines, round(index, 1))
    assert not too_much
