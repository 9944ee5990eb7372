"""The same study, seed and outcomes give the same decisions, in whatever order trials end, and after any stop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autodc.study.journal import events as ev
from autodc.study.journal.events import RULES
from autodc.study.journal.fold import apply, fold
from autodc.testing.memory import MemoryJournal

QUICK = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=["random", pytest.param("mixture", marks=pytest.mark.slow)])
def first(request: pytest.FixtureRequest, world: Any) -> Any:
    """A finished study and the rows of its journal."""
    hand = world(search__sampler=request.param)
    rows = []
    study = hand.open(rows)
    hand.finish(study)
    return hand, study, rows


@pytest.mark.slow
@pytest.mark.parametrize(
    "flight", [pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow), 4]
)
def test_the_order_of_outcomes_does_not_matter(first: Any, essence: Any, flight: Any) -> None:
    hand, study, _ = first
    for seed in range(2):
        again = hand.open([])
        hand.finish(again, flight, np.random.default_rng(seed))
        assert essence(again) == essence(study)


@pytest.mark.slow
def test_the_default_sampler_does_not_mind_the_order_either(world: Any, essence: Any) -> None:
    hand = world(search__sampler="mixture", budget__trainings=40, loop__rounds=1)
    first, again = hand.open([]), hand.open([])
    hand.finish(first)
    hand.finish(again, 4, np.random.default_rng(0))
    assert essence(again) == essence(first)


@pytest.mark.slow
@QUICK
@given(share=st.floats(0, 1), flight=st.sampled_from([1, 2, 4]), seed=st.integers(0, 99))
def test_a_stop_anywhere_changes_nothing(first: Any, essence: Any, share: Any, flight: Any, seed: Any) -> None:
    resume_after(share, first, essence, flight, seed)


@pytest.mark.slow
@pytest.mark.parametrize(("share", "flight"), [(0.0, 1), (0.2, 2), (0.6, 1), (0.9, 4)])
def test_a_stop_changes_nothing(first: Any, essence: Any, share: Any, flight: Any) -> None:
    resume_after(share, first, essence, flight, seed=7)


@pytest.mark.slow
def test_a_stop_between_two_phases_changes_nothing(world: Any, essence: Any) -> None:
    cheap = {"search__fidelity": {"low": 0.25, "pairs": 8}, "search__trials_per_round": 16}
    hand = world(budget__trainings=40, loop__rounds=1, loop__findings=0, seed=22, **cheap)
    rows = list[Any]()
    study = hand.open(rows, rules=RULES)
    hand.finish(study)
    decisions = [kind for kind, _, _ in rows if kind != "TrialFinished"]
    for cut in (n for n, (kind, _, _) in enumerate(rows, 1) if kind == "PhaseStarted"):
        again = rows[:cut]
        begun = hand.open(again, rules=RULES)
        hand.finish(begun)
        assert essence(begun) == essence(study)
        assert [kind for kind, _, _ in again if kind != "TrialFinished"] == decisions


def resume_after(share: Any, first: Any, essence: Any, flight: Any, seed: Any) -> None:
    """Cut the journal after this share of its rows and finish the study from there."""
    hand, study, rows = first
    cut = 1 + int(share * (len(rows) - 1))
    begun = hand.open(rows[:cut])
    hand.finish(begun, flight, np.random.default_rng(seed))
    assert essence(begun) == essence(study)


@pytest.mark.slow
@QUICK
@given(share=st.floats(0, 1))
def test_the_state_after_a_resume_is_the_state_before(first: Any, share: Any) -> None:
    _, _, rows = first
    events = [event for _, event in MemoryJournal(rows).read()]
    cut = int(share * len(events))
    state = fold(events[:cut])
    assert fold(event for _, event in MemoryJournal(rows[:cut]).read()) == state
    for event in events[cut:]:
        apply(state, event)
    assert state == fold(events)


@pytest.mark.slow
def test_a_resume_hands_out_what_was_under_way(first: Any) -> None:
    hand, _, rows = first
    cut = 1 + next(n for n, (kind, _, _) in enumerate(rows) if n > 20 and kind == "TrialPlanned")
    study = hand.open(rows[:cut])
    pending = [t.number for t in study.state.pending]
    assert pending, "the journal is cut between plan and outcome"
    assert [t.number for t in study.ask(len(pending))] == pending


def test_a_trial_is_journalled_before_it_is_handed_out(world: Any) -> None:
    rows = []
    study = world().open(rows)
    trials = study.ask(3)
    planned = [e for _, e in MemoryJournal(rows).read() if isinstance(e, ev.TrialPlanned)]
    assert [e.trial["number"] for e in planned] == [t.number for t in trials]


@pytest.mark.slow
@pytest.mark.parametrize(
    "lag", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow), 5]
)
def test_no_more_trials_are_unrevealed_than_the_lag_allows(world: Any, lag: Any) -> None:
    hand = world(search__lag=lag)
    rows = []
    hand.finish(hand.open(rows), flight=8, order=np.random.default_rng(lag))
    state, most = fold([]), 0
    for _, event in MemoryJournal(rows).read():
        apply(state, event)
        most = max(most, len(state.trials) - state.horizon)
    assert most == lag


@pytest.mark.slow
def test_another_lag_or_seed_is_another_study(world: Any) -> None:
    assert (
        len({world(search__lag=1).inputs.fingerprint, world().inputs.fingerprint, world(seed=4).inputs.fingerprint})
        == 3
    )
