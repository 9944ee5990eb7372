"""Failures that no attribute measures: places in an embedding where the model errs, each as a ball.

Centres come from k-means on all rows and on the failed ones alone. Around each the radius is taken at which the ball
weighs most, the heaviest ball is taken, its rows no longer count, and so on. What attributes set a ball apart from
other rows of its classes is told beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.diagnose.finder import Ball, Suspicion
from autodc.diagnose.rule import Rule
from autodc.diagnose.terms import Terms, terms_of
from autodc.diagnose.view import View
from autodc.diagnose.weight import Errors, as_numbers

Array = np.ndarray[Any, Any]

CENTRES, OF_FAILED = 40, 40
"""Centres, of all rows and of those that failed."""
WIDEST = 0.1
"""Share of the rows that a ball has at most."""
TELLING = 0.35
"""What sets a cluster apart is told where so much of its share inside is beyond the share outside."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Searches balls in each embedding of a view."""

    name: str = "clusters"

    def find(self, view: View, k: int, seed: int) -> Sequence[Suspicion]:
        """At most k balls, the heaviest first; none where the view has no embedding."""
        errors = Errors.of(view)
        if k < 1 or not view.embeddings or len(view) < errors.least or errors.deviation == 0:
            return ()
        spaces = {name: np.asarray(one, dtype=np.float64) for name, one in view.embeddings.items()}
        centres = [(name, c) for name in sorted(spaces) for c in _centres(spaces[name], view.failed, seed)]
        distances = np.array([np.linalg.norm(spaces[name] - centre, axis=1) for name, centre in centres])
        order = np.argsort(distances, axis=1, kind="stable")
        terms = terms_of(view.attributes, least=2)
        found: list[Suspicion] = []
        while len(found) < k:
            best, size, score = _heaviest(order, errors)
            if score <= 0:
                break
            name, centre = centres[best]
            edge = distances[best, order[best, size - 1 : size + 1]]
            ball = Ball(embedding=name, centre=centre, radius=float(edge.mean()))
            inside = ball.mask(spaces[name])
            rule, told = _what_sets_apart(inside, terms, view)
            found.append(Suspicion(rule=rule, score=score, by=self.name, kind="cluster", ball=ball, told=told))
            errors = errors.without(inside)
        return tuple(found)


def _centres(space: Array, failed: Array, seed: int) -> Array:
    from sklearn.cluster import KMeans

    parts = []
    for rows, count in ((space, CENTRES), (space[failed], OF_FAILED)):
        count = min(count, len(np.unique(rows, axis=0)) // 2)
        if count >= 1:
            parts.append(KMeans(count, n_init=1, max_iter=50, random_state=seed).fit(rows).cluster_centers_)
    return np.concatenate(parts) if parts else np.zeros((0, space.shape[1]))


def _heaviest(order: Array, errors: Errors) -> tuple[int, int, float]:
    """Which centre, how many of the nearest rows, and their score. order: rows by distance, shape (centres, n)."""
    if not order.size:
        return 0, 0, 0.0
    most = max(2, int(WIDEST * order.shape[1]))
    nearest = order[:, :most]
    count = np.cumsum(errors.weights[nearest], axis=1)
    total = np.cumsum((errors.weights * errors.excess)[nearest], axis=1)
    score = errors.score(count, total)
    score[:, -1] = 0  # a radius lies between two rows
    best = int(score.argmax())
    row, column = divmod(best, most)
    return row, column + 1, float(score[row, column])


def _what_sets_apart(inside: Array, terms: Terms, view: View) -> tuple[Rule, dict[str, Any]]:
    """The condition that holds inside and not outside, among rows of the same classes; none where nothing does."""
    if not len(terms) or inside.all():
        return Rule(()), {}
    weights = _matched(inside, view)
    within = terms.masks[:, inside].mean(1)
    weights = np.where(inside, 0.0, weights)
    beyond = np.concatenate([part @ weights for part in as_numbers(terms.masks, np.float64)])
    beyond /= max(weights.sum(), 1e-9)
    best = int((within - beyond).argmax())
    if within[best] - beyond[best] < TELLING:
        return Rule(()), {}
    shares = {"inside": round(float(within[best]), 3), "outside": round(float(beyond[best]), 3)}
    return Rule((terms.conditions[best],)), {"shares": shares}


def _matched(inside: Array, view: View) -> Array:
    """Weights that give rows outside the classes of those inside."""
    label = view.labels
    if label is None:
        return np.ones(len(view))
    within = np.bincount(label[inside], minlength=label.max() + 1) / inside.sum()
    every = np.maximum(np.bincount(label[~inside], minlength=label.max() + 1), 1)
    return np.asarray((within / every)[label])
