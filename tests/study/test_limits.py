"""What a challenger may cost: it holds for datasets, wholes, settings and the last touch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autodc.gate import reasons
from autodc.plan.plan import Plan
from autodc.plan.trial import Trial
from autodc.review import views
from autodc.review.notices import cost_alarms
from autodc.review.result import result
from autodc.study.core import StudyCore
from autodc.study.journal.fold import fold
from autodc.testing.memory import MemoryJournal

WIDTHS = {
    "smooth": {"type": "float", "low": 0.1, "high": 10.0, "log": True},
    "width": {"type": "int", "low": 1, "high": 6},
}


def finished(hand: Any, rows: list[Any], **costs: Callable[[Trial], float]) -> StudyCore:
    """A study whose trainings cost what these say."""
    study = hand.open(rows)
    while not study.finished:
        for trial in study.ask(2):
            outcome = hand.outcome(study, trial)
            study.tell(trial, replace(outcome, **{name: cost(trial) for name, cost in costs.items()}))
    return study


def slow(plan: Plan) -> float:
    """Milliseconds that a plan takes: narrow models are slow here."""
    return 7.0 - float(dict(plan.hyperparameters)["width"])


def narrow(trial: Trial) -> float:
    return slow(trial.plan)


def with_lamps(trial: Trial) -> float:
    return 5.0 + 5.0 * ("lamps" in trial.plan.mixture)


@pytest.mark.slow
@pytest.mark.parametrize(("evidence", "verdict"), [("together", "undecided"), ("each", "drop")])
def test_a_dataset_that_makes_the_model_too_large_is_not_kept_and_told_so(
    world: Any, evidence: str, verdict: str
) -> None:
    hand = world(metrics__limits={"model_mb": 1.5}, gate__evidence=evidence, loop__rounds=1)
    study = finished(hand, [], model_mb=with_lamps)
    found = result(study.state)
    assert "lamps" not in found["incumbent"]["mixture"]
    assert study.state.verdict("lamps") == verdict
    decided = [c for c in study.state.comparisons if "lamps" in c.members and reasons.OVER_LIMIT in c.reasons]
    assert decided
    why = str(views.why(study.state, "lamps"))
    assert "It costs more than metrics.limits allows" in why
    assert "It takes 10 MB of model, 2 times the start's 5; metrics.limits.model_mb allows 1.5 times" in why
    assert not cost_alarms(study.state)


@pytest.mark.slow
def test_a_limit_that_is_wide_enough_refuses_nothing(world: Any) -> None:
    hand = world(metrics__limits={"model_mb": 2.0, "predict_ms": 3.0}, loop__rounds=1)
    found = result(finished(hand, [], model_mb=with_lamps, predict_ms=narrow).state)
    assert "lamps" in found["kept"]
    assert "metrics.limits" not in str(found["warnings"])


@pytest.mark.slow
def test_settings_that_are_slower_are_neither_recommended_nor_left_at_the_end(world: Any) -> None:
    space = {"search_space": WIDTHS, "search__sampler": "mixture", "loop__rounds": 1}
    free = finished(world(**space), [], predict_ms=narrow)
    rows: list[Any] = []
    hand = world(metrics__limits={"predict_ms": 1.2}, **space)
    tied = finished(hand, rows, predict_ms=lambda t: narrow(t) * np.random.default_rng(t.number).lognormal(0, 0.05))
    most = 1.2 * slow(tied.state.start)
    assert slow(free.state.incumbent) > most
    assert slow(tied.state.incumbent) <= most
    assert "lamps" in tied.state.kept
    baselines = tied.state.baselines
    assert baselines is not None
    assert all(slow(Plan.from_dict(plan)) <= most for plan in baselines.plans.values())
    assert fold(event for _, event in MemoryJournal(rows).read()).incumbent == tied.state.incumbent


@pytest.mark.slow
def test_timings_that_only_chance_moves_refuse_nothing(world: Any) -> None:
    hand = world(metrics__limits={"predict_ms": 1.1}, loop__rounds=1)
    study = finished(hand, [], predict_ms=lambda t: np.random.default_rng(t.number).lognormal(0, 0.5))
    assert "lamps" in study.state.kept
    assert all(reasons.OVER_LIMIT not in c.reasons for c in study.state.comparisons)


@pytest.mark.slow
def test_a_limit_on_what_is_not_measured_is_told(world: Any) -> None:
    hand = world(metrics__limits={"predict_ms": 1.1}, loop__rounds=1, budget__trainings=24)
    study = finished(hand, [], predict_ms=lambda _: 0.0)
    assert cost_alarms(study.state) == [
        "metrics.limits.predict_ms limits nothing: the trainer does not measure it",
    ]
