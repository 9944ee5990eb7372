"""What a study hopes of what it makes next is corrected by what the gate measured of what it made before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from autodc.propose.proposal import Proposal
from autodc.review import actions as told
from autodc.study.core import StudyCore
from autodc.study.journal import events as ev
from autodc.study.phases import choosing, comparing
from autodc.study.rules import gain_outcomes
from tests.study.test_holding import NIGHT, SEEDS, night, plan, trained

HOPED = 0.02


@pytest.fixture
def study(world: Any) -> StudyCore:
    """`lamps` were made for a finding beside `copies`, their control; both were measured alone."""
    found = night(world, 5, ("ADC-G001",), "lamps", "copies")
    found.record(made(found))
    return found


def made(study: StudyCore) -> ev.ProposalsMade:
    one: dict[str, Any] = {"kind": "finding", "name": "lamps", "expected": HOPED, "trainings": 4.0, "hoped": HOPED}
    late = {**one, "name": "late", "fate": "later"}
    usual = {"cost": 0.0, "finding": "F1", "days": None, "fate": "taken", "confirmed": True}
    weighed = {"pick": "lamps", "actions": [{**usual, **one}, {**usual, **late}], "room": 9.0, "floor": None}
    how = tuple(study.state.roster[name]["how"] for name in ("lamps", "copies"))
    return ev.ProposalsMade(round=0, horizon=0, proposals=how, weighed={**weighed, "trainings": None, "money": None})


def test_what_was_made_is_measured_by_the_comparison_of_it_alone(study: StudyCore) -> None:
    (one,) = gain_outcomes.outcomes(study.state)
    seen = study.state.comparisons[0].typed_looks[-1].objective
    assert (one.name, one.kind, one.hoped, one.part) == ("lamps", "finding", HOPED, 1.0)
    assert (one.gained, one.error) == (seen.difference, seen.standard_error)
    truth = gain_outcomes.truths(study.view)["finding"]
    assert 1.0 < truth.ratio < one.gained / HOPED
    assert truth.datasets == 1


def test_what_was_measured_in_a_block_alone_is_shared_with_what_its_control_would_bring(
    world: Any, study: StudyCore
) -> None:
    state, whole = study.state, plan(study, "lamps", "copies")
    trained(world(**NIGHT), study, plan(study))
    told = comparing.begun(study.view, "block", whole, plan(study), subject="b", members=("lamps", "copies"))
    study.record(told)
    look = study._assessor.look(study.view, state.comparisons[-1], SEEDS)
    study.record(ev.LookTaken(comparison=2, horizon=len(state.trials), look=look.to_dict(), seeds=SEEDS))
    study.record(comparing.ended(study.view, state.comparisons[-1], "keep", ()))
    assert gain_outcomes.outcomes(state)[0].part == 1.0, "it was measured alone"
    state.comparisons = state.comparisons[2:]
    (one,) = gain_outcomes.outcomes(state)
    assert (one.hoped, one.part) == (pytest.approx(1.5 * HOPED), pytest.approx(2 / 3))
    state.comparisons[0].members = ("lamps", "copies", "near")
    assert gain_outcomes.outcomes(state) == [], "nobody knows what was hoped of one of them"


def test_hopes_of_its_kind_are_corrected_and_the_night_says_so_but_not_in_a_study_of_before(study: StudyCore) -> None:
    next_one = Proposal(name="pool-F2", by="pool", maker="m:o", finding="F2", expected=0.01)
    mend = Proposal(name="relabelled", by="relabel", maker="m:o")
    ratio = gain_outcomes.truths(study.view)["finding"].ratio
    found = choosing.weighed(study.view, study._loop._tools, [next_one, mend])
    first = next(one for one in found.actions if one.name == "pool-F2")
    assert (first.expected, first.hoped) == (pytest.approx(ratio * 0.01, abs=1e-6), 0.01)
    assert next(one for one in found.actions if one.name == "relabelled").expected is None
    study.record(ev.ProposalsMade(round=1, horizon=0, weighed=found.to_dict()))
    words = told.line(study.state)
    assert f"what is hoped of rows for findings is taken {ratio:.2g} times, for 1 dataset so far brought +0." in words
    assert "where +0.020 was hoped" in words
    study.state.started = replace(study.state.question, rules=4)
    before = choosing.weighed(study.view, study._loop._tools, [next_one])
    assert (before.actions[0].expected, before.actions[0].hoped, before.truths) == (0.01, None, {})
