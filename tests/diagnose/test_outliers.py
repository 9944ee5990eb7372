"""Rows in the tails of feature space are found, usual ones seldom, and made-up ones lie where they are said to."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from autodc.diagnose.outliers import Tails, boundary, edge_cases, tails
from autodc.errors import DataError

X, Y = load_digits(return_X_y=True)
ORDER = np.random.default_rng(0).permutation(len(Y))
KNOWN, NEW = ORDER[:1200], ORDER[1200:]


def fitted(seed: int = 0) -> Tails:
    found = tails(X[KNOWN], Y[KNOWN], seed)
    assert isinstance(found, Tails)
    return found


def upside_down(x: np.ndarray) -> np.ndarray:
    return 16 - x


def test_pictures_of_another_kind_lie_further_out() -> None:
    found = fitted()
    distance = found.distance(np.r_[X[NEW], upside_down(X[NEW])])
    assert roc_auc_score(np.repeat([0, 1], len(NEW)), distance) > 0.95
    assert (np.array(found.classes)[found.nearest(X[NEW])] == Y[NEW]).mean() > 0.9


def test_edge_cases_among_new_rows_are_those_that_were_put_there() -> None:
    mixed = np.r_[X[NEW], upside_down(X[NEW[:40]])]
    found = edge_cases(fitted(), mixed)
    assert found.status == "found"
    assert found.code == "ADC-D030"
    rows = np.array([one.row for one in found.cases])
    assert (rows >= len(NEW)).sum() >= 35
    assert (rows < len(NEW)).mean() < 0.2
    assert found.to_dict()["cases"][0]["row"] == rows[0]


@pytest.mark.slow
def test_usual_rows_have_few_edge_cases() -> None:
    told = [edge_cases(fitted(seed), X[NEW]).cases for seed in range(6)]
    assert sum(len(one) for one in told) / 6 <= 0.02 * len(NEW)


def test_the_chance_of_a_usual_row_is_as_it_says() -> None:
    chance = np.concatenate([fitted(seed).chance(X[NEW]) for seed in range(4)])
    assert (chance <= 0.1).mean() == pytest.approx(0.1, abs=0.05)


def test_made_up_rows_lie_in_the_tail_of_their_class() -> None:
    found = fitted()
    rows, of = found.synthesise(40, seed=1)
    assert rows.shape == (40, 64)
    assert (found.chance(rows) < 0.25).mean() > 0.8
    assert np.bincount(of).tolist() == [4] * 10
    assert rows.tolist() == found.synthesise(40, seed=1)[0].tolist()


@pytest.mark.slow
def test_made_up_rows_teach_what_lies_outside() -> None:
    found = boundary(fitted(), X[KNOWN], seed=0)
    score = found.score(np.r_[X[NEW], upside_down(X[NEW])])
    assert roc_auc_score(np.repeat([0, 1], len(NEW)), score) > 0.95
    assert score.tolist() == boundary(fitted(), X[KNOWN], seed=0).score(np.r_[X[NEW], upside_down(X[NEW])]).tolist()


def test_a_regression_and_few_rows() -> None:
    assert isinstance(tails(X, np.linspace(0, 1, len(X)), 0), Tails)
    few = tails(X[:50], Y[:50], 0)
    assert few == "there are too few rows"
    assert edge_cases(few, X).reason == "there are too few rows"
    assert tails(X[:200], np.arange(200), 0) == "there are too few rows of a class"
    assert edge_cases(fitted(), X[:0]).status == "not_applicable"


def test_a_constant_and_a_single_column_do_no_harm() -> None:
    flat = tails(np.c_[X, np.ones(len(X))], Y, 0)
    assert isinstance(flat, Tails)
    assert np.isfinite(flat.distance(np.c_[X, np.ones(len(X))])).all()
    one = tails(np.random.default_rng(0).normal(size=(300, 1)), None, 0)
    assert isinstance(one, Tails)
    assert edge_cases(one, np.array([[0.0], [40.0]])).rows == 2


def test_another_embedding_is_refused() -> None:
    with pytest.raises(DataError, match="ADC-DIAG-056"):
        fitted().distance(X[:, :10])
    with pytest.raises(DataError, match="ADC-DIAG-050"):
        tails(np.full((200, 3), np.inf), None, 0)
