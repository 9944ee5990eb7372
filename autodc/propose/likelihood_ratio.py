"""How like the failures of a finding rows of a pool are: the ratio of two likelihoods, learnt from the explore rows.

Trees are grown on the failing rows of a finding against all others, either side with the same weight. Above one half a
row is likelier among these failures than among the rest, however rare they are. Other failing rows that trees which
never saw them take for these belong to them too: a rule is seldom as wide as what it is about, and what it leaves out
would teach that such rows are no failures.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier

Array = np.ndarray[Any, Any]

LIKELIER = 0.5
"""Above it a row is likelier among the failures than among the rest."""
TREES, LEAF, COLUMNS = 100, 2, 0.3
WIDENED = 1
"""So often failing rows that are alike join."""
MOST = 20_000
"""Rows that pass that are learnt from."""


def likeness(known: Array, wanted: Array, failed: Array, rows: Array, seed: int) -> Array:
    """How like the wanted rows other ones are, shape (m,), from 0 to 1; above LIKELIER they are likelier than not.

    known: features of the explore rows, shape (n, d), NaN where there is none; wanted: of these the failing rows of
    the finding, failed: all that fail, shape (n,) of booleans; rows: features of rows of the pool, shape (m, d).
    """
    if len(known) > MOST:
        rest = np.flatnonzero(~wanted)
        some = np.random.default_rng(seed).permutation(rest)[:MOST]
        kept = np.sort(np.concatenate([np.flatnonzero(wanted), some]))
        known, wanted, failed = known[kept], wanted[kept], failed[kept]
    found, inside = _grown(known, wanted, seed), wanted
    for _ in range(WIDENED):
        unseen = np.nan_to_num(found.oob_decision_function_[:, 1])
        wider = inside | (failed & (unseen > LIKELIER))
        if np.array_equal(wider, inside):
            break
        found, inside = _grown(known, wider, seed), wider
    return np.asarray(found.predict_proba(rows)[:, 1])


def concentration(known: Array, failed: Array, seed: int) -> float:
    """How much of the error lies where trees that never saw a row take it for one that fails, as a share of all error.

    Above what such rows would fail anyway, from 0 (failures are like all other rows) to nearly 1. known: features of
    the explore rows, shape (n, d); failed: shape (n,) of booleans.
    """
    if not 2 <= failed.sum() < len(failed) - 1:
        return 0.0
    if len(known) > MOST:
        some = np.sort(np.random.default_rng(seed).permutation(len(known))[:MOST])
        known, failed = known[some], failed[some]
    told = np.nan_to_num(_grown(known, failed, seed).oob_decision_function_[:, 1]) > LIKELIER
    if not 1 <= told.sum() < len(told):
        return 0.0
    more = float(failed[told].mean() - failed[~told].mean())
    return max(0.0, more) * float(told.mean()) / float(failed.mean())


def _grown(known: Array, wanted: Array, seed: int) -> ExtraTreesClassifier:
    from sklearn.ensemble import ExtraTreesClassifier

    trees = ExtraTreesClassifier(
        TREES,
        min_samples_leaf=LEAF,
        max_features=COLUMNS,
        class_weight="balanced",
        bootstrap=True,
        oob_score=True,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # a wanted row is drawn for every tree, for its side is small; what trees that did not see it say is not asked
        warnings.filterwarnings("ignore", "Some inputs do not have OOB scores", UserWarning)
        return trees.fit(known, wanted)
