"""The conditions of a search space: each `when` names a parameter that exists and a value that it can have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, TypeGuard

from autodc.hints import suggest
from autodc.studyfile import codes
from autodc.studyfile.document import Document, Issue, Path, shown

RECIPE: Final = "recipe"
SPACE: Final = "search_space"
_ON_GRID: Final = 1e-9  # how far a value may be from a step, in steps


def check_conditions(document: Document, space: Mapping[str, Any], recipes: Sequence[str]) -> Iterator[Issue]:
    """All that is wrong with the conditions of a search space. recipes: those of the study."""
    if RECIPE in space:
        hint = "`when: {recipe: ...}` speaks of the recipes of the study: choose another name"
        problem = "a parameter may not be called so"
        yield document.issue(codes.RESERVED_NAME, (SPACE, RECIPE), problem, RECIPE, hint)
    for name, parameter in space.items():
        for other, wanted in _conditions(parameter).items():
            path: Path = (SPACE, name, "when", other)
            if other == RECIPE or other in space:
                yield from _condition(document, path, space.get(other), recipes, wanted)
            else:
                hint = suggest(other, [*(n for n in space if n != name), RECIPE], "parameters")
                yield document.issue(codes.UNKNOWN_PARAMETER, path, "there is no such parameter", other, hint)
    yield from _cycles(document, space)


def _condition(document: Document, path: Path, parameter: Any, recipes: Sequence[str], wanted: Any) -> Iterator[Issue]:
    """Check one `other: value`; a list means any of its values."""
    other = str(path[-1])
    choices = parameter.get("choices") if isinstance(parameter, dict) else None
    may_be_null = isinstance(choices, list) and None in choices
    if isinstance(wanted, dict) or wanted == [] or (wanted is None and not may_be_null):
        problem = "a condition is a value, or a list of values of which any will do"
        yield document.issue(codes.IMPOSSIBLE_WHEN, path, problem, shown(wanted))
        return
    for at, value in [((*path, i), v) for i, v in enumerate(wanted)] if isinstance(wanted, list) else [(path, wanted)]:
        if other == RECIPE:
            if value not in recipes:
                hint = suggest(str(value), recipes, "recipes of the study")
                problem = "this recipe is not in `recipes`"
                yield document.issue(codes.UNKNOWN_RECIPE, at, problem, shown(value), hint, at_value=True)
        elif (possible := _possible(other, parameter, value)) is not None:
            hint = possible
            if isinstance(wanted, list) and _possible(other, parameter, wanted) is None:
                hint = f"a list means any of its values; for the one value that is this list write {shown([wanted])}"
            problem = f"{other} never has this value"
            yield document.issue(codes.IMPOSSIBLE_WHEN, at, problem, shown(value), hint, at_value=True)


def _possible(other: str, parameter: Any, value: Any) -> str | None:
    """What a parameter can have, where it can never have this value; None where it can or where nobody knows."""
    if not isinstance(parameter, dict):
        return None
    kind, choices = parameter.get("type"), parameter.get("choices")
    if kind == "categorical":
        if not isinstance(choices, list) or not choices or any(_same(value, choice) for choice in choices):
            return None
        return suggest(str(value), [c if isinstance(c, str) else shown(c) for c in choices], "choices")
    low, high, step = parameter.get("low"), parameter.get("high"), parameter.get("step")
    if kind not in ("float", "int") or not _is_number(low) or not _is_number(high) or not low < high:
        return None
    possible = _is_number(value) and low <= value <= high
    words = f"{other} runs from {low:g} to {high:g}"
    if kind == "int":
        possible = possible and float(value).is_integer()
        words += ", whole numbers"
    if _is_number(step) and step > 0:
        steps = (value - low) / step if possible else 0.0
        possible = possible and abs(steps - round(steps)) <= _ON_GRID * max(1.0, abs(steps))
        words += f", in steps of {step:g}"
    return None if possible else words


def _cycles(document: Document, space: Mapping[str, Any]) -> Iterator[Issue]:
    """Each circle of conditions, told once, at its parameter that comes first in the file."""
    after = {name: [o for o in _conditions(parameter) if o in space] for name, parameter in space.items()}
    while True:
        try:
            TopologicalSorter(after).prepare()
            return
        except CycleError as error:
            circle: list[str] = list(reversed(error.args[1]))[:-1]
        first = circle.index(next(name for name in space if name in circle))
        circle = circle[first:] + circle[:first]
        problem = "parameters wait for each other in a circle: " + " -> ".join([*circle, circle[0]])
        hint = "take one of these conditions out: as they are, none of the parameters could ever be used"
        yield document.issue(codes.WHEN_CYCLE, (SPACE, circle[0], "when"), problem, hint=hint)
        after |= {name: [] for name in circle}


def _conditions(parameter: Any) -> dict[str, Any]:
    conditions = parameter.get("when") if isinstance(parameter, dict) else None
    return conditions if isinstance(conditions, dict) else {}


def _same(value: Any, choice: Any) -> bool:
    """Equal, and true is not 1."""
    return bool(value == choice) and isinstance(value, bool) == isinstance(choice, bool)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
