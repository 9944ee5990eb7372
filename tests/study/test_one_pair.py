"""A study keeps nothing on one pair that is unlike all that showed its noise, and the same after a stop."""

from __future__ import annotations

from typing import Any

import pytest

from autodc.plan.plan import Plan
from autodc.study.journal.state import State

EARLY: dict[str, Any] = {
    "gate__looks": [1, 2, 3, 5, 8],
    "budget__trainings": 120,
    "search__trials_per_round": 26,
    "loop__rounds": 1,
    "search__sampler": "random",
}


@pytest.fixture(scope="module")
def night(world: Any) -> Any:
    hand = world(**EARLY)
    rows: list[Any] = []
    study = hand.open(rows)
    hand.finish(study)
    return study, rows, hand


def settled(state: State) -> list[tuple[Any, set[Any]]]:
    """Every finished comparison with the datasets and settings behind the pool of noise by then."""
    assert state.start is not None
    known: set[Any] = _marks(state.start)
    found = []
    for one in state.comparisons:
        found.append((one, set(known)))
        if one.looks and one.looks[-1]["pairs"] >= 2:
            known |= _marks(one.challenger) | _marks(one.incumbent)
    return found


def _marks(plan: Plan) -> set[Any]:
    return {*plan.mixture.added, (plan.recipe, plan.hyperparameters)}


@pytest.mark.slow
def test_what_is_kept_on_one_pair_was_behind_the_pool_of_noise_before(night: Any) -> None:
    study, _, _ = night
    kept = [(one, known) for one, known in settled(study.state) if one.verdict == "keep"]
    assert kept
    for one, known in kept:
        assert one.looks[-1]["pairs"] >= 2 or _marks(one.challenger) | _marks(one.incumbent) <= known


@pytest.mark.slow
def test_a_study_that_is_resumed_in_its_gate_looks_the_same(night: Any, essence: Any) -> None:
    study, rows, hand = night
    looks = [n for n, (kind, *_) in enumerate(rows) if kind == "LookTaken"]
    assert len(looks) >= 3
    for cut in (looks[0] + 1, looks[-1]):
        again = hand.open(rows[:cut])
        hand.finish(again, 2)
        assert essence(again) == essence(study)
        assert [t.typed_looks for t in again.state.comparisons] == [t.typed_looks for t in study.state.comparisons]


@pytest.mark.slow
def test_one_pair_is_believed_less_than_the_pool_alone_would_have_it(night: Any) -> None:
    """Under the rules of older studies the search is no witness."""
    _, rows, hand = night
    first = next(n for n, (kind, *_) in enumerate(rows) if kind == "LookTaken")
    kind, version, text = rows[0]
    assert '"rules":1' in text
    errors = []
    for rules in (0, 1):
        study = hand.open([(kind, version, text.replace('"rules":1', f'"rules":{rules}')), *rows[1:first]])
        study.ask(1)
        errors.append(study.state.comparisons[0].typed_looks[0].objective.standard_error)
    assert errors[1] > 1.1 * errors[0]
