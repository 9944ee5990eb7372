"""What runs are called in MLflow, so that a person knows one from another: `0157 end b1.15 d2 f2`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import final

from autodc.plan.mixture import BASE
from autodc.study.rules.last import BASE_TUNED, EVERYTHING_TUNED

OBVIOUS = {BASE_TUNED: "base tuned", EVERYTHING_TUNED: "everything tuned"}
"""Arm of the last measurement → the role its trainings have."""

_MOST = 6  # datasets named in the name of a run
_WORDS = re.compile(r"[A-Za-z0-9]+")


@final
class Initials:
    """A short sign for each dataset, given once and never to another: by the order in which they are known."""

    def __init__(self) -> None:
        self._signs: dict[str, str] = {BASE: "b"}

    def learn(self, names: Iterable[str]) -> None:
        """Give signs to those of these that have none."""
        new = [name for name in names if name not in self._signs]
        begin = [words[0] for name in (*self._signs, *new) if len(words := _WORDS.findall(name)) > 1]
        for name in new:
            words = _WORDS.findall(name) or [name]
            shared = begin.count(words[0]) > 1
            self._signs[name] = next(sign for sign in _tried(name, words, shared) if sign not in self._signs.values())

    def of(self, mixture: Mapping[str, float]) -> str:
        """A mixture in short: `b1.15 d2 f2`, the base first."""
        self.learn(mixture)
        ordered = sorted(mixture.items(), key=lambda one: one[0] != BASE)
        shown = [f"{_joined(self._signs[name])}{weight:.3g}" for name, weight in ordered[:_MOST]]
        more = len(ordered) - _MOST
        return " ".join([*shown, *([f"+{more} more"] if more > 0 else [])])

    def legend(self, names: Iterable[str]) -> str:
        """What the signs of these stand for, in one line."""
        return ", ".join(f"{self._signs[name]} = {name}" for name in names if name in self._signs)


def study_name(name: str, time: float) -> str:
    """A study's run: the study, and when it began (UTC), since the same study is run again."""
    return f"{name} {datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M}" if time else name


def trial_name(number: int, role: str, fidelity: float, mixture: str) -> str:
    """A training's run."""
    cheap = f" {fidelity:.0%}" if fidelity < 1 else ""
    return f"{number:04d} {role}{cheap} {mixture}"


def _tried(name: str, words: list[str], shared: bool) -> Iterable[str]:
    """Signs for a name, the best first; the last is the name itself."""
    last = words[-1]
    if shared:  # gen-1, gen-2; set_a, set_b: it is the last word that tells them apart
        yield last if len(last) <= 3 and not last.isdigit() else f"{words[0][0]}{last[:4]}"
        yield f"{words[0][0]}{last}"
    yield from (words[0][:length].lower() for length in range(1, len(words[0]) + 1))
    yield "".join(word[0] for word in words).lower()
    yield name
    yield from (f"{name}#{number}" for number in range(2, 1000))


def _joined(sign: str) -> str:
    return f"{sign}×" if sign[-1].isdigit() else sign
