"""Every code that is raised has one meaning, in the register."""

from __future__ import annotations

import ast
import functools
import inspect
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import autodc
from autodc import codes

CODE = re.compile(r"ADC-(?:[A-Z]+-)?[A-Z]?\d{3}")
PACKAGE = Path(autodc.__file__).parent
NOT_RAISING = (
    "codes.py",
    "codes_of_training.py",
    "codes_of_diagnosis.py",
    "codes_of_proposals.py",
    "testing",
    "study/journal/upcasts.py",
    "cli/examples",
)
OF_SOURCES = frozenset({"problem", "missing_name"})
"""Functions that are given the number of an ADC-DATA code."""


@functools.cache
def raised() -> Counter[str]:
    """How many places of the package raise or tell each code."""
    found: Counter[str] = Counter()
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text()
        if path.relative_to(PACKAGE).as_posix().startswith(NOT_RAISING):
            continue
        if "ADC-" in text or any(name in text for name in OF_SOURCES):
            found.update(in_file(ast.parse(text)))
    return found


def in_file(tree: ast.Module) -> Iterator[str]:
    no_place = {
        id(part) for node in ast.walk(tree) if isinstance(node, (ast.Expr, ast.Compare)) for part in texts(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in no_place:
            yield from CODE.findall(node.value)
        elif isinstance(node, ast.Call) and name_of(node.func) in OF_SOURCES:
            for given in node.args:
                if isinstance(given, ast.Constant) and re.fullmatch(r"\d{3}", str(given.value)):
                    yield f"ADC-DATA-{given.value}"


def texts(node: ast.Expr | ast.Compare) -> list[ast.expr]:
    """Docstrings, and what a code is compared with."""
    return [node.value] if isinstance(node, ast.Expr) else [node.left, *node.comparators]


def name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_every_code_that_is_raised_is_registered_and_no_other() -> None:
    assert sorted(raised()) == sorted(code for code, entry in codes.CODES.items() if not entry.retired)


def test_no_code_is_registered_twice() -> None:
    keys = Counter(
        key.value
        for node in ast.walk(ast.parse(inspect.getsource(codes)))
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    )
    assert [key for key, count in keys.items() if count > 1] == []
    meanings = Counter(entry.meaning for entry in codes.CODES.values())
    assert [meaning for meaning, count in meanings.items() if count > 1 and meaning not in SAME] == []


SAME = {"There is no target slice."}
"""Said of a study file by one code and of a comparison by another."""


def test_a_code_raised_at_several_places_says_so() -> None:
    assert [code for code, count in raised().items() if count > 1 and not codes.CODES[code].several] == []


def test_a_meaning_is_one_sentence() -> None:
    assert [code for code, entry in codes.CODES.items() if not re.fullmatch(r"\S.{5,110}[^.]\.", entry.meaning)] == []
    assert all(CODE.fullmatch(code) for code in codes.CODES)
