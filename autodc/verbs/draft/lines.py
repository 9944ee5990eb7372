"""YAML as a person would write it: a value on one line where it fits, else a line for each of its parts."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 80
_PLAIN = re.compile(r"[A-Za-z./_~][\w./~+-]*( [\w./+-]+)*|\d+[smhd]")
_MEANT = frozenset({"null", "true", "false", "~", ".", ".inf", ".nan"})
"""Words that are no text."""


def entry(key: str, value: Any, indent: int = 0) -> list[str]:
    """The lines of `key: value`."""
    return _laid(f"{' ' * indent}{scalar(key)}:", value, indent)


def comment(text: str, indent: int = 0) -> list[str]:
    """A comment, wrapped."""
    lead = " " * indent + "# "
    plain = re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]", " ", text)
    return textwrap.wrap(plain, WIDTH, initial_indent=lead, subsequent_indent=lead, break_on_hyphens=False)


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow(one) for one in value) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    """A single value; text as it is where YAML reads it so, else quoted as JSON is."""
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.casefold() not in _MEANT
        return value if plain else json.dumps(value, ensure_ascii=not value.isprintable())
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return f"{value:.10g}"


def _laid(head: str, value: Any, indent: int) -> list[str]:
    line = f"{head} {flow(value)}"
    if len(line) <= WIDTH or not value or isinstance(value, str) or not isinstance(value, Mapping | Sequence):
        return [line]
    if isinstance(value, Mapping):
        return [head, *(one for key, part in value.items() for one in entry(str(key), part, indent + 2))]
    if any(isinstance(part, Mapping) for part in value):
        return [head, *(one for part in value for one in item(part, indent + 2))]
    return [head, *_wrapped([flow(part) for part in value], " " * (indent + 2) + "[", "]")]


def _wrapped(parts: Sequence[str], lead: str, end: str) -> list[str]:
    """What stands between brackets over several lines, none of its parts cut."""
    lines, line, begun = list[str](), lead, False
    for part, mark in zip(parts, [*[","] * (len(parts) - 1), end], strict=True):
        if begun and len(line) + len(part) + len(mark) > WIDTH:
            lines.append(line.rstrip())
            line = " " * len(lead)
        line, begun = line + part + mark + " ", True
    return [*lines, line.rstrip()]


def item(value: Any, indent: int) -> list[str]:
    """The lines of one entry of a list."""
    lead = " " * indent
    line = f"{lead}- {flow(value)}"
    if len(line) <= WIDTH or not isinstance(value, Mapping):
        return [line]
    wrapped = _wrapped([f"{scalar(str(key))}: {flow(part)}" for key, part in value.items()], lead + "- {", "}")
    if max(map(len, wrapped)) <= WIDTH:
        return wrapped
    lines = [one for key, part in value.items() for one in entry(str(key), part, indent + 2)]
    return [f"{lead}- {lines[0].lstrip()}", *lines[1:]]
