"""What a challenger may cost: refused where that is shown, never for a timing that was slow by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodc.evaluation.evidence import SliceEvidence
from autodc.gate import reasons
from autodc.gate.answers import answered
from autodc.gate.judge import judge
from autodc.gate.limits import Costs, limited, weighed
from autodc.gate.noise import OBJECTIVE, Pools
from autodc.gate.types import Look
from autodc.review.explain import explain
from autodc.stats.variance import Prior
from autodc.studyfile.study import GateSpec

ROWS = 400


def judged(target: float, guard: float = 0.1, pairs: int = 3) -> Look:
    """A look at a target and a guard that differ by so much."""
    noise = np.random.default_rng(0).normal(0, 0.3, (2, pairs, ROWS))
    noise -= noise.mean(axis=2, keepdims=True)
    dark = SliceEvidence(
        name="dark", role="target", weight=1.0, margin=None, declared=True, differences=noise[0] + target
    )
    rest = SliceEvidence(
        name="rest", role="guard", weight=1.0, margin=0.02, declared=False, differences=noise[1] + guard
    )
    known = Pools(slices=dict.fromkeys(("dark", "rest", OBJECTIVE), Prior(seed=1e-5, residual=0.09, df=10)))
    return judge({"dark": dark, "rest": rest}, known, GateSpec(), 0.05)


LIMITS = {"predict_ms": 1.2, "model_mb": 2.0}
START = {"predict_ms": [1.0, 1.04, 0.97, 1.02, 0.99, 1.0], "model_mb": [5.0] * 6}
KEEP = judged(0.2)


def held(challenger: Any, look: Look = KEEP, *, alone: bool = False, last: bool = False, other: Any = START) -> Look:
    costs = Costs(start=START, challenger=challenger, incumbent=other)
    return limited(look, LIMITS, costs, alone=alone, last=last)


def test_within_the_limits_it_is_kept_and_the_figures_are_told() -> None:
    look = held({"predict_ms": [1.1, 1.12, 1.08], "model_mb": [9.9] * 3})
    assert (look.verdict, look.reasons) == ("keep", KEEP.reasons)
    assert Look.from_dict(look.to_dict()) == look
    text = explain(look, "dark")
    assert "It takes 1.1 ms a row to predict, 1.1 times the start's 1" in text
    assert "metrics.limits.model_mb allows 2 times" in text


@pytest.mark.parametrize("challenger", [{"predict_ms": [1.5, 1.52, 1.49]}, {"model_mb": [10.01]}])
def test_what_is_shown_to_cost_more_is_not_kept_and_says_so(challenger: Any) -> None:
    look = held(challenger)
    assert (look.verdict, look.reasons) == ("undecided", (reasons.OVER_LIMIT,))
    answer = answered(look, look.verdict, look.reasons, None)
    assert (answer.keep, answer.over, answer.harmed) == (False, True, True)
    assert not answer.ahead
    assert not answer.seems_better
    assert not answer.costs_nothing(1.0)
    assert "It costs more than metrics.limits allows" in explain(look, "dark")
    assert "95% sure of" in explain(look, "dark")


def test_a_dataset_alone_is_dropped_unless_the_arm_without_it_costs_as_much() -> None:
    slow = {"predict_ms": [1.5, 1.52, 1.49]}
    assert held(slow, alone=True).verdict == "drop"
    assert held(slow, alone=True, other=slow).verdict == "keep"


def test_what_chance_may_explain_refuses_nothing_but_waits_for_the_last_look() -> None:
    noisy = {"predict_ms": [0.9, 1.3, 1.9]}
    assert (held(noisy).verdict, held(noisy).reasons) == (None, (reasons.GO_ON,))
    last = held(noisy, last=True)
    assert last.verdict == "keep"
    assert "chance alone may explain the rest" in explain(last, "dark")


def test_a_look_that_goes_on_ends_where_the_limit_is_shown_to_be_broken() -> None:
    going = judged(0.03, pairs=1)
    assert going.verdict is None
    assert held({"model_mb": [11.0]}, going).verdict == "undecided"
    harmed = judged(0.2, -0.2)
    look = held({"model_mb": [11.0]}, harmed, alone=True)
    assert (look.verdict, look.reasons) == ("drop", (reasons.HARM_GUARD, reasons.OVER_LIMIT))


def test_one_wild_timing_neither_refuses_nor_excuses() -> None:
    assert held({"predict_ms": [1.0, 1.02, 9.0]}).verdict == "keep"
    assert held({"predict_ms": [3.0, 3.1, 2.9, 0.2, 3.0]}).verdict == "undecided"


def test_what_was_not_measured_holds_nothing_and_nothing_is_written_of_it() -> None:
    look = held({"predict_ms": [0.0, 0.0], "model_mb": []})
    assert look == KEEP
    assert "costs" not in look.to_dict()


def test_true_costs_at_the_limit_are_refused_rarely_and_far_above_it_mostly() -> None:
    rng = np.random.default_rng(0)

    def refused(times: float) -> float:
        hits = 0
        for _ in range(400):
            start, now = rng.lognormal(0, 0.2, 6), times * rng.lognormal(0, 0.2, 5)
            hits += weighed({"predict_ms": 1.2}, {"predict_ms": start}, {"predict_ms": now})["predict_ms"].surely > 1.2
        return hits / 400

    assert refused(1.2) < 0.12
    assert refused(2.4) > 0.8
