"""What a round weighs its actions by, in the words of a study."""

from __future__ import annotations

from typing import Any

import pytest

from autodc.study.phases.order import ORDER
from autodc.study.rules import actions
from autodc.study.view import View
from autodc.studyfile.study import SliceSpec

ALL = SliceSpec(name="overall", role="target")
NIGHT = SliceSpec(name="night", role="target", where="region = 'dark'")
DAY = SliceSpec(name="day", role="guard", where="region = 'bright'", margin=0.01)


def view(world: Any, slices: tuple[SliceSpec, ...]) -> View:
    hand = world()
    return View(hand.spec.model_copy(update={"slices": slices}), hand.open([]).state, 0, ORDER)


@pytest.mark.parametrize(
    ("slices", "floor"), [((ALL,), 0.002), ((NIGHT,), None), ((ALL, NIGHT), None), ((DAY, ALL), 0.002)]
)
def test_hopes_are_in_the_unit_of_the_objective_where_the_one_target_is_all_rows(
    world: Any, slices: tuple[SliceSpec, ...], floor: float | None
) -> None:
    assert actions.floor(view(world, slices)) == floor
