"""`--set a.b=c`: change single values of a study file from the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from autodc.errors import SpecError
from autodc.studyfile import codes
from autodc.studyfile.document import Document, Issue, Mark, Path, Step, at, spell
from autodc.studyfile.reader import read_text
from autodc.studyfile.words import meant, shown

FIRST_RANK: Final = 1_000_000  # problems of overrides are told after those of files
_STEP: Final = re.compile(r"(?P<key>[^.\[\]=\s]+)|\[(?P<index>\d+)\]")


def apply(document: Document, overrides: Iterable[str], folder: str) -> list[Issue]:
    """Put each override into the document, in order, the last one winning; return what could not be put.

    An override is `path=value`; the value is YAML, its includes relative to `folder`.
    """
    issues: list[Issue] = []
    for number, override in enumerate(overrides):
        text, sign, value = override.partition("=")
        text = text.strip()
        mark = Mark(FIRST_RANK + number, 0, 0, f"--set {text}")
        path = parse(text) if sign else None
        if path is None:
            hint = "write --set loop.rounds=2 or --set slices[2].margin=0.02"
            error = SpecError(codes.BAD_OVERRIDE, "not a path, `=` and a value", f"--set {override}", "", hint)
            issues.append(Issue(mark, error))
            continue
        try:
            read, inner = read_text(value, mark.text, folder, mark.rank)
        except SpecError as error:
            issues.append(Issue(mark, error))
            continue
        issues += inner
        error_or_none = _put(document, path, read, mark)
        if error_or_none is not None:
            issues.append(Issue(mark, error_or_none))
        document.broken |= {path + below for below in read.broken}
    return issues


def parse(text: str) -> Path | None:
    """Split `data.candidates[0].cost` into its steps; None where it is no path."""
    steps: list[Step] = []
    position = 0
    while position < len(text):
        if steps and text[position] == ".":
            position += 1
            match = _STEP.match(text, position)
            if match is None or match["key"] is None:
                return None
        else:
            match = _STEP.match(text, position)
            if match is None or (match["key"] is None) != bool(steps):
                return None
        steps.append(match["key"] if match["key"] is not None else int(match["index"]))
        position = match.end()
    return tuple(steps) or None


def _put(document: Document, path: Path, read: Document, mark: Mark) -> SpecError | None:
    """Put a value; return the problem where the path leads nowhere."""
    try:
        document.put(path, read.value, mark)
    except LookupError as error:
        where: Path = error.args[0]
        entries = at(document.value, where)
        count = f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}, counted from 0"
        has = f"has {count}" if entries else "is empty"
        hint = "--set changes entries, it does not add any"
        return SpecError(codes.OVERRIDE_PATH, f"there is no such entry: {spell(where)} {has}", mark.text, "", hint)
    except TypeError as error:
        where = error.args[0]
        return _not_a_container(at(document.value, where), where, path, mark)
    return None


def _not_a_container(value: Any, where: Path, path: Path, mark: Mark) -> SpecError:
    """Explain a step into a list by key, into a mapping by number, or into a plain value."""
    step, name = path[len(where)], spell(where) or "the file"
    if isinstance(value, list):
        problem = f"{name} is a list: its entries are counted from 0"
        hint = f"write {spell((*where, 0, *path[len(where) + 1 :]))}"
        names = [v["name"] for v in value if isinstance(v, dict) and isinstance(v.get("name"), str)]
        found = meant(step, names) if isinstance(step, str) else None
        if found is not None:
            index = next(i for i, v in enumerate(value) if isinstance(v, dict) and v.get("name") == found)
            hint = f"{found} is {spell((*where, index))}: write {spell((*where, index, *path[len(where) + 1 :]))}"
        return SpecError(codes.OVERRIDE_PATH, problem, mark.text, f"`{step}`", hint)
    if isinstance(value, dict):
        keys = ", ".join(value) or "no keys"
        return SpecError(
            codes.OVERRIDE_PATH, f"{name} is a mapping: name a key", mark.text, f"[{step}]", f"it has {keys}"
        )
    return SpecError(codes.OVERRIDE_PATH, f"{name} is a single value, nothing is inside it", mark.text, shown(value))
