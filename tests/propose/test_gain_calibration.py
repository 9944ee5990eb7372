"""Hopes are corrected by what came true: towards it with every dataset, less where it was measured roughly."""

from __future__ import annotations

import numpy as np
import pytest

from autodc.propose.actions import Action, Purse, Weighed, weigh
from autodc.propose.gain_calibration import LEAST, MOST, Outcome, Truth, came_true


def outcome(hoped: float, gained: float, error: float = 0.0, kind: str = "finding", part: float = 1.0) -> Outcome:
    return Outcome(kind=kind, name="d", hoped=hoped, gained=gained, error=error, part=part)


def test_nothing_measured_corrects_nothing() -> None:
    assert came_true([]) == {}


def test_one_that_brought_four_times_as_much_doubles_what_is_hoped_and_more_of_them_go_on() -> None:
    ratios = [came_true([outcome(0.06, 0.24)] * n)["finding"].ratio for n in (1, 2, 6)]
    assert ratios == pytest.approx([2.0, 2.5, 3.25])


def test_a_rough_measurement_says_little_and_what_is_beyond_all_measure_is_held() -> None:
    sure, rough = (came_true([outcome(0.01, 0.0, error)])["finding"].ratio for error in (0.001, 0.05))
    assert sure == pytest.approx(2 / 3, abs=0.01)
    assert rough > 0.98
    assert came_true([outcome(0.001, 0.9)] * 9)["finding"].ratio == MOST
    assert came_true([outcome(0.01, -0.9)] * 9)["finding"].ratio == LEAST


def test_what_several_brought_together_counts_once() -> None:
    shared = [outcome(0.06, 0.24, part=2 / 3), outcome(0.06, 0.24, part=1 / 3)]
    found = came_true(shared)["finding"]
    assert found.ratio == came_true([outcome(0.06, 0.24)])["finding"].ratio
    assert (found.hoped, found.gained, found.datasets) == (0.06, 0.24, 2)


def test_kinds_are_told_apart() -> None:
    found = came_true([outcome(0.02, 0.02), outcome(0.02, 0.0, kind="more")])
    assert (found["finding"].ratio, found["more"].ratio) == pytest.approx((1.0, 2 / 3))


def test_the_ratio_is_nearer_the_truth_than_no_correction_where_hopes_are_wrong_and_no_worse_where_right() -> None:
    """By its own model: hopes that are 0, 1 and 3 times too low, as rough as gates measure them."""
    rng, errors = np.random.default_rng(0), {}
    for truth in (0.0, 1.0, 3.0):
        found = []
        for _ in range(150):
            hoped = rng.uniform(0.005, 0.06, 4)
            gained = rng.normal(truth * hoped, np.hypot(0.5 * hoped, 0.01))
            found.append(came_true([outcome(h, g, 0.01) for h, g in zip(hoped, gained, strict=True)])["finding"].ratio)
        errors[truth] = float(np.sqrt(np.mean(np.square(np.array(found) - truth))))
    assert errors[0.0] < 0.7
    assert errors[1.0] < 0.35
    assert errors[3.0] < 1.3


def test_it_is_journalled_with_the_choice() -> None:
    truths = {"finding": Truth(ratio=2.0, hoped=0.06, gained=0.24, datasets=1)}
    one = Action(kind="finding", name="a", expected=0.04, trainings=4.0, hoped=0.02, finding="F1")
    two = Action(kind="finding", name="b", expected=0.03, trainings=4.0, hoped=0.015, finding="F1")
    found = weigh([one, two], Purse(trainings=90.0, room=20.0, money=50.0), None, may_end=True)
    assert found.actions[1].hoped == pytest.approx(0.4 * 0.015), "what the first leaves is hoped of the second"
    told = {**found.to_dict(), "truths": {"finding": truths["finding"].to_dict()}}
    assert Weighed.of(told).truths == truths
    del told["truths"]
    for each in told["actions"]:
        del each["hoped"]
    assert Weighed.of(told).truths == {}, "journals of before"
