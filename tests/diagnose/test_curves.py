"""Learning curves: what more rows would do, from trainings that were done."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from autodc.diagnose.curves import Point, learning_curve, sample_sizes, worth
from autodc.errors import DataError


def exact(sizes: list[int], e0: float = 0.6, s: float = 60.0, b: float = 0.5) -> list[Point]:
    return [Point(rows=n, error=e0 * (1 + n / s) ** -b) for n in sizes]


def test_a_curve_without_noise_is_continued() -> None:
    curve = learning_curve(exact([0, 25, 50, 100, 200]))
    truth = 0.6 * (1 + 400 / 60) ** -0.5
    told = curve.at(400)
    assert abs(told.mid - truth) < 0.02
    assert told.low < truth < told.high
    assert curve.gain(200, 200).low > 0


def test_more_points_and_more_trainings_narrow_the_interval() -> None:
    def width(points: list[Point]) -> float:
        told = learning_curve(points).at(400)
        return told.high - told.low

    few = exact([0, 200])
    many = exact([0, 12, 25, 50, 100, 200])
    assert width(many) < width(few)
    assert width([Point(rows=p.rows, error=p.error, weight=8) for p in few]) < width(few)


@pytest.mark.slow
def test_real_trainings_are_predicted_at_twice_the_rows() -> None:
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(1).permutation(len(y))
    x, y = x[order] / 16, y[order]
    turned = np.stack([ndimage.rotate(one, 45, reshape=False, order=1) for one in x.reshape(-1, 8, 8)]).reshape(-1, 64)

    def error(n: int) -> float:
        rows = np.r_[x[:300], turned[300 : 300 + n]]
        model = LogisticRegression(C=0.3, max_iter=300).fit(rows, y[: 300 + n])
        return float(1 - model.score(turned[1000:], y[1000:]))

    points = [Point(rows=n, error=error(n)) for n in (0, 40, 80, 160)]
    told = learning_curve(points).at(320)
    assert abs(told.mid - error(320)) < 0.06
    assert told.low < error(320) < told.high


def test_a_flat_curve_stops_and_a_falling_one_goes_on() -> None:
    flat = learning_curve([Point(rows=n, error=0.2, weight=4) for n in (0, 50, 100, 200, 400)])
    falling = learning_curve([Point(rows=p.rows, error=p.error, weight=4) for p in exact([0, 50, 100, 200, 400])])
    assert flat.chance(400, 400, 0.01) < 0.1
    assert falling.chance(400, 400, 0.01) > 0.9
    assert flat.rows_for(0.1, most=1e5) is None
    needed = falling.rows_for(0.15, most=1e5)
    assert needed is not None
    assert abs(needed / (60 * 15) - 1) < 0.25
    assert falling.rows_for(0.9, most=1e5) == 0.0


def test_two_points_are_told_as_hardly_known() -> None:
    curve = learning_curve(exact([0, 100]))
    assert not curve.is_known
    assert curve.to_dict()["known"] is False
    told = curve.at(200)
    assert told.high - told.low > 0.08


def test_the_unit_of_an_error_does_not_matter() -> None:
    points = exact([0, 25, 50, 100])
    dollars = [Point(rows=p.rows, error=p.error * 1e5) for p in points]
    one, other = learning_curve(points).at(200), learning_curve(dollars, scale=1e5).at(200)
    assert other.mid == pytest.approx(one.mid * 1e5)
    assert other.high == pytest.approx(one.high * 1e5)


def test_a_dataset_on_offer_is_judged_at_full_size() -> None:
    points = exact([0, 50, 100, 200], e0=0.4, s=80)
    found = worth(points, full=5000, least=0.05)
    truth = 0.4 - 0.4 * (1 + 5000 / 80) ** -0.5
    assert found.gain.low < truth < found.gain.high
    assert found.chance > 0.95
    assert found.sampled == 200
    useless = worth([Point(rows=n, error=0.2, weight=3) for n in (0, 50, 100, 200)], full=400, least=0.05)
    assert useless.chance < 0.2


def test_a_dataset_that_does_harm_is_not_promised() -> None:
    found = worth([Point(rows=n, error=0.2 + n / 1000, weight=3) for n in (0, 50, 100, 200)], full=5000)
    assert found.gain.mid < 0
    assert found.gain.high < 0
    assert found.chance == 0.0


def test_no_error_so_far_is_told_as_little_error_not_as_none() -> None:
    told = learning_curve([Point(rows=n, error=0.0) for n in (0, 10, 20)]).at(40)
    assert 0 <= told.low < 0.003
    assert 0 < told.mid < told.high < 0.05


def test_samples_double() -> None:
    assert sample_sizes(400) == (100, 200, 400)
    assert sample_sizes(1) == (1,)


@pytest.mark.parametrize(
    "points",
    [[], [Point(rows=-1, error=0.1)], [Point(rows=1, error=float("nan"))], [Point(rows=1, error=-0.1)]],
    ids=["none", "rows", "nan", "score"],
)
def test_points_that_cannot_be_are_refused(points: list[Point]) -> None:
    with pytest.raises(DataError, match="ADC-DIAG-053"):
        learning_curve(points)
