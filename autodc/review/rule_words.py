"""The rule of a finding or of a slice as a person says it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_OPERATORS = {">=": "at least", "<": "below", "<=": "at most", ">": "above", "=": "is"}
_CONDITION = re.compile(r'(?P<name>"(?:[^"]|"")+"|\w+) (?P<operator>>=|<=|<|>|=|IN|IS NULL)(?: (?P<value>.*))?', re.S)
_OF_A_FUNCTION = re.compile(r"(?<=\)) (>=|<=|<|>|=) (?=-?[\d.]+$)")
_OUTSIDE_QUOTES = re.compile(r"""\sAND\s(?=(?:[^']*'[^']*')*[^']*$)""")


def rule_words(rule: str) -> str:
    """A rule as a person says it: hour below 6 and heat at least 3."""
    spans: dict[str, list[str]] = {}
    for part in _OUTSIDE_QUOTES.split(rule):
        found = _CONDITION.fullmatch(part.strip())
        if found is None:
            spans.setdefault(_OF_A_FUNCTION.sub(lambda one: f" {_OPERATORS[one[1]]} ", part.strip()), [])
            continue
        name = found["name"].strip('"').replace('""', '"')
        spans.setdefault(name, []).append(_condition_words(found["operator"], found["value"] or ""))
    return " and ".join(f"{name} {' and '.join(said)}".strip() for name, said in spans.items())


def chosen_words(where: str, predicted: Sequence[Any]) -> str:
    """By what rows without labels are chosen."""
    said = f"predicted {' or '.join(map(str, predicted))}" if predicted else ""
    return ", ".join(filter(None, (where and rule_words(where), said)))


def _condition_words(operator: str, value: str) -> str:
    if operator == "IS NULL":
        return "missing"
    if operator == "IN":
        return f"one of {value.strip('()')}"
    return f"{_OPERATORS[operator]} {value.removesuffix('.0')}"
