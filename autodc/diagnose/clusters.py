"""Failures that no attribute measures: places in an embedding where the model errs, each as a ball.

Centres come from k-means on all rows and on the failed ones alone. Around each the radius is taken at which the ball
weighs most, the heaviest ball is taken, its rows no longer count, and so on. What attributes set a ball apart from
other rows of its classes is told beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np

from autodc.diagnose.finder import Ball, Suspicion
from autodc.diagnose.rule import Rule
from autodc.diagnose.terms import Terms, terms_of
from autodc.diagnose.view import View
from autodc.diagnose.weight import Errors, as_numbers

Array = np.ndarray[Any, Any]

Clusterer = Literal["kmeans", "hdbscan"]

CENTRES, OF_FAILED = 40, 40
"""Centres, of all rows and of those that failed."""
WIDEST = 0.1
"""Share of the rows that a ball has at most."""
TELLING = 0.35
"""What sets a cluster apart is told where so much of its share inside is beyond the share outside."""
FURTHER = 0.05
"""A further condition says something where it adds so much to that."""
MOST_CONDITIONS = 3
"""Attributes by which a cluster is told."""
LEAST_DENSE = 8
"""Rows of a cluster that HDBSCAN finds, at least."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Searches balls in each embedding of a view."""

    name: str = "clusters"
    by: Clusterer = "kmeans"
    """Where their centres come from."""

    def find(self, view: View, k: int, seed: int) -> Sequence[Suspicion]:
        """At most k balls, the heaviest first; none where the view has no embedding."""
        errors = Errors.of(view)
        if k < 1 or not view.embeddings or len(view) < errors.least or errors.deviation == 0:
            return ()
        spaces = {name: np.asarray(one, dtype=np.float64) for name, one in view.embeddings.items()}
        centres = [(name, c) for name in sorted(spaces) for c in self._centres(spaces[name], view.failed, seed)]
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

    def _centres(self, space: Array, failed: Array, seed: int) -> Array:
        """Shape (centres, d)."""
        if self.by == "hdbscan":
            return np.concatenate([_hdbscan(space), _hdbscan(space[failed])])
        return np.concatenate([_kmeans(space, CENTRES, seed), _kmeans(space[failed], OF_FAILED, seed)])


def _kmeans(rows: Array, most: int, seed: int) -> Array:
    from sklearn.cluster import KMeans

    count = min(most, len(np.unique(rows, axis=0)) // 2)
    if count < 1:
        return np.zeros((0, rows.shape[1]))
    return np.asarray(KMeans(count, n_init=1, max_iter=50, random_state=seed).fit(rows).cluster_centers_)


def _hdbscan(rows: Array) -> Array:
    from sklearn.cluster import HDBSCAN

    if len(rows) < 2 * LEAST_DENSE:
        return np.zeros((0, rows.shape[1]))
    model = HDBSCAN(min_cluster_size=LEAST_DENSE, cluster_selection_method="leaf", store_centers="centroid", copy=True)
    return np.asarray(model.fit(rows).centroids_).reshape(-1, rows.shape[1])


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
    """Conditions that hold inside and not outside, among rows of the same classes; none where nothing does.

    The rule is their conjunction: each says something that those before it do not. Beside it is told what each of the
    attributes that set the rows apart says alone.
    """
    if not len(terms) or inside.all():
        return Rule(()), {}
    weights = np.where(inside, 0.0, _matched(inside, view))
    weights /= max(weights.sum(), 1e-9)
    within, beyond = _shares(terms.masks, inside, weights)
    alone = _each_attribute(within - beyond, terms)
    if not len(alone):
        return Rule(()), {}
    chosen, both = [alone[0]], terms.masks[alone[0]]
    gap = within[alone[0]] - beyond[alone[0]]
    while len(chosen) < MOST_CONDITIONS:
        fewer = _shares(terms.masks & both, inside, weights)
        gaps = np.where(np.isin(terms.attributes, terms.attributes[chosen]), -1.0, fewer[0] - fewer[1])
        best = int(gaps.argmax())
        if gaps[best] < gap + FURTHER:
            break
        chosen, both, gap = [*chosen, best], both & terms.masks[best], gaps[best]
    shares = {"inside": float(both[inside].mean()), "outside": float(both @ weights)}
    apart = [
        {"rule": terms.conditions[i].sql, "inside": round(float(within[i]), 3), "outside": round(float(beyond[i]), 3)}
        for i in alone
    ]
    told = {"shares": {name: round(share, 3) for name, share in shares.items()}, "apart": apart}
    return Rule(tuple(terms.conditions[i] for i in chosen)), told


def _shares(masks: Array, inside: Array, weights: Array) -> tuple[Array, Array]:
    """Of rows inside and of those outside, shape (m,) each. weights: of the rows outside, 1 in all, shape (n,)."""
    within = masks[:, inside].mean(1)
    return within, np.concatenate([part @ weights for part in as_numbers(masks, np.float64)])


def _each_attribute(gaps: Array, terms: Terms) -> list[int]:
    """The widest condition of each attribute that sets rows apart, the widest first."""
    order = np.argsort(-gaps, kind="stable")
    order = order[gaps[order] >= TELLING]
    _, first = np.unique(terms.attributes[order], return_index=True)
    return [int(i) for i in order[np.sort(first)][:MOST_CONDITIONS]]


def _matched(inside: Array, view: View) -> Array:
    """Weights that give rows outside the classes of those inside."""
    label = view.labels
    if label is None:
        return np.ones(len(view))
    within = np.bincount(label[inside], minlength=label.max() + 1) / inside.sum()
    every = np.maximum(np.bincount(label[~inside], minlength=label.max() + 1), 1)
    return np.asarray((within / every)[label])
