"""What a simple model says of rows that it has not seen, by cross-validation over an embedding."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc import seeds
from autodc.diagnose.check import coordinates
from autodc.large import distinct_values

Array = np.ndarray[Any, Any]

FOLDS = 5
WIDEST = 50
"""Principal components that a wide embedding is brought to."""
PENALTY = 10.0
"""Of the logistic regression and the ridge, on standardised components."""


def cross_validated(embedding: Array, y: Array, groups: Array | None, seed: int) -> Array:
    """Return what a simple model that has not seen a row, nor its group, says of it.

    embedding: shape (n, d). y: shape (n,); of floats the answer is a prediction, shape (n,), of anything else a
    probability for each label of `np.unique(y)`, shape (n, classes). groups: ints, shape (n,).
    A class that no other fold has is given probability 0 in that fold. Raises DataError ADC-DIAG-050.
    """
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    y = np.asarray(y)
    x = _narrow(coordinates(embedding, len(y), "embedding"), seed)
    is_number = y.dtype.kind == "f"
    classes = np.zeros(0) if is_number else distinct_values(y)
    found = np.zeros(len(y)) if is_number else np.zeros((len(y), len(classes)))
    fold = _folds(y, groups, seed, is_number=is_number)
    for one in distinct_values(fold):
        seen, held = np.flatnonzero(fold != one), np.flatnonzero(fold == one)
        if is_number:
            model = make_pipeline(StandardScaler(), Ridge(alpha=PENALTY))
            found[held] = model.fit(x[seen], y[seen]).predict(x[held])
            continue
        known = distinct_values(y[seen])
        columns = np.searchsorted(classes, known)
        if len(known) == 1:
            found[held, columns[0]] = 1.0
            continue
        model = make_pipeline(StandardScaler(), LogisticRegression(C=1 / PENALTY, max_iter=500))
        found[np.ix_(held, columns)] = model.fit(x[seen], y[seen]).predict_proba(x[held])
    return found


def of_others(embedding: Array, y: Array, others: Array) -> Array:
    """Return what the same model of rows says of other rows, as `cross_validated` does.

    embedding: shape (n, d), others: (m, d). Raises DataError ADC-DIAG-050.
    """
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    y, x = np.asarray(y), coordinates(embedding, len(y), "embedding")
    if y.dtype.kind == "f":
        return np.asarray(make_pipeline(StandardScaler(), Ridge(alpha=PENALTY)).fit(x, y).predict(others))
    if len(distinct_values(y)) == 1:
        return np.ones((len(others), 1))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1 / PENALTY, max_iter=500))
    return np.asarray(model.fit(x, y).predict_proba(others))


def _narrow(x: Array, seed: int) -> Array:
    """The first principal components of a wide embedding; labels have no part in them."""
    if x.shape[1] <= WIDEST or len(x) <= WIDEST:
        return x
    from sklearn.decomposition import PCA

    state = seeds.integer(seed, "unseen", "components")
    return np.asarray(PCA(WIDEST, svd_solver="randomized", random_state=state).fit_transform(x))


def _folds(y: Array, groups: Array | None, seed: int, *, is_number: bool) -> Array:
    """The fold of each row, shape (n,): groups whole, classes spread evenly as well as groups allow."""
    rng = seeds.generator(seed, "unseen", "folds")
    _, place = np.unique(np.arange(len(y)) if groups is None else np.asarray(groups), return_inverse=True)
    first = np.zeros(place.max() + 1, dtype=np.int64)
    first[place[::-1]] = np.arange(len(y))[::-1]
    rank = np.argsort(rng.permutation(len(first)), kind="stable")
    by = np.zeros(len(first)) if is_number else np.unique(y, return_inverse=True)[1].ravel()[first]
    order = np.lexsort((rank, by))
    of_unit = np.empty(len(first), dtype=np.int64)
    of_unit[order] = np.arange(len(first)) % min(FOLDS, max(2, len(first)))
    return of_unit[place.ravel()]
