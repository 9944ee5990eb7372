"""The share of failures in a stream without labels, with an interval that widens where validation has no such rows.

Four things are not known: how the rows of the stream will turn out (a sum of coins); how well the probabilities hold,
which validation tells on rows weighed as the stream has them; how well they hold where rows gather otherwise than in
validation: as well as in a region that was left out, for so large a share of the rows as would have to be others for
the two to be alike; and what happens under conditions that validation has not, where any share may fail. For the last
two the model of failures is also learnt again with one region of validation after the other left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.stats import norm
from sklearn.cluster import KMeans

from autodc.diagnose.shadow.failure import LEAST_FAILURES, FailureModel, auroc, grown

Array = np.ndarray[Any, Any]

CERTAINTY = 0.9
"""Of the interval."""
HEAVIEST = 20.0
"""No validation row weighs more than so many."""
NEW = 5.0
"""Conditions that are so many times as common in the stream count as new, by what goes beyond."""
CLUSTERS, TAILED, TAIL = 5, 3, 0.15
"""Regions that are left out: so many clusters, and of so many columns either end with so large a share of the rows."""
LEAST_ROWS = 30
ROUNDS = 60
"""Rounds of the trees that are grown to see what they say of a region they were not shown."""
ROSY_ROWS = 10_000
"""Rows of validation that regions are left out of."""
SHIFTED = 0.1
"""Share of the step from validation's share of failures to the stream's that is not known: standard deviation."""
ANY_SHARE = 1 / 12
"""Variance of a share of which nothing is known, between 0 and 1."""
REACH = 2.0
"""New conditions are seen to half: some of their rows lie among known ones."""
MATTERS = 0.01
"""A share of failures by which an estimate may be too low before it is told."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rosiness:
    """How far a model of failures is off where it was shown no rows of a kind."""

    mean: float
    """True minus expected share of failures in regions that were left out; above zero it was too rosy."""
    deviation: float
    """Between regions, without the luck of their rows."""
    regions: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Of the share of failures in a stream."""

    estimate: float
    low: float
    high: float
    """low, high: CERTAINTY that the share of these rows lies between them."""
    new: float
    """Share of the stream under conditions that validation hardly has."""
    counting: float
    """How many rows of validation speak for the stream, once they are weighed as it has them."""
    too_low: float
    """By how much the estimate may be too low for what is new."""

    @property
    def warned(self) -> bool:
        """Whether it may be too rosy by so much that a person should know."""
        return self.too_low >= MATTERS

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        values = {name: round(getattr(self, name), 6) for name in ("estimate", "low", "high")}
        about = {"certainty": CERTAINTY, "new_share": round(self.new, 4), "validation_rows": round(self.counting, 1)}
        return {**values, **about, "optimistic": {"warned": self.warned, "by_up_to": round(self.too_low, 4)}}


def rosiness(features: Array, met: Array, failed: Array, categorical: Array, seed: int) -> Rosiness:
    """Leave out one region of validation after the other and see how far expectation and truth are apart there.

    features: (m, d), met: the columns, (d,) of booleans, that say under which conditions a row was met.
    """
    nothing = Rosiness(mean=0.0, deviation=0.0, regions=0)
    if min(failed.sum(), (~failed).sum()) < 2 * LEAST_FAILURES or not met.any():
        return nothing
    if len(failed) > ROSY_ROWS:
        some = np.random.default_rng(seed).choice(len(failed), ROSY_ROWS, replace=False)
        features, failed = features[some], failed[some]
    gaps, noise = [], []
    for inside in _regions(_standard(features[:, met]), failed, seed):
        if inside.sum() < LEAST_ROWS or min(failed[~inside].sum(), (~failed[~inside]).sum()) < LEAST_FAILURES:
            continue
        tree = grown(features[~inside], failed[~inside], categorical, seed, ROUNDS)
        expected = tree.predict_proba(features[inside])[:, 1]
        gaps.append(failed[inside].mean() - expected.mean())
        noise.append((expected * (1 - expected)).mean() / inside.sum())
    if len(gaps) < 2:
        return nothing
    spread = max(0.0, float(np.var(gaps, ddof=1)) - float(np.mean(noise)))
    return Rosiness(mean=float(np.mean(gaps)), deviation=float(np.sqrt(spread)), regions=len(gaps))


def estimate(
    model: FailureModel,
    failed: Array,
    known: Array,
    probability: Array,
    ratio: Array,
    rosy: Rosiness,
    beyond: float = 0.0,
) -> Estimate:
    """Estimate the share of failures of the rows of a stream, or of a part of it.

    failed: (m,) of validation; known: (m,) how many times as common the conditions of each are in the stream;
    probability: (n,) of failure; ratio: (n,) the same as `known` of the rows; beyond: share of them that is further
    away than anything known. Source: the doubly robust mean under covariate shift, the correction by weighted residuals
    out of fold.
    """
    rest = failed - model.out_of_fold
    plain = float(rest.mean())
    weight = np.clip(known, 0.0, HEAVIEST)
    weight = weight / weight.sum() if weight.sum() > 0 else np.full(len(rest), 1 / len(rest))
    shifted = float((weight * rest).sum())
    variance = float((weight**2 * (rest - shifted) ** 2).sum()) * len(rest) / max(1, len(rest) - 1)
    step = shifted - plain
    correction = plain + step * step**2 / (step**2 + variance) if step else plain
    luck = float((probability * (1 - probability)).mean()) / len(probability)
    rare = np.maximum(0.0, 1.0 - NEW / np.maximum(ratio, 1e-9))
    new = max(float(rare.mean()), beyond)
    newest = rare if rare.sum() > beyond * len(rare) else np.maximum(0.0, ratio - 1.0)
    passing = new * float(np.average(1 - probability, weights=newest if newest.sum() > 0 else None))
    middle = float(np.clip(probability.mean() + correction + new * rosy.mean, 0.0, 1.0))
    z = float(norm.ppf(0.5 + CERTAINTY / 2))
    step_not_known = SHIFTED * (middle - float(failed.mean()))
    elsewhere = float(np.maximum(0.0, 1.0 - 1.0 / np.maximum(ratio, 1e-9)).mean())  # total variation
    of_new = REACH * new * np.sqrt(ANY_SHARE + rosy.deviation**2)
    half = z * float(np.sqrt(variance + luck + step_not_known**2 + (elsewhere * rosy.deviation) ** 2 + of_new**2))
    return Estimate(
        estimate=middle,
        low=max(0.0, middle - half),
        high=min(1.0, middle + half),
        new=new,
        counting=float(1 / (weight**2).sum()),
        too_low=passing,
    )


def _regions(place: Array, failed: Array, seed: int) -> list[Array]:
    """Clusters of rows, and the ends of the columns that failures have most to do with; masks, shape (m,)."""
    count = int(np.clip(len(failed) // 150, 2, CLUSTERS))
    cluster = KMeans(count, n_init=2, random_state=seed).fit_predict(place)
    found = [cluster == k for k in range(count)]
    telling = [abs((auroc(failed, column) or 0.5) - 0.5) for column in place.T]
    for at in np.argsort(telling)[::-1][:TAILED]:
        low, high = np.quantile(place[:, at], [TAIL, 1 - TAIL])
        ends = [place[:, at] <= low, place[:, at] >= high]
        found += [end for end in ends if end.mean() <= 2 * TAIL]
    return found


def _standard(features: Array) -> Array:
    """Columns on one scale, without gaps."""
    middle = np.nan_to_num(np.nanmean(np.where(np.isnan(features).all(axis=0), 0.0, features), axis=0))
    whole = np.where(np.isnan(features), middle, features)
    scale = whole.std(axis=0)
    return np.asarray(np.clip((whole - middle) / np.where(scale > 0, scale, 1.0), -5, 5))
