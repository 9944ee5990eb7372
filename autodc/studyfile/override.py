"""`--set a.b=c`: change single values of a study file from the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from autodc.errors import SpecError
from autodc.hints import meant
from autodc.studyfile import codes
from autodc.studyfile.document import Document, Issue, Mark, Node, Path, shown, spell
from autodc.studyfile.reader import read_text

FIRST_RANK: Final = 1_000_000  # problems of overrides are told after those of files
_PATH: Final = re.compile(r"[^.\[\]=\s]+(?:\.[^.\[\]=\s]+|\[\d+\])*")
_STEP: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def apply(document: Document, overrides: Iterable[str], folder: str) -> list[Issue]:
    """Put each override into the document, in order, the last one winning; return what could not be put.

    An override is `path=value`; the value is YAML, its includes relative to `folder`.
    """
    issues: list[Issue] = []
    for number, override in enumerate(overrides):
        text, sign, value = override.partition("=")
        mark = Mark(FIRST_RANK + number, 0, 0, f"--set {text.strip()}")
        try:
            path = parse(text.strip()) if sign else None
            if path is None:
                hint = "write --set loop.rounds=2 or --set slices[2].margin=0.02"
                raise SpecError(codes.BAD_OVERRIDE, "not a path, `=` and a value", f"--set {override}", "", hint)
            read, inner = read_text(value, mark.text, folder, mark.rank)
            issues += inner
            _put(document, path, read.root)
        except SpecError as error:
            issues.append(Issue(mark, error))
    return issues


def parse(text: str) -> Path | None:
    """Split `data.candidates[0].cost` into its steps; None where it is no path."""
    if not _PATH.fullmatch(text):
        return None
    return tuple(int(index) if index else key for index, key in _STEP.findall(text))


def _put(document: Document, path: Path, node: Node) -> None:
    """Set a value; mappings on the way are made. Raises SpecError where the path leads nowhere."""
    above, mark = document.root, node.mark
    for depth, step in enumerate(path):
        values: Any = above.value
        fits = isinstance(values, list if isinstance(step, int) else dict)
        if not fits:
            raise _not_a_container(above, path[:depth], path, mark)
        if isinstance(step, int) and step >= len(values):
            count = f"{len(values)} {'entry' if len(values) == 1 else 'entries'}, counted from 0"
            has = f"has {count}" if values else "is empty"
            problem = f"there is no such entry: {spell(path[:depth])} {has}"
            raise SpecError(codes.OVERRIDE_PATH, problem, mark.text, "", "--set changes entries, it does not add any")
        if depth == len(path) - 1:
            node.key, node.name = mark, step
            values[step] = node
            return
        below = above.child(step)
        if below is None:
            below = values[step] = Node(None, mark, mark, step)
        if below.value is None and isinstance(step, str):
            below.value = [] if isinstance(path[depth + 1], int) else {}
        above = below


def _not_a_container(node: Node, where: Path, path: Path, mark: Mark) -> SpecError:
    """Explain a step into a list by key, into a mapping by number, or into a plain value."""
    step, name = path[len(where)], spell(where) or "the file"
    if isinstance(node.value, list):
        problem = f"{name} is a list: its entries are counted from 0"
        return SpecError(codes.OVERRIDE_PATH, problem, mark.text, f"`{step}`", _entry(node, where, path))
    if isinstance(node.value, dict):
        problem, keys = f"{name} is a mapping: name a key", ", ".join(node.value) or "no keys"
        return SpecError(codes.OVERRIDE_PATH, problem, mark.text, f"[{step}]", f"it has {keys}")
    problem = f"{name} is a single value, nothing is inside it"
    return SpecError(codes.OVERRIDE_PATH, problem, mark.text, shown(node.value))


def _entry(node: Node, where: Path, path: Path) -> str:
    """How to write the entry of a list that was meant by a name."""
    named, rest = str(path[len(where)]), path[len(where) + 1 :]
    names = [str(one["name"]) if isinstance(one, dict) and one.get("name") else "" for one in node.plain()]
    found = meant(named, [name for name in names if name])
    at = (*where, 0 if found is None else names.index(found))
    told = "" if found is None else f"{found} is {spell(at)}: "
    return f"{told}write {spell((*at, *rest))}"
