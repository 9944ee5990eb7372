"""The finder port: who proposes where a model may fail. What it proposes is a suspicion until other rows confirm it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, final

import numpy as np

from autodc.diagnose.rule import Rule
from autodc.diagnose.view import View

Array = np.ndarray[Any, Any]

FindingKind = Literal["attributes", "cluster"]
"""attributes: a rule that a person reads; cluster: a ball in the coordinates of an embedding."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ball:
    """The rows of which the coordinates in an embedding are nearest to a centre."""

    embedding: str
    centre: Array
    """Shape (d,)."""
    radius: float
    """Euclidean."""

    def mask(self, embeddings: Array) -> Array:
        """Shape (n,). embeddings: shape (n, d)."""
        return np.asarray(np.linalg.norm(embeddings - self.centre, axis=1) <= self.radius)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Suspicion:
    """Rows on which a model may fail more often, as a finder says it of rows it has not seen."""

    rule: Rule
    """For a cluster: the attributes that set it apart, which may be none; it tells, and does not choose."""
    score: float
    """The finder's own, larger is worse for the model; comparable among what it returns alone."""
    by: str
    """The finder."""
    kind: FindingKind = "attributes"
    ball: Ball | None = None
    """Of a cluster: what chooses its rows."""
    told: dict[str, Any] = field(default_factory=dict)
    """What else a person may want to know of how it was found; JSON values."""

    def mask(self, view: View) -> Array:
        """The rows of a view that are meant, shape (n,); of a rule that names the class, by the labels of the view."""
        if self.ball is not None:
            return self.ball.mask(view.embeddings[self.ball.embedding])
        return self.rule.mask(view.columns if self.rule.names_class else view.attributes)


ALIKE = 0.5
"""Two suspicions are one where so much of the rows of either is in both."""


def alike(one: Array, two: Array) -> bool:
    """Whether two masks mean nearly the same rows, both shape (n,)."""
    both = int((one & two).sum())
    return both >= ALIKE * max(1, int((one | two).sum())) and both > 0


class Finder(Protocol):
    """Looks for rows on which a model fails. One that is a user's own: `path/to/file.py:Object` or an entry point."""

    @property
    def name(self) -> str:
        """What it is called in findings and notes."""
        ...

    def find(self, view: View, k: int, seed: int) -> Sequence[Suspicion]:
        """Return at most k suspicions, the worst first; the same view and seed, the same suspicions.

        view: the half of the explore rows to look at; confirming is not the finder's.
        """
        ...
