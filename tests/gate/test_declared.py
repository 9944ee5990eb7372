"""Slices of findings as declared targets: a gain there may keep, never at the cost of objective, targets or guards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodc.evaluation.evidence import FINDING, SliceEvidence
from autodc.gate import reasons
from autodc.gate.answers import answered
from autodc.gate.judge import judge
from autodc.gate.noise import OBJECTIVE, Pools
from autodc.gate.types import Look
from autodc.review.explain import explain
from autodc.stats.variance import Prior, crossed, moderate
from autodc.studyfile.study import GateSpec

GATE = GateSpec()
NOISE = Prior(seed=1e-5, residual=0.09, df=10)
ROWS = 400
ALPHA = 0.02


def rows_of(z: float, key: int, pairs: int = 8) -> Any:
    """Rows whose mean is about z standard errors above 0."""
    rng = np.random.default_rng([key, pairs])
    noise = 0.1 * rng.normal(size=ROWS) + 0.3 * rng.normal(size=(pairs, ROWS))
    noise -= noise.mean(axis=1, keepdims=True)
    return noise + z * moderate(crossed(noise), NOISE).standard_error


def seen(name: str, z: float, role: Any = "target", *, declared: bool = True, **how: Any) -> SliceEvidence:
    margin = 0.02 if role == "guard" else None
    table = rows_of(z, sum(map(ord, name)), **how)
    return SliceEvidence(name=name, role=role, weight=1.0, margin=margin, declared=declared, differences=table)


def own(z: float, number: int = 1, **how: Any) -> SliceEvidence:
    return seen(f"finding-F{number}", z, FINDING, **how)


def judged(*slices: SliceEvidence, **how: Any) -> Look:
    pools = Pools(slices=dict.fromkeys([*(s.name for s in slices), OBJECTIVE], NOISE))
    return judge({s.name: s for s in slices}, pools, GATE, ALPHA, **how)


GUARD = seen("bright", 6, "guard")


def test_a_gain_on_the_slice_of_its_finding_stands_for_one_of_a_target() -> None:
    look = judged(seen("overall", 1.2), own(6), GUARD)
    assert (look.verdict, look.reasons) == ("keep", (reasons.KEPT_FINDING,))
    assert look.slices["finding-F1"].gained == "improved"
    assert "slice of finding F1, gate rows" in explain(look, "mined")
    assert answered(look, "keep", look.reasons, None).gained


def test_of_a_finding_that_it_was_not_made_for_a_gain_says_nothing() -> None:
    look = judged(seen("overall", 1.2), own(6, declared=False), GUARD)
    assert look.verdict != "keep"
    assert look.slices["finding-F1"].gained is None
    assert look == judged(seen("overall", 1.2), own(6, declared=False), GUARD, tolerated=0.5)


@pytest.mark.parametrize("slices", [(seen("overall", -2.5),), (seen("overall", -0.2),), (seen("overall", 0.5),)])
def test_it_never_keeps_what_the_objective_may_pay_for(slices: Any) -> None:
    assert judged(*slices, own(9), GUARD).verdict != "keep"


def test_what_the_objective_may_lose_is_tolerated_like_the_margin_of_a_guard() -> None:
    flat = seen("overall", -0.2)
    error = judged(flat, own(9), GUARD).objective.standard_error
    assert error is not None
    assert judged(flat, own(9), GUARD, tolerated=1.5 * error).verdict == "keep"
    assert judged(seen("overall", -2.5), own(9), GUARD, tolerated=1.5 * error).verdict == "drop"


def test_no_target_may_be_shown_worse() -> None:
    better, worse = seen("dark", 2.2), seen("fog", -2.2)
    look = judged(better, worse, own(9), GUARD, tolerated=0.03)
    assert (look.verdict, look.reasons[0]) == ("undecided", reasons.OPEN_OBJECTIVE)
    assert judged(better, seen("fog", -1.0), own(9), GUARD, tolerated=0.03).reasons == (reasons.KEPT_FINDING,)


@pytest.mark.parametrize("targets", [("overall",), ("dark", "fog")])
def test_the_objective_may_not_be_shown_worse_whatever_is_tolerated(targets: Any) -> None:
    """One target with a wide margin among them; two that are each not shown worse, and are together."""
    look = judged(*(seen(name, -5 if len(targets) == 1 else -1.4) for name in targets), own(9), GUARD, tolerated=0.3)
    assert (look.verdict, look.reasons) == ("drop", (reasons.HARM_OBJECTIVE,))


def test_a_guard_holds_whatever_is_cured() -> None:
    assert judged(seen("overall", 1.2), own(9), seen("bright", -6, "guard")).reasons == (reasons.HARM_GUARD,)


@pytest.mark.parametrize("findings", [1, 4])
def test_half_of_the_level_is_theirs_whatever_their_number(findings: int) -> None:
    look = judged(seen("overall", 1.2), *(own(0.5, k) for k in range(findings)), GUARD)
    mine = [s.alpha for name, s in look.slices.items() if s.role == FINDING]
    assert mine == pytest.approx([ALPHA / 2 / findings] * findings)
    assert look.slices["overall"].alpha == pytest.approx(ALPHA / 2)
    together = judged(seen("overall", 1.2), own(0.5), GUARD, objective_alone=True)
    assert together.objective.alpha == pytest.approx(ALPHA / 2)


def test_without_them_all_is_as_it_was() -> None:
    usual = (seen("dark", 2.0), seen("fog", 1.0), GUARD)
    assert judged(*usual) == judged(*usual, tolerated=0.3)
    assert judged(*usual).slices["dark"].alpha == pytest.approx(ALPHA / 3)


def test_it_is_no_part_of_the_objective() -> None:
    usual = (seen("dark", 2.0), seen("fog", 1.0), GUARD)
    assert judged(*usual, own(9)).objective.difference == judged(*usual).objective.difference


def test_what_cures_a_finding_does_not_leave_for_being_worth_nothing_else() -> None:
    """A challenger without it loses nothing of the objective, and the cure."""
    look = judged(seen("overall", 0.0), own(-3), GUARD)
    answer = answered(look, None, (), (0.0, 0.0))
    assert answer.misses
    assert not answer.costs_nothing(0.002)
    assert answered(judged(seen("overall", 0.0), own(-0.5), GUARD), None, (), (0.0, 0.0)).costs_nothing(0.002)
