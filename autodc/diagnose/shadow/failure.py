"""How likely the model fails on a row: learnt across folds from the failures of validation, calibrated out of fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from scipy.special import expit, logit
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from autodc.large import distinct_values

Array = np.ndarray[Any, Any]

FOLDS = 5
LEAST_FAILURES = 10
"""With fewer failures, or fewer rows that pass, nothing is learnt but how often it fails."""
MANY = 4000
"""Rows from which on trees may be larger."""
RISING = 1500
"""From so many rows on the calibration may have any rising form; below it is a logistic curve."""
MOST = 100_000
"""Rows that are learnt from."""
TINY = 1e-4


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FailureModel:
    """Probability of failure of rows with features."""

    trees: tuple[HistGradientBoostingClassifier, ...]
    """One a fold; none where there was too little to learn from."""
    curves: tuple[Any, ...]
    """Makes a probability of the scores of the trees, one a fold."""
    rate: float
    """Share of failures in validation."""
    out_of_fold: Array
    """Probability of each validation row by a model that has not seen it, shape (m,)."""
    auroc: float | None
    """Of these; None where there was nothing to learn."""
    auroc_of_confidence: float | None
    """Of the confidence of the model alone."""

    @classmethod
    def fit(cls, features: Array, failed: Array, groups: Array, categorical: Array, seed: int) -> Self:
        """Learn from validation rows. groups: rows of one number are in one fold; seed: of folds and trees."""
        rate = (failed.sum() + 0.5) / (len(failed) + 1)
        fold = _folds(failed, groups, seed)
        unsure = None if features.shape[1] == 0 else -features[:, 0].astype(float)
        if fold is None or features.shape[1] == 0:
            flat = np.full(len(failed), rate)
            return cls(
                trees=(),
                curves=(),
                rate=rate,
                out_of_fold=flat,
                auroc=None,
                auroc_of_confidence=auroc(failed, unsure),
            )
        trees, scores = [], np.zeros(len(failed))
        for k in range(FOLDS):
            tree = grown(features[fold != k], failed[fold != k], categorical, seed + k)
            scores[fold == k] = tree.decision_function(features[fold == k])
            trees.append(tree)
        both = _both(scores, features)
        curves = [_curve(both[fold != k], failed[fold != k]) for k in range(FOLDS)]
        found = np.zeros(len(failed))
        for k, curve in enumerate(curves):
            found[fold == k] = curve(both[fold == k])
        return cls(
            trees=tuple(trees),
            curves=tuple(curves),
            rate=float(rate),
            out_of_fold=found,
            auroc=auroc(failed, found),
            auroc_of_confidence=auroc(failed, unsure),
        )

    def predict(self, features: Array) -> Array:
        """Shape (n,). The mean of the models of the folds."""
        if not self.trees:
            return np.full(len(features), self.rate)
        each = [
            curve(_both(tree.decision_function(features), features))
            for tree, curve in zip(self.trees, self.curves, strict=True)
        ]
        return np.asarray(np.mean(each, axis=0))


def grown(features: Array, failed: Array, categorical: Array, seed: int, rounds: int = 120) -> Any:
    """Trees that tell failures from the rest. Small ones, drawn together: validation sets are small."""
    if len(failed) > MOST:
        some = np.random.default_rng(seed).choice(len(failed), MOST, replace=False)
        features, failed = features[some], failed[some]
    found = HistGradientBoostingClassifier(
        learning_rate=0.06,
        max_iter=rounds,
        max_leaf_nodes=12 if len(failed) < MANY else 24,
        min_samples_leaf=int(np.clip(len(failed) // 100, 8, 60)),
        l2_regularization=2.0,
        max_features=0.5,
        categorical_features=categorical if categorical.any() else None,
        early_stopping=False,
        random_state=seed,
    )
    return found.fit(features, failed)


def auroc(failed: Array, score: Array | None) -> float | None:
    """Chance that a row that fails has the higher score; None where one of the two kinds is not there."""
    positive = int(failed.sum())
    if score is None or not 0 < positive < len(failed):
        return None
    ranks = rankdata(score)
    return float((ranks[failed].sum() - positive * (positive + 1) / 2) / (positive * (len(failed) - positive)))


def _folds(failed: Array, groups: Array, seed: int) -> Array | None:
    """The fold of each row; None where there are too few failures, or too few groups of them, to cut."""
    if min(failed.sum(), (~failed).sum()) < LEAST_FAILURES:
        return None
    if min(len(distinct_values(groups[failed])), len(distinct_values(groups[~failed]))) < FOLDS:
        return None
    fold, rng = np.zeros(len(failed), dtype=int), np.random.default_rng(seed)
    _, of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    alone = sizes[of] == 1  # dealt at once: to weigh group by group takes a millisecond each
    together = np.flatnonzero(~alone)
    if len(distinct_values(of[together])) >= FOLDS:
        cut = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
        for k, (_, rows) in enumerate(cut.split(np.zeros((len(together), 1)), failed[together], of[together])):
            fold[together[rows]] = k
    else:
        fold[together] = of[together] % FOLDS
    for side in (failed, ~failed):
        rows = rng.permutation(np.flatnonzero(alone & side))
        fold[rows] = (np.arange(len(rows)) + rng.integers(FOLDS)) % FOLDS
    fits = all(0 < failed[fold != k].sum() < (fold != k).sum() for k in range(FOLDS))
    return fold if fits else None


def _both(scores: Array, features: Array) -> Array:
    """The score of the trees beside how sure the model is: where trees know little the second carries on."""
    return np.stack([scores, np.nan_to_num(features[:, 0].astype(float))], axis=1)


def _curve(both: Array, failed: Array) -> Any:
    """Make a probability of scores: logistic, and where rows are many a rising curve on top."""
    middle, scale = both.mean(axis=0), both.std(axis=0) + 1e-9
    line = LogisticRegression(C=10.0).fit((both - middle) / scale, failed)

    def straight(scores: Array) -> Array:
        return np.asarray(line.decision_function((scores - middle) / scale))

    if len(failed) < RISING:
        return lambda scores: np.clip(expit(straight(scores)), TINY, 1 - TINY)
    bend = IsotonicRegression(y_min=TINY, y_max=1 - TINY, out_of_bounds="clip").fit(straight(both), failed)
    # half of each, in log-odds: steps alone would make all rows of a step equal
    return lambda scores: expit(0.5 * (logit(bend.predict(s := straight(scores))) + np.clip(s, -9, 9)))
