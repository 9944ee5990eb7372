"""A curriculum by rows begins with the first ones and has all in when its pace says so."""

from __future__ import annotations

import numpy as np
import pytest

from autodc.trial.pacing import Pace, paced
from tests.trial.test_recipes import PARTS, legs

RANKS = (np.arange(1, 41) / 40, np.arange(20, 0, -1) / 20)


@pytest.mark.parametrize(("growth", "middle"), [("linear", 0.55), ("exponential", 0.1**0.5)])
def test_the_share_grows_from_the_start_to_all(growth: str, middle: float) -> None:
    pace = Pace(start=0.1, full=0.5, growth=growth)  # type: ignore[arg-type]
    assert [pace.share(done) for done in (0.0, 0.25, 0.5, 1.0)] == pytest.approx([0.1, middle, 1.0, 1.0])


def test_rows_are_drawn_from_those_that_are_in_and_as_often_as_weights_say() -> None:
    pace = Pace(start=0.2, full=0.5, ranks=RANKS)
    plan = paced([40, 20], [1.0, 2.0], pace, 30, 100, np.random.default_rng(0))
    assert plan.shape == (100, 30)
    ranks = np.concatenate(RANKS)[plan]
    highest = ranks.max(axis=1)
    assert (highest[:5] <= 0.2).all()
    for at, done in enumerate(np.arange(100) / 100):
        assert highest[at] <= pace.share(float(done)) + 1e-9
    assert highest[50:].max() == 1.0
    assert (plan[50:] >= 40).mean() == pytest.approx(0.5, abs=0.02)


def test_a_pace_of_so_few_rows_that_no_weight_comes_to_one_has_all_in() -> None:
    pace = Pace(start=0.05, full=0.5, ranks=RANKS[:1])
    assert paced([40], [0.2], pace, 4, 10, np.random.default_rng(0)).shape == (10, 4)


def test_an_order_of_rows_is_one_leg_with_a_pace_and_the_base_alone_is_plain() -> None:
    given = {"curriculum_order": "hard_first", "curriculum_pacing": 0.6, "curriculum_start": 0.3}
    (leg,) = legs("curriculum", PARTS, curriculum_growth="exponential", **given)
    assert (leg.share, leg.parts) == (1.0, PARTS)
    assert (leg.pace.start, leg.pace.full, leg.pace.growth, leg.pace.hard_first) == (0.3, 0.6, "exponential", True)
    assert legs("curriculum", PARTS[1:2], **given)[0].pace is None
    assert legs("curriculum", PARTS, **{**given, "curriculum_start": 1.0})[0].pace is None
