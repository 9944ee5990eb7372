"""What a round weighs its actions by, in the words of a study."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from autodc.propose.actions import Action, Purse, weigh
from autodc.study.journal import events as ev
from autodc.study.phases import proposing
from autodc.study.phases.order import ORDER
from autodc.study.phases.tuning import Tuning
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


def test_what_was_made_is_paid_once(world: Any) -> None:
    seen = view(world, (ALL,))
    seen.state.roster |= {"given": {"cost": 300.0}, "made": {"cost": 300.0, "how": {"name": "made"}}}
    seen.state.started = replace(seen.state.question, rules=4)
    assert seen.state.paid == 300.0
    assert [proposing.price(seen, name) for name in ("given", "made")] == [300.0, 0.0]
    seen.state.started = replace(seen.state.question, rules=3)
    assert proposing.price(seen, "made") == 300.0, "studies that began before go on as they were"


def test_a_night_that_ends_for_little_leaves_its_trainings_to_what_is_delivered(world: Any) -> None:
    seen = view(world, (ALL,))
    assert Tuning().begin(seen).planned > 0
    tune = Action(kind="tune", name="tune", expected=0.001, trainings=5.0)
    for floor, planned in ((0.0005, Tuning().begin(seen).planned), (0.002, 0)):
        found = weigh([tune], Purse(trainings=40.0, room=20.0, money=50.0), floor, may_end=True)
        seen.state.proposed[seen.state.round] = [ev.ProposalsMade(round=0, horizon=0, weighed=found.to_dict())]
        assert Tuning().begin(seen).planned == planned


def test_no_night_ends_before_doubt_asked_for_everything(world: Any) -> None:
    seen = view(world, (ALL,))
    gate = seen.spec.gate.model_copy(update={"in_doubt": "everything"})
    doubtful = replace(seen, spec=seen.spec.model_copy(update={"gate": gate}))
    assert not actions.may_end(seen), "the first round is made"
    seen.state.round = 2
    assert actions.may_end(seen)
    assert not actions.may_end(doubtful)
