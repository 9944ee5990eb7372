"""Coverage of printed intervals: sets are worth what was planted, intervals are scaled and counted as they should."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from autodc.gate.types import SliceLook
from autodc.plan.plan import Plan
from benchmarks.gate.coverage import Case, joint, night, page, world
from benchmarks.gate.intervals import holds, interval
from benchmarks.gate.population import OBJECTIVE

TINY = Case(mix="cures", learner="ridge", rows=600, number=0, trainings=20, trials=4, tunings=2, truth_rows=20_000)


def test_sets_are_worth_what_was_planted() -> None:
    one = world(TINY)
    start = one.problem.start
    worth: dict[str, list[float]] = {}
    for name, kind in one.planted.kinds.items():
        plan = Plan.of({name: 1.0}, start.settings)
        gain = one.truth(plan, 1)[OBJECTIVE][0] - one.truth(start, 1)[OBJECTIVE][0]
        worth.setdefault(kind, []).append(float(gain))
    assert min(worth["cure"]) > 0.02
    assert 0.0 < np.mean(worth["small"]) < 0.006
    assert np.abs(worth["useless"]).max() < 0.004
    assert min(worth["harmful"]) < -0.01


@pytest.mark.slow
def test_a_night_holds_every_printed_interval_against_the_two_plans_it_is_of() -> None:
    found = night(TINY)
    assert found["comparisons"]
    for one in found["comparisons"]:
        assert OBJECTIVE in one["slices"] or one["purpose"] == "end against start, sealed test"
        for seen in one["slices"].values():
            assert abs(seen["truth"]) < 0.3
            assert holds({**seen, "low": -1.0, "high": 1.0}, "")
    text = page([{**found, "commit": "abc"}])
    assert "| cures, ridge, 600 rows | 1 |" in text


def test_an_interval_is_scaled_to_ninety_percent_by_students_quantiles() -> None:
    seen = SliceLook(
        role="target",
        difference=0.01,
        low=0.0,
        high=0.02,
        rows=100,
        pairs=2,
        standard_error=0.01,
        df=5.0,
        z=1.0,
        bound=None,
        level=0.6,
    )
    reach = 0.01 * t.ppf(0.95, 5) / t.ppf(0.8, 5)
    found = interval(seen)
    assert found["high90"] == pytest.approx(0.01 + reach)
    assert not holds({**found, "truth": 0.025}, "")
    assert holds({**found, "truth": 0.025})


def test_the_joint_gain_is_of_bundles_and_of_several_sets_that_were_kept() -> None:
    def kept(kind: str, members: int, printed: float, truth: float, verdict: str = "keep") -> dict[str, object]:
        slices = {OBJECTIVE: {"difference": printed, "truth": truth}}
        return {"kind": kind, "members": members, "verdict": verdict, "slices": slices}

    found = [
        {"comparisons": [kept("bundle", 3, 0.02, 0.01), kept("dataset", 1, 0.5, 0.0)]},
        {"comparisons": [kept("block", 2, 0.04, 0.03), kept("bundle", 2, 0.5, 0.0, "undecided")]},
    ]
    assert joint(found) == (2, pytest.approx(0.03), pytest.approx(0.02))
