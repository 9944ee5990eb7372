"""Cheap trainings are measured first, used where they rank as full ones do, and charged as what they cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodc.review.result import result
from autodc.study.journal import events as ev
from autodc.testing.memory import MemoryJournal

CHEAP = {"low": 0.25, "pairs": 8}


def events(rows: Any, kind: Any) -> Any:
    return [e for _, e in MemoryJournal(rows).read() if isinstance(e, kind)]


@pytest.fixture(scope="module")
def faithful(world: Any) -> Any:
    hand, rows = world(search__fidelity=CHEAP, search__trials_per_round=24, loop__rounds=1), []
    study = hand.open(rows)
    hand.finish(study)
    return hand, study, rows


@pytest.mark.slow
def test_cheap_trainings_that_rank_as_full_ones_are_used(faithful: Any) -> None:
    _, study, rows = faithful
    (found,) = events(rows, ev.FidelityMeasured)
    assert found.used
    assert found.correlation >= 0.8
    assert found.low < found.correlation < found.high
    told = result(study.state)["search"]["fidelity"]
    assert told["used"]
    assert told["plans"] == found.pairs
    assert told["interval"][0] < told["correlation"]
    after = [t for t in study.state.trials[found.horizon :] if t.trial.phase == "search"]
    fresh, promoted = [t for t in after if t.of is None], [t for t in after if t.origin == "promoted"]
    assert {t.trial.fidelity for t in fresh[4:]} == {0.25}
    assert 0 < len(promoted) < len(fresh)


@pytest.mark.slow
def test_a_promoted_plan_has_its_seed_and_was_among_the_best_third(faithful: Any) -> None:
    _, study, _ = faithful
    trials = study.state.trials
    for one in (t for t in trials if t.origin == "promoted"):
        root = trials[one.of]
        assert (one.trial.plan, one.trial.seed, one.trial.fidelity) == (root.trial.plan, root.trial.seed, 1.0)
        known = [
            trials[number].outcome.slices["dark"]
            for (level, _), number in study.state.again.items()
            if level == 0.25 and number < one.trial.number
        ]
        assert root.outcome.slices["dark"] >= np.quantile(known, 0.5)


@pytest.mark.slow
def test_a_cheap_training_is_charged_as_its_share(faithful: Any) -> None:
    _, study, _ = faithful
    spent = result(study.state)["spent"]
    search = [t.trial.fidelity for t in study.state.trials if t.trial.phase == "search"]
    assert spent["by_phase"]["search"] == pytest.approx(sum(search)) == pytest.approx(24, abs=1)
    assert len(search) > 24
    assert spent["trainings"] == pytest.approx(sum(t.trial.fidelity for t in study.state.trials))


@pytest.mark.slow
def test_gate_calibration_and_test_train_in_full(faithful: Any) -> None:
    _, study, _ = faithful
    assert {t.trial.fidelity for t in study.state.trials if t.trial.phase != "search"} == {1.0}


@pytest.mark.slow
def test_cheap_trainings_that_mislead_are_not_used(world: Any) -> None:
    hand, rows = world(search__fidelity=CHEAP, task__options={"misleading": True}, loop__rounds=1), []
    study = hand.open(rows)
    hand.finish(study)
    (found,) = events(rows, ev.FidelityMeasured)
    assert not found.used
    assert found.correlation < 0
    cheap = [t for t in study.state.trials if t.trial.fidelity < 1]
    assert len(cheap) == CHEAP["pairs"]
    assert result(study.state)["kept"] == ["lamps"]
    assert result(study.state)["search"]["fidelity"]["used"] is False


@pytest.mark.slow
def test_the_order_of_outcomes_and_a_stop_do_not_matter(faithful: Any, essence: Any) -> None:
    hand, study, rows = faithful
    for seed, flight in ((0, 4),):
        again = hand.open([])
        hand.finish(again, flight, np.random.default_rng(seed))
        assert essence(again) == essence(study)
    for share in (0.3, 0.7):
        begun = hand.open(rows[: int(share * len(rows))])
        hand.finish(begun, 3, np.random.default_rng(7))
        assert essence(begun) == essence(study)


@pytest.mark.slow
def test_without_the_key_nothing_is_cheap(world: Any) -> None:
    hand, rows = world(loop__rounds=1), []
    study = hand.open(rows)
    hand.finish(study)
    assert result(study.state)["search"]["fidelity"] is None
    assert all(t.trial.fidelity == 1 for t in study.state.trials)
