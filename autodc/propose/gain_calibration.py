"""What of hopes came true: what datasets brought beside what was hoped of them, by which later hopes are corrected.

Of a kind of action the gain of a dataset is taken to be the hope times a ratio, give or take the error of measurement
and as much as was hoped (a hope is a share of an error: a dataset may bring none of it, or twice). Before any is
measured the ratio is 1, as if LIKE datasets had brought just what was hoped; then it is the mean of what is believed:
the conjugate normal estimate (Gelman et al. 2013, Bayesian Data Analysis, section 2.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, final

LIKE = 2.0
"""So many datasets that brought just what was hoped are believed in before any is measured."""
LEAST, MOST = 0.25, 4.0
"""Hopes are made no less and no more than so many times what they were."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one dataset brought, or several together, each of which is one outcome of its own."""

    kind: str
    """propose.actions.Deed."""
    name: str
    hoped: float
    """Before any correction, in the unit of the objective; above 0."""
    gained: float
    error: float
    """Standard error of what it gained; of several together of what all gained, for `hoped` of all."""
    part: float = 1.0
    """Of the outcome, which several may share: 1 in all."""

    @property
    def weight(self) -> float:
        """How much it tells, 1 at most: one whose measurement is as rough as what was hoped tells half."""
        return self.part * self.hoped**2 / (self.hoped**2 + self.error**2)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What came true of the hopes of a kind."""

    ratio: float
    """What later hopes are taken times."""
    hoped: float
    """Of all that was measured."""
    gained: float
    datasets: int

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {key: getattr(self, key) for key in self.__slots__}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Read it of its JSON form; what a later autodc added is left out."""
        return cls(**{key: told[key] for key in cls.__slots__})


def came_true(outcomes: Iterable[Outcome]) -> dict[str, Truth]:
    """Kind → what came true of its hopes; nothing of kinds of which nothing was measured."""
    by_kind: dict[str, list[Outcome]] = {}
    for one in outcomes:
        by_kind.setdefault(one.kind, []).append(one)
    return {kind: _truth(mine) for kind, mine in by_kind.items()}


def _truth(mine: Sequence[Outcome]) -> Truth:
    ratio = (LIKE + sum(o.weight * o.gained / o.hoped for o in mine)) / (LIKE + sum(o.weight for o in mine))
    return Truth(
        ratio=round(min(MOST, max(LEAST, ratio)), 6),
        hoped=round(sum(o.part * o.hoped for o in mine), 6),
        gained=round(sum(o.part * o.gained for o in mine), 6),
        datasets=len(mine),
    )
