"""What a world is made of: rows to train on, rows held back and cut into slices, and what was planted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Rows to train on. x: (n, d) float32; y: (n,) class numbers."""

    x: Array
    y: Array

    def __len__(self) -> int:
        return len(self.y)

    def at(self, positions: Array | slice) -> Rows:
        """Some of them."""
        return Rows(x=self.x[positions], y=self.y[positions])

    def shifted_labels(self) -> Rows:
        """The same inputs under a label file that is one row off."""
        return Rows(x=self.x, y=np.roll(self.y, 1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """Rows held back. slices: name → positions, rising; groups: (n,) rows of one scan share a number, or None."""

    rows: Rows
    slices: Mapping[str, Array]
    groups: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Planted:
    """A world's data and truth. kinds: candidate → what was planted; cures: the candidates the oracle adds;
    twins: candidate that has rows of a cure → that cure; targets: target slices; guards: guard slice → margin."""

    base: Rows
    candidates: Mapping[str, Rows]
    kinds: Mapping[str, str]
    cures: frozenset[str]
    twins: Mapping[str, str]
    validation: Held
    test: Held
    targets: tuple[str, ...]
    guards: Mapping[str, float]
    classes: int


def join(*parts: Rows) -> Rows:
    """One set after the other."""
    return Rows(x=np.concatenate([p.x for p in parts]), y=np.concatenate([p.y for p in parts]))
