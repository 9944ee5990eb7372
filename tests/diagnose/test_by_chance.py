"""Labels by chance are told from rows that are hard, of few rows, or of a kind that coordinates do not tell."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from autodc.diagnose.by_chance import Learnable, by_chance, learnable
from autodc.diagnose.cross_validation import cross_validated

X, Y = load_digits(return_X_y=True)
ROWS = np.random.default_rng(0).permutation(len(Y))[:300]


def known(name: str, x: np.ndarray, y: np.ndarray, units: np.ndarray | None = None) -> Learnable | None:
    units = np.arange(len(y)) if units is None else units
    shares = np.zeros((len(y), 10))
    shares[:, np.unique(y)] = cross_validated(x, y, units, 0)
    return learnable(name, y, shares, units)


@pytest.mark.slow
def test_labels_by_chance_are_told_and_hard_rows_are_not() -> None:
    rng = np.random.default_rng(1)
    x, y = X[ROWS], Y[ROWS]
    sets = [
        known("plain", x, y),
        known("grainy", x + rng.normal(0, 8, x.shape), y),
        known("careless", x, rng.permutation(y)),
        known("half", x, np.where(rng.random(300) < 0.5, rng.permutation(y), y)),
    ]
    assert by_chance([one for one in sets if one is not None]) == ("careless",)


def test_without_a_dataset_that_can_be_learned_nobody_is_accused() -> None:
    careless = known("careless", X[ROWS], np.random.default_rng(1).permutation(Y[ROWS]))
    assert careless is not None
    assert by_chance([careless]) == ()


@pytest.mark.parametrize("seed", range(5))
def test_of_one_class_that_is_rare_little_is_known(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rare = (rng.random(300) < 0.02).astype(int)
    plain = known("plain", X[ROWS], Y[ROWS])
    found = known("rare", X[ROWS], rare)
    assert plain is not None
    assert by_chance([one for one in (plain, found) if one is not None]) == ()


def test_rows_of_few_groups_and_of_one_class_are_not_judged() -> None:
    groups = np.arange(300) % 20
    assert learnable("few", Y[ROWS], np.full((300, 10), 0.1), groups) is None
    assert learnable("one", np.zeros(300, int), np.full((300, 10), 0.1), np.arange(300)) is None
