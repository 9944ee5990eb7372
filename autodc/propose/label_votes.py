"""What several models that have not seen a row say of its class, learned from rows whose labels they do not doubt.

The mean of three that fail differently: logistic regression, extremely randomised trees and nearest neighbours. They
are fitted twice, the second time without the rows that confident learning doubts after the first: a model that learned
from wrong labels expects them (Northcutt, Jiang & Chuang, JAIR 2021; cleanlab prunes and fits again likewise).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc import seeds
from autodc.diagnose.labels import LEAST_OF_CLASS, doubted
from autodc.large import distinct_values, evenly

Array = np.ndarray[Any, Any]

FOLDS = 5
MOST_SEEN = 10_000
"""Rows that models are fitted to in a fold, evenly."""
TREES, NEIGHBOURS = 50, 15
PENALTY = 10.0
"""Of the logistic regression, on standardised coordinates."""


def judged(points: Array, codes: Array, units: Array, classes: int, seed: int) -> Array:
    """Return a probability of each class for each row, shape (n, classes).

    points: shape (n, d). codes: shape (n,). units: shape (n,), rows of one number are in one fold.
    """
    folds = _folds(codes, units, seed)
    first = _said(points, codes, folds, classes, np.ones(len(codes), dtype=bool), seed)
    left_out = _doubted(codes, first)
    return _said(points, codes, folds, classes, ~left_out, seed) if left_out.any() else first


def _folds(codes: Array, units: Array, seed: int) -> list[Array]:
    """Rows of each fold: units whole, classes spread as evenly as they allow."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    state, blank = seeds.integer(seed, "judging", "folds"), np.zeros(len(codes))
    if len(distinct_values(units)) == len(units):
        found = StratifiedKFold(FOLDS, shuffle=True, random_state=state).split(blank, codes)
    else:
        found = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=state).split(blank, codes, units)
    return [held for _, held in found]


def _said(points: Array, codes: Array, folds: list[Array], classes: int, trusted: Array, seed: int) -> Array:
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    found = np.zeros((len(codes), classes))
    for held in folds:
        seen = trusted.copy()
        seen[held] = False
        rows = evenly(np.flatnonzero(seen), MOST_SEEN)
        if not len(rows):
            continue
        known = distinct_values(codes[rows])
        if len(known) == 1:
            found[held, known[0]] = 1.0
            continue
        models = [
            make_pipeline(StandardScaler(), LogisticRegression(C=1 / PENALTY, max_iter=300)),
            ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=seeds.integer(seed, "judging", "trees")),
            KNeighborsClassifier(min(NEIGHBOURS, len(rows)), weights="distance"),
        ]
        for model in models:
            said = model.fit(points[rows], codes[rows]).predict_proba(points[held])
            found[np.ix_(held, known)] += said / len(models)
    found[found.sum(axis=1) == 0] = 1 / classes
    return found


def _doubted(codes: Array, shares: Array) -> Array:
    """Rows that confident learning doubts; of a class none where too few would stay."""
    flagged = doubted(codes, shares)
    left = np.bincount(codes[~flagged], minlength=shares.shape[1])
    return flagged & (left >= LEAST_OF_CLASS)[codes]
