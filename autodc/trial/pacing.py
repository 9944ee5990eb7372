"""Recipe `curriculum` by difficulty: which rows are drawn from at each step, from the easiest to all of them.

The share of the rows that is drawn from grows by a line or a power from where it begins to all of them (Hacohen and
Weinshall 2019, "On the power of curriculum learning"; Bengio et al. 2009). How hard a row is, the trainer measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal, final

import numpy as np

from autodc.plan.mixture import batches

Array = np.ndarray[Any, Any]
Growth = Literal["linear", "exponential"]

EASY_FIRST: Final = "easy_first"
HARD_FIRST: Final = "hard_first"
BY_DIFFICULTY: Final = (EASY_FIRST, HARD_FIRST)
"""Orders of a curriculum that go by rows, not by datasets."""
STEPS_OF_GROWTH: Final = 10
"""So often the share of the rows grows."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pace:
    """How the rows of a phase come in."""

    start: float
    """Share of the rows at the first step, (0, 1]."""
    full: float
    """Share of the steps before all rows are in."""
    growth: Growth = "linear"
    hard_first: bool = False
    ranks: tuple[Array, ...] = ()
    """Of each part the place of its rows among all, (n,) in (0, 1], the first ones low; empty until it is measured."""

    def share(self, done: float) -> float:
        """The share of the rows that is drawn from once so much of the steps is done."""
        at = min(1.0, done / self.full) if self.full > 0 else 1.0
        at = int(at * STEPS_OF_GROWTH + 1e-9) / STEPS_OF_GROWTH
        if self.growth == "exponential":
            return float(self.start ** (1 - at))
        return float(self.start + (1 - self.start) * at)

    def shares(self) -> tuple[tuple[float, float], ...]:
        """From which share of the steps on which share of the rows is drawn from."""
        begun = [self.full * at / STEPS_OF_GROWTH for at in range(STEPS_OF_GROWTH + 1)]
        return tuple((one, self.share(one)) for one in begun)

    def rows(self, done: float) -> list[Array]:
        """The rows of each part that are drawn from once so much of the steps is done; all where that were none."""
        share = self.share(done) + 1e-12
        found = [np.flatnonzero(ranks <= share) for ranks in self.ranks]
        return found if any(map(len, found)) else [np.arange(len(ranks)) for ranks in self.ranks]


def paced(
    sizes: Sequence[int], weights: Sequence[float], pace: Pace, batch_size: int, steps: int, rng: np.random.Generator
) -> Array:
    """Return row positions in the concatenation of the parts, shape (steps, batch_size), int64; as `batches` does."""
    starts = np.cumsum([0, *sizes])
    ends = sorted({round(steps * pace.full * at / STEPS_OF_GROWTH) for at in range(STEPS_OF_GROWTH + 1)} | {0, steps})
    plans = []
    for first, end in pairwise(ends):
        open_ = pace.rows(first / steps)
        if not sum(round(weight * len(rows)) for weight, rows in zip(weights, open_, strict=True)):
            open_ = [np.arange(size) for size in sizes]  # so few that no weight comes to a row
        places = np.concatenate([rows + start for rows, start in zip(open_, starts, strict=False)])
        plans.append(places[batches([len(rows) for rows in open_], weights, batch_size, end - first, rng)])
    return np.concatenate(plans).astype(np.int64)
