"""What trainings left is lost in the midst of a study: it is made again, and every decision comes out as before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autodc.errors import SurroundingsError
from autodc.plan.trial import Outcome
from autodc.review.result import result
from autodc.study.core import StudyCore
from autodc.study.driver import Interrupted
from autodc.study.journal import events as ev
from autodc.testing.memory import MemoryJournal

SHORT = {"budget__trainings": 40, "loop__rounds": 1}


@pytest.fixture(scope="module")
def untroubled(world: Any, essence: Any) -> tuple[Any, dict[str, Any]]:
    hand = world(**SHORT)
    study = hand.open([])
    hand.finish(study)
    return hand, essence(study)


def kinds(rows: list[Any], *names: str) -> list[str]:
    return [kind for kind, _, _ in rows if kind in names]


@pytest.mark.slow
@pytest.mark.parametrize("ends", [7, 21, 28, -1], ids=["early", "in the gate", "later", "at the end"])
def test_arrays_that_are_gone_are_made_again_and_nothing_is_decided_otherwise(
    untroubled: Any, essence: Any, ends: int
) -> None:
    hand, expected = untroubled
    rows: list[Any] = []
    study, ends = hand.open(rows), ends % (len(expected["trials"]) + 1)
    for trial in iter(lambda: next(iter(study.ask(1)), None), None):
        study.tell(trial, hand.outcome(study, trial))
        if sum(t.outcome is not None for t in study.state.trials) == ends:
            hand.store.lose()
            ends = -1
    assert study.finished
    assert essence(study) == expected
    assert kinds(rows, "OutcomeLost", "OutcomeRestored").count("OutcomeRestored") == len(study.state.restored) > 0
    assert len(kinds(rows, "TrialFinished")) == len(study.state.trials)
    assert not study.state.lost
    assert all(one.difference == 0 for one in study.state.restored)


@pytest.mark.slow
def test_the_trainings_of_one_decision_are_made_again_side_by_side(untroubled: Any, essence: Any) -> None:
    hand, expected = untroubled
    rows: list[Any] = []
    study = hand.open(rows)
    while len(study.state.comparisons) < 2:
        hand.advance(study)
    hand.store.lose()
    flight: list[Any] = []
    while not study.state.lost:
        flight += study.ask(8)
        trial = flight.pop(0)
        study.tell(trial, hand.outcome(study, trial))
    flight += study.ask(8)
    assert len(flight) >= len(study.state.lost) > 3
    assert flight == sorted(flight, key=lambda t: t.number)
    for trial in flight:
        study.tell(trial, hand.outcome(study, trial))
    hand.finish(study)
    assert essence(study) == expected


@pytest.mark.slow
def test_a_process_that_ends_meanwhile_leaves_them_to_the_next_one(
    untroubled: Any, executor_of: Any, essence: Any
) -> None:
    hand, expected = untroubled
    rows: list[Any] = []
    study = hand.open(rows)
    with pytest.raises(Interrupted):
        hand.drive(study, executor_of(hand, study, 2), stop=lambda: _loses(hand, study, 25) and bool(study.state.lost))
    again = hand.open(rows)
    assert again.state.lost
    hand.drive(again, executor_of(hand, again, 2))
    assert essence(again) == expected


def _loses(hand: Any, study: StudyCore, ends: int) -> bool:
    """Lose all arrays once, when so many trainings have ended; then say so."""
    ended = sum(t.outcome is not None for t in study.state.trials)
    if ended >= ends and not study.state.restored and not study.state.lost:
        hand.store.lose()
    return ended >= ends


@pytest.mark.slow
def test_where_no_time_is_left_to_make_them_again_the_run_is_interrupted(
    untroubled: Any, executor_of: Any, essence: Any
) -> None:
    hand, expected = untroubled
    rows: list[Any] = []
    study = hand.open(rows)
    hand.advance(study, len(expected["trials"]))
    hand.store.lose()
    executor = executor_of(hand, study, 2)
    with pytest.raises(Interrupted, match="lost"):
        hand.drive(study, executor, deadline=executor.now)
    again = hand.open(rows)
    hand.drive(again, executor_of(hand, again, 2))
    assert {**essence(again), "because": ""} == {**expected, "because": ""}


class Unsteady:
    """Trains as the hand does; what is trained for the second time comes out a little otherwise."""

    def __init__(self, hand: Any) -> None:
        self.hand = hand

    def outcome(self, study: StudyCore, trial: Any) -> Outcome:
        completion = self.hand.completion(trial)
        if trial.number in study.state.lost:
            rng = np.random.default_rng(trial.number)
            outputs = {n: a + 0.4 * rng.random(a.shape) for n, a in completion.outputs.items()}
            completion = replace(completion, outputs=outputs)
        return study.score(trial, completion)


@pytest.mark.slow
def test_a_trainer_that_is_not_deterministic_is_told_and_old_scores_stand(untroubled: Any) -> None:
    hand, _ = untroubled
    rows: list[Any] = []
    study, unsteady = hand.open(rows), Unsteady(hand)
    while not study.state.comparisons:
        trial = study.ask(1)[0]
        study.tell(trial, unsteady.outcome(study, trial))
    before = {t.trial.number: dict(t.outcome.slices) for t in study.state.trials if t.outcome is not None}
    arrays = {t.trial.number: t.outcome.arrays for t in study.state.trials if t.outcome is not None}
    hand.store.lose()
    while not study.finished:
        for trial in study.ask(1):
            study.tell(trial, unsteady.outcome(study, trial))
    restored = study.state.restored
    assert max(one.difference for one in restored) > 0.001
    for one in restored:
        if one.number in before:
            outcome = study.state.trials[one.number].outcome
            assert dict(outcome.slices) == before[one.number]
            assert outcome.arrays == one.arrays != arrays[one.number]
    reopened = hand.open(rows)
    assert result(reopened.state) == result(study.state)


@pytest.mark.slow
def test_where_training_again_fails_it_is_said_and_tried_again_by_the_next_run(untroubled: Any, essence: Any) -> None:
    hand, expected = untroubled
    rows: list[Any] = []
    study = hand.open(rows)
    while not study.state.comparisons:
        hand.advance(study)
    hand.store.lose()
    while not study.state.lost:
        for trial in study.ask(1):
            if trial.number not in study.state.lost:
                study.tell(trial, hand.outcome(study, trial))
    with pytest.raises(SurroundingsError) as caught:
        study.tell(trial, Outcome(status="failed", error="the card is gone"))
    assert (caught.value.code, "the card is gone" in str(caught.value)) == ("ADC-DISK-013", True)
    again = hand.open(rows)
    hand.finish(again)
    assert essence(again) == expected


@pytest.mark.slow
def test_what_is_ended_by_the_clock_or_told_twice_changes_nothing(untroubled: Any) -> None:
    hand, _ = untroubled
    rows: list[Any] = []
    study = hand.open(rows)
    trial = study.ask(1)[0]
    study.tell(trial, hand.outcome(study, trial))
    study.lose(0, "its file is gone")
    study.lose(0, "its file is gone")
    assert study.ask(1) == [trial]
    study.tell(trial, Outcome(status="cancelled"))
    assert list(study.state.lost) == [0]
    study.tell(trial, hand.outcome(study, trial))
    study.tell(trial, hand.outcome(study, trial))
    assert len(kinds(rows, "OutcomeLost")) == len(kinds(rows, "OutcomeRestored")) == 1


@pytest.mark.slow
def test_arrays_that_are_gone_and_that_nothing_needs_are_not_made_again(untroubled: Any, essence: Any) -> None:
    hand, expected = untroubled
    rows: list[Any] = []
    study = hand.open(rows)
    hand.finish(study)
    hand.store.lose()
    again = hand.open(rows)
    assert again.finished
    assert again.ask(1) == []
    assert essence(again) == expected


@pytest.mark.slow
def test_predictions_that_a_diagnosis_needs_are_made_again(world: Any) -> None:
    """Lost in each round as it is to look at them, it tells what it would have told."""
    from autodc.wire.diagnosis import ExploreDiagnoser

    def told(forgets: bool) -> tuple[list[Any], int]:
        hand = type(world())(world(loop__rounds=2).inputs)
        rows: list[Any] = []
        diagnoser = ExploreDiagnoser(hand.inputs, hand.store, hand.inputs.catalogue.__getitem__)
        study = hand.open(rows, rules=2, diagnoser=diagnoser)
        looked: set[str] = set()
        while not study.finished:
            address = study.state.outputs.get(study.state.incumbent)
            if forgets and address and address not in looked:
                looked.add(address)
                hand.store.lose(address)
            for trial in (asked := study.ask(1)):
                study.tell(trial, hand.outcome(study, trial))
            assert asked or study.finished
        kinds = (ev.DiagnosisMade, ev.FindingMade)
        events = [event for _, event in MemoryJournal(rows).read() if isinstance(event, kinds)]
        return [replace(event, time=0.0, awake=0.0) for event in events], len(study.state.restored)

    expected, _ = told(forgets=False)
    again, restored = told(forgets=True)
    assert restored
    assert [one for one in expected if isinstance(one, ev.FindingMade)]
    assert again == expected
