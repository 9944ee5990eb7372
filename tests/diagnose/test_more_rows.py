"""What more rows would do is told of the dataset that helps, out of trainings in which everything moves at once."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from autodc.diagnose.more_rows import more_rows
from autodc.diagnose.sizes import Training, sizes_of
from autodc.review.more_rows import best_words, words

X, Y = load_digits(return_X_y=True)
ORDER = np.random.default_rng(1).permutation(len(Y))
X, Y = X[ORDER] / 16, Y[ORDER]
TURNED = np.stack([ndimage.rotate(one, 60, reshape=False, order=1) for one in X.reshape(-1, 8, 8)]).reshape(-1, 64)
BASE, TURN, PLAIN, HELD = slice(0, 200), slice(200, 440), slice(680, 780), slice(1000, None)
FULL = {"base": 200.0, "turned": 120.0, "plain": 100.0}


def training(turned: int, plain: int, penalty: float) -> Training:
    """A real training: the error is that of turned digits."""
    x = np.r_[X[BASE], TURNED[TURN][:turned], X[PLAIN][:plain]]
    y = np.r_[Y[BASE], Y[TURN][:turned], Y[PLAIN][:plain]]
    model = LogisticRegression(C=penalty, max_iter=60).fit(x, y)
    error = float(1 - model.score(TURNED[HELD], Y[HELD]))
    rows = {"base": 200.0, "turned": float(turned), "plain": float(plain)}
    return Training(rows=rows, error=error, settings={"C": penalty, "recipe": "concat"})


@pytest.fixture(scope="module")
def trainings() -> list[Training]:
    rng = np.random.default_rng(0)
    sizes = [(int(120 * rng.random()) * (rng.random() < 0.7), int(100 * rng.random())) for _ in range(24)]
    return [training(a, b, float(10 ** rng.uniform(-1.5, 0.5))) for a, b in sizes]


AT = Training(rows={"base": 200.0, "turned": 120.0, "plain": 100.0}, error=0.0, settings={"C": 0.3, "recipe": "concat"})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_dataset_that_helps_comes_first_and_twice_its_rows_do_what_is_said(trainings: list[Training]) -> None:
    first, other = more_rows(trainings, AT, FULL)
    assert (first.dataset, other.dataset) == ("turned", "plain")
    assert first.known
    assert first.gain.low > 0
    assert first.chance > 0.9 > other.chance
    truth = training(240, 100, 0.3).error
    assert first.after.low - 0.02 <= truth <= first.after.high + 0.02
    assert abs(first.after.mid - truth) < 0.05
    assert abs(first.before.mid - training(120, 100, 0.3).error) < 0.05
    json.dumps(first.to_dict(), allow_nan=False)


@pytest.mark.slow
def test_the_base_that_all_have_whole_is_not_told(trainings: list[Training]) -> None:
    assert "base" not in {one.dataset for one in more_rows(trainings, AT, FULL)}
    assert sizes_of(trainings, "base", AT) is None
    assert more_rows(trainings[:8], AT, FULL) == ()


def test_what_cannot_be_told_apart_is_shared_out() -> None:
    def one(both: float, error: float) -> Training:
        return Training(rows={"a": both, "b": both}, error=error)

    pairs = [one(0, 0.30), one(0, 0.31), one(0, 0.30), one(100, 0.20), one(100, 0.21), one(100, 0.20)] * 2
    told = more_rows(pairs, one(100, 0.2), {"a": 100.0, "b": 100.0})
    assert [m.dataset for m in told] == ["a", "b"]
    assert told[0].gain.mid == pytest.approx(told[1].gain.mid)
    assert not told[0].known
    alone = more_rows([Training(rows={"a": p.rows["a"]}, error=p.error) for p in pairs], one(100, 0.2), {"a": 100.0})
    assert alone[0].curve.points[0].weight > 2 * told[0].curve.points[0].weight, "without a, but with b: nobody saw it"


def seen(**more: Any) -> dict[str, Any]:
    one = {"dataset": "dark", "now": 400, "more": 400, "known": True, "share": True, "chance": 0.9}
    before, after = {"mid": 0.31, "low": 0.3, "high": 0.32}, {"mid": 0.22, "low": 0.17, "high": 0.28}
    return {**one, "before": before, "after": after, "gain": {"mid": 0.09, "low": 0.03, "high": 0.14}, **more}


def test_it_is_said_in_words() -> None:
    assert words(seen()) == "400 more rows of dark would bring the error from 31.0% to 22.0% (17.0% to 28.0%)"
    assert words(seen(share=False, now=0)).startswith("400 rows of dark would bring the error from 0.310 to 0.220")
    assert best_words([seen(), seen(dataset="fog", chance=0.1)]) == words(seen())
    assert "more rows of dark are not likely to help" in best_words([seen(chance=0.1)])
    assert best_words([seen(chance=0.1, known=False)]) == "trainings of so few sizes tell hardly anything of more rows"
    assert best_words([]) == ""
