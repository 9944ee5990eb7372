"""Rows of a pool that validation has and what is trained on lacks, whatever fails in them.

Where a model is weak everywhere, what fails says little of what is missing; which rows validation has is known all the
same. Trees tell explore rows from rows that are trained on, either side with the same weight, each row judged by trees
that saw none of its group. Above one half a row is likelier among explore rows. As many more of these as trained rows
are told so is at least the share of validation that is missing (a lower bound of the total variation between the two);
where that may be luck nothing is said to be missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
from scipy.special import stdtrit

from autodc.large import distinct_values, pieces_of
from autodc.propose.likelihood_ratio import COLUMNS, LEAF, LIKELIER, TREES
from autodc.propose.pool import MOST, Wish, wanted_rows
from autodc.propose.proposal import MISSING

if TYPE_CHECKING:
    from sklearn.tree import ExtraTreeClassifier

Array = np.ndarray[Any, Any]

FOLDS = 5
LEAST_GROUPS = 20
"""Groups of rows on either side below which nothing is told."""
SURE = 0.99
"""Of one side: it is asked in every round of every night."""
A_TREE = 10_000
"""So many groups of rows a tree is grown on, at most."""
AT_ONCE = 4096
"""Bytes of a row of the pool that is judged, about."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lack:
    """What validation has and trained rows lack."""

    share: float
    """Of validation, at least."""
    low: float
    """Its lower bound, by Student's distribution on the groups of the side with fewer; at 0 or below it may be luck."""
    auc: float
    """How well the two are told apart: area under the ROC curve, .5 by chance."""
    told: Array
    """Shape (n,) of booleans: the explore rows that are likelier among such than among trained rows."""
    like: Array
    """The same of rows of the pool, shape (N,), from 0 to 1; above LIKELIER they are likelier."""


def lack(trained: Array, explore: Array, groups: tuple[Array, Array], offered: Array, seed: int) -> Lack | None:
    """Tell what is missing; None where either side has too few groups.

    trained, explore, offered: features of rows, shape (m, d), (n, d) and (N, d), NaN where there is none, fitted to
    neither of the first two; groups: of trained and of explore rows, rows of one number are one observation.
    """
    from sklearn.metrics import roc_auc_score

    known, is_explore = np.concatenate([trained, explore]), np.repeat([False, True], [len(trained), len(explore)])
    units, unit = np.unique(np.concatenate(groups), return_inverse=True)
    fewest = min(len(distinct_values(one)) for one in groups)
    if fewest < LEAST_GROUPS:
        return None
    rng = np.random.default_rng(seed)
    fold = (rng.permutation(len(units)) % FOLDS)[unit]
    judged, like = np.zeros(len(known)), np.zeros(len(offered))
    for number in range(FOLDS):
        rest = fold != number
        trees = _grown(known[rest], is_explore[rest], unit[rest], rng)
        judged[~rest] = _judged(trees, known[~rest])
        for piece in pieces_of(len(offered), AT_ONCE):
            like[piece] += _judged(trees, offered[piece]) / FOLDS
    told = judged > LIKELIER
    sides = [(told[side], unit[side]) for side in (~is_explore, is_explore)]
    share = float(told[is_explore].mean() - told[~is_explore].mean())
    error = float(np.sqrt(sum(_variance(*one) for one in sides)))
    return Lack(
        share=share,
        low=share - float(stdtrit(fewest - 1, SURE)) * error,
        auc=float(roc_auc_score(is_explore, judged)),
        told=told[is_explore],
        like=like,
    )


def missing(found: Lack, ids: Array, error: float, trained: int, base: int, times: int) -> Wish:
    """The rows that validation has and trained rows lack, as many as these need to be as validation is.

    ids: positions in validation of the explore rows; error: mean error of those that are told so; trained: rows that
    are trained on, base: those of the base among them; times: how often such rows were asked for before.
    """
    needed = int(np.ceil(trained * found.share / (1 - min(found.share, 0.5))))
    part, area = round(found.share, 4), round(found.auc, 4)
    return Wish(
        name="pool-missing" if not times else f"pool-missing.{times + 1}",
        why=f"validation has their like and what is trained on lacks it, {part:.0%} of validation at least",
        expected=found.share * error,
        ids=ids[found.told],
        like=found.like,
        rows=min(MOST, max(wanted_rows(base), needed)),
        tags=(MISSING,),
        facts={"missing": part, "auc": area},
    )


def _grown(known: Array, is_explore: Array, unit: Array, rng: np.random.Generator) -> list[ExtraTreeClassifier]:
    """Trees, each on one row of every group: of more a tree would learn which groups are on which side."""
    from sklearn.tree import ExtraTreeClassifier

    trees = list[ExtraTreeClassifier]()
    for _ in range(TREES):
        mixed = rng.permutation(len(unit))
        rows = mixed[np.sort(np.unique(unit[mixed], return_index=True)[1])[:A_TREE]]
        tree = ExtraTreeClassifier(
            min_samples_leaf=LEAF,
            max_features=COLUMNS,
            class_weight="balanced",
            random_state=int(rng.integers(2**31)),
        )
        trees.append(tree.fit(known[rows], is_explore[rows]))
    return trees


def _judged(trees: Sequence[ExtraTreeClassifier], rows: Array) -> Array:
    return np.asarray(np.mean([one.predict_proba(rows)[:, -1] for one in trees], axis=0))


def _variance(told: Array, unit: Array) -> float:
    """Of the mean of rows that come in groups."""
    return float((np.bincount(unit, weights=told - told.mean()) ** 2).sum() / len(told) ** 2)
