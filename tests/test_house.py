"""The shape of the house: a file is read top to bottom in one sitting."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from radon.metrics import mi_visit

PACKAGE = Path(__file__).resolve().parents[1] / "autodc"
LONGEST = 360
LEAST_MAINTAINABLE = 20.0
"""Radon's index, 0 to 100: of length, branches and operators, with docstrings as comments."""


@pytest.mark.slow
def test_a_file_is_read_in_one_sitting() -> None:
    too_much = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        lines, index = text.count("\n"), mi_visit(text, multi=True)
        if lines > LONGEST or index < LEAST_MAINTAINABLE:
            too_much[str(file.relative_to(PACKAGE))] = (lines, round(index, 1))
    assert not too_much


ONE_MEANING = ("Stage", "Purpose", "Role", "Kind", "Step", "Change", "Entry")
NO_NAMES = ("Warning", "Desk", "Vigil", "Ground", "Speaker")


def defined(name: str) -> list[str]:
    """The files in which a class or a type of this name is made."""
    made = re.compile(rf"^(?:class {name}\b|{name} = )", re.MULTILINE)
    files = sorted(PACKAGE.rglob("*.py"))
    return [str(f.relative_to(PACKAGE)) for f in files if made.search(f.read_text(encoding="utf-8"))]


def test_a_word_has_one_meaning() -> None:
    assert {name: found for name in ONE_MEANING if len(found := defined(name)) > 1} == {}
    assert {name: found for name in NO_NAMES if (found := defined(name))} == {}


def test_no_parameter_shadows_round() -> None:
    shadows = re.compile(r"def \w+\([^)]*\bround\b\s*:", re.MULTILINE)
    assert [str(f) for f in PACKAGE.rglob("*.py") if shadows.search(f.read_text(encoding="utf-8"))] == []
