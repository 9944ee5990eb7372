"""Warnings that say the same of several datasets, slices or columns, as one that lists them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from autodc.plan.mixture import BASE
from autodc.study.journal.state import State

NUMBER = re.compile(r"[-+]?\d[\d.,:]*%?")
QUOTED = re.compile(r"`[^`]*`|'[^']*'")
SHOWN = 12
"""So many places are listed."""


def folded(warnings: Iterable[str], names: Sequence[str]) -> list[str]:
    """Return the warnings, those that differ in names and numbers alone as the first of them with the other places.

    names: of datasets and slices. A number that differs is told beside its place only in the first: what is alike asks
    for the same.
    """
    groups: dict[str, list[str]] = {}
    for words in dict.fromkeys(warnings):
        groups.setdefault(_shape(words, names), []).append(words)
    return [_told(group, names) for group in groups.values()]


def of_question(state: State) -> list[str]:
    """What a study warned of before its first training, folded."""
    return folded(state.question.warnings, [BASE, *state.question.slices, *state.candidates])


def _shape(words: str, names: Sequence[str]) -> str:
    """What is left of a warning without names and numbers."""
    return NUMBER.sub("#", QUOTED.sub("`", _without(names).sub("@", words) if names else words))


def _without(names: Sequence[str]) -> re.Pattern[str]:
    ranked = sorted(set(names), key=len, reverse=True)
    return re.compile(rf"(?<![\w./-])(?:{'|'.join(map(re.escape, ranked))})(?![\w/-])")


def _told(group: list[str], names: Sequence[str]) -> str:
    if len(group) == 1:
        return group[0]
    places = [place for words in group[1:] for place in _places(words, group[0], names)]
    listed = list(dict.fromkeys(places))
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return f"{group[0]} (the same of {', '.join(listed[:SHOWN])}{more})"


def _places(words: str, first: str, names: Sequence[str]) -> list[str]:
    """What a warning names that the first does not; where that is nothing, its numbers."""
    for pattern in (_without(names) if names else None, QUOTED, NUMBER):
        if pattern is None:
            continue
        known = set(pattern.findall(first))
        if own := [one.strip("`'") for one in dict.fromkeys(pattern.findall(words)) if one not in known]:
            return own
    return []
