"""A dataset that the slice of its finding kept is held against its control there: the right data, or only more data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autodc.plan.plan import Plan
from autodc.plan.trial import Trial
from autodc.review import by_chance
from autodc.review.result import result
from autodc.study.core import StudyCore
from autodc.study.journal import events as ev
from autodc.study.phases import comparing, holding

OWN = {"name": "finding-F1", "finding": "F1", "where": "region = 'dark'"}
BROAD = [{"name": "overall", "role": "target"}]
GIVEN = [{"name": name, "source": f"data/{name}.npz"} for name in ("lamps", "near", "far", "copies")]
NIGHT: dict[str, Any] = {"slices": BROAD, "data__candidates": GIVEN, "loop__propose": ["given", "pool"]}
SEEDS = (11, 12, 13, 14, 15)


def plan(study: StudyCore, *names: str) -> Plan:
    start = study.view.start
    return Plan.of({"base": 1.0} | dict.fromkeys(names, 1.0), dict(start.hyperparameters), start.recipe)


def trained(hand: Any, study: StudyCore, arm: Plan) -> None:
    """The pairs' trainings of an arm."""
    for seed in SEEDS:
        trial = Trial(number=len(study.state.trials), plan=arm, seed=seed, phase="gate")
        told = ev.TrialPlanned(trial=trial.to_dict(), round=1, horizon=study.view.horizon, origin="test 0")
        study.record(told)
        study.tell(trial, hand.outcome(study, trial))


def asked(study: StudyCore, whole: Plan, without: Plan, name: str, reasons: Sequence[str]) -> None:
    """All with a dataset against all without it, on the trained pairs."""
    study.record(comparing.begun(study.view, "removal", whole, without, subject=name))
    comparison, horizon = study.state.comparisons[-1], len(study.state.trials)
    look = study._assessor.look(study.view, comparison, SEEDS)
    study.record(ev.LookTaken(comparison=comparison.id, horizon=horizon, look=look.to_dict(), seeds=SEEDS))
    ended = comparing.ended(study.view, comparison, "keep" if reasons else "undecided", tuple(reasons))
    study.record(ended)


def night(world: Any, rules: int, reasons: Sequence[str], subject: str, control: str) -> StudyCore:
    """A dataset for the finding of dark rows, and another dataset as its control, both of the incumbent."""
    hand = world(**NIGHT)
    study: StudyCore = hand.open([], rules=rules)
    hand.advance(study, 6)
    study.record(study._own_slice(OWN))
    study._sliced(study.state.admitted[-1])
    whole = plan(study, subject, control)
    arms = whole, whole.without(subject), whole.without(control)
    for arm in arms:
        trained(hand, study, arm)
    roster = study.state.roster
    kind = {"by": "pool", "maker": "m:o"}
    roster[subject] = {**roster[subject], "targets": ["overall", "finding-F1"], "how": {"name": subject, **kind}}
    beside = {"name": control, **kind, "control_of": [subject]}
    roster[control] = {**roster[control], "how": beside}
    asked(study, whole, arms[1], subject, reasons)
    asked(study, whole, arms[2], control, ())
    study.record(comparing.advanced(study.view, study.state.comparisons[0], whole))
    return study


def held(study: StudyCore) -> ev.ControlCompared:
    found = holding.next_event(study.view, study._loop._tools)
    assert found is not None
    study.record(found)
    return found


@pytest.mark.parametrize(
    ("subject", "control", "says"), [("lamps", "copies", "right"), ("near", "far", "more"), ("near", "copies", "right")]
)
def test_what_the_slice_of_its_finding_kept_is_held_there(world: Any, subject: str, control: str, says: str) -> None:
    study = night(world, 5, ("ADC-G003",), subject, control)
    event = held(study)
    assert event.own is not None
    assert (event.says, event.own["slice"]) == (says, "finding-F1")
    hand_made = _difference(study, study.state.comparisons[1].incumbent, study.state.comparisons[0].incumbent)
    assert event.own["difference"] == pytest.approx(hand_made)
    assert event.own["low"] < event.own["difference"] < event.own["high"]
    assert abs(event.difference) < abs(event.own["difference"]) + 1e-9, "the objective shows a part of it"
    words = by_chance.sentence(study.state, subject)
    assert "on the slice of finding F1, gate rows, by which it was kept" in words
    assert result(study.state)["candidates"][subject]["control"]["own"] == event.own


def test_what_the_objective_kept_is_held_on_it_alone_and_so_is_all_of_a_study_of_before(world: Any) -> None:
    assert held(night(world, 5, ("ADC-G001",), "lamps", "copies")).own is None
    before = held(night(world, 4, ("ADC-G003",), "lamps", "copies"))
    assert before.own is None
    assert before == replace(before, own=None)


def _difference(study: StudyCore, better: Plan, worse: Plan) -> float:
    """The mean of hits on the dark gate rows, seed by seed, as anybody would take it."""
    (rows,) = [one.rows for one in study._slices.gate.slices if one.name == "finding-F1"]
    hits = [
        [
            study._store.get(study.state.trials[study.state.trained[arm, seed]].outcome.arrays)["validation.score"][
                rows
            ]
            for seed in SEEDS
        ]
        for arm in (better, worse)
    ]
    return float(np.mean(hits[0]) - np.mean(hits[1]))
