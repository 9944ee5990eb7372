"""The sealed test set: who may see it when, opening it by hand, and opening it twice."""

from __future__ import annotations

from typing import Any

import pytest

from autodc.errors import InputError
from autodc.report.page import render
from autodc.review.concerns import concerns
from autodc.review.reasons import sentence
from autodc.review.result import result
from autodc.review.status import status
from autodc.study.rules import allowance

SEALED = {"data__test": {"source": "sealed.py:rows"}, "seed": 12}


def begin(world: Any, trainings: Any = 20, **changes: Any) -> Any:
    """A study some trainings into its search."""
    hand = world(**{**SEALED, **changes})
    rows = []
    study = hand.open(rows)
    hand.advance(study, trainings)
    return hand, rows, study


@pytest.mark.slow
def test_opening_by_hand_stops_the_search_and_measures_with_fresh_seeds(world: Any) -> None:
    hand, rows, study = begin(world, budget__trainings=120)
    searched, reads = study.state.count("search"), hand.log()
    study.open_test()
    study.open_test()
    assert sum(kind == "TestOpeningAsked" for kind, _, _ in rows) == 1
    hand.finish(study)
    content = result(study.state)
    assert content["stopped_because"] == "stopped"
    assert content["test"]["opened"] == 1
    assert study.state.count("search") <= searched + hand.spec.search.lag
    assert hand.log() == reads + 1
    seeds = [t.trial.seed for t in study.state.trials if t.trial.phase == "test"]
    assert not set(seeds) & {t.trial.seed for t in study.state.trials if t.trial.phase != "test"}


@pytest.mark.parametrize("trainings", [0, 3, pytest.param(40, marks=pytest.mark.slow)])
def test_it_may_be_asked_for_at_any_time_and_survives_a_stop(world: Any, essence: Any, trainings: Any) -> None:
    hand, rows, study = begin(world, trainings, budget__trainings=80)
    study.open_test()
    asked = len(rows)
    hand.finish(study)
    assert result(study.state)["test"] is not None
    for cut in (asked, (asked + len(rows)) // 2, len(rows) - 1):
        again = hand.open(rows[:cut])
        again.open_test()
        hand.finish(again, 2)
        assert essence(again) == essence(study)


@pytest.mark.slow
def test_a_test_under_way_ends_undecided(world: Any) -> None:
    hand, _, study = begin(world, 0, budget__trainings=120)
    while study.state.open_comparison is None:
        hand.advance(study)
    study.open_test()
    hand.finish(study)
    assert (study.state.comparisons[-1].verdict, study.state.comparisons[-1].reasons) == ("undecided", ("ADC-G091",))
    assert "ended by hand" in sentence("ADC-G091")


@pytest.mark.slow
def test_a_second_opening_is_refused_unless_forced_and_is_then_told_in_red(world: Any) -> None:
    hand, rows, study = begin(world, 9, budget__trainings=60, loop__rounds=1, search__trials_per_round=2)
    study.open_test()  # while trainings are left for a second one
    hand.finish(study)
    first, count = result(study.state)["test"], len(rows)
    assert first["opened"] == 1
    with pytest.raises(InputError, match="opened already") as caught:
        study.open_test()
    assert caught.value.code == "ADC-RUN-015"
    assert first["opened_at"] in str(caught.value)
    assert len(rows) == count
    study.open_test(force=True)
    again = hand.open(rows)
    again.open_test(force=True)
    hand.finish(again)
    content = result(again.state)
    assert content["test"]["opened"] == 2
    assert content["ledger"]["test_set"] == {"opened": 2, "at": [o.opened_at for o in again.state.opened], "forced": 1}
    seeds = [t.trial.seed for t in again.state.trials if t.trial.phase == "test"]
    assert len(set(seeds)) == 2 * allowance.final_seeds(hand.spec)
    bad = [w for w in concerns(again.state, content, sections_numbers(again, content)) if w.tone == "bad"]
    assert any("opened 2 times" in w.text for w in bad)
    page = render(again.state, content)
    assert "opened 2 times" in page
    assert status(again.state)["test_set"]["opened"] == 2


def sections_numbers(study: Any, content: Any) -> Any:
    from autodc.review.tables import scales

    return scales(study.state, content)


def test_a_study_without_a_test_set_has_none_to_open(world: Any) -> None:
    hand = world(data__test=None)
    study = hand.open([])
    with pytest.raises(InputError) as caught:
        study.open_test()
    assert caught.value.code == "ADC-RUN-014"


@pytest.mark.slow
def test_an_opening_that_no_training_is_left_for_is_refused(world: Any) -> None:
    hand = world(budget__trainings=20, loop__rounds=1)
    study = hand.open([])
    hand.finish(study)
    if study.state.spent < 20:
        study.state.spent = 20.0
    with pytest.raises(InputError) as caught:
        study.open_test(force=True)
    assert caught.value.code == "ADC-RUN-016"


@pytest.mark.slow
def test_no_job_holds_a_test_part_and_no_search_sees_a_test_outcome_before_the_last_phase(
    world: Any, executor_of: Any
) -> None:
    hand = world(**SEALED, budget__trainings=40, loop__rounds=1)
    study = hand.open(rows := [])
    executor = Watching(executor_of(hand, study), study, hand)
    reads = hand.log()
    hand.drive(study, executor)
    assert hand.log() == reads + 1
    assert {phase for phase, parts in executor.seen if "test" in parts} == {"test"}
    assert {phase for phase, parts in executor.seen if "test" not in parts} >= {"calibration", "search", "gate"}
    opened = [kind for kind, _, _ in rows].index("TestSetOpened")
    finals = [
        n
        for n, (kind, _, text) in enumerate(rows)
        if kind == "TrialPlanned" and '"phase":"test"' in text.replace(" ", "")
    ]
    assert finals
    assert max(finals) < opened
    assert not [
        kind for kind, _, _ in rows[min(finals) :] if kind in ("LookTaken", "ChallengerProposed", "ComparisonOpened")
    ]


class Watching:
    """An executor that notes, for each job, the phase of its trial and what it is to predict; targets stay unread."""

    def __init__(self, inner: Any, study: Any, hand: Any) -> None:
        self._inner, self._study, self._hand = inner, study, hand
        self._reads, self.seen = hand.log(), []

    def submit(self, job: Any) -> None:
        assert self._hand.log() == self._reads, "targets of the test set were read while something trains"
        self.seen.append((self._study.state.trials[job.number].trial.phase, {part.name for part in job.predict}))
        self._inner.submit(job)

    def __getattr__(self, name: Any) -> Any:
        return getattr(self._inner, name)
