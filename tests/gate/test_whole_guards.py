"""Guards of a whole: today's demand where the rows can meet it, else what a change that harms nobody passes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autodc.evaluation.evidence import SliceEvidence
from autodc.gate import reasons
from autodc.gate.judge import judge
from autodc.gate.noise import OBJECTIVE, Pools
from autodc.gate.types import Look
from autodc.review.explain import explain, found_words
from autodc.stats.variance import Prior
from autodc.studyfile.study import GateSpec

NOISE = Prior(seed=0.0, residual=0.0, df=20)
GATE = GateSpec()
ROWS = 400
SE = 0.01
"""Standard error of the guard."""


def rows_of(mean: float, key: int, pairs: int = 3, se: float = SE) -> np.ndarray:
    """Rows whose mean, and its standard error, are exact."""
    row = np.random.default_rng(key).normal(size=ROWS)
    row = (row - row.mean()) / row.std(ddof=1)
    return np.repeat((mean + se * math.sqrt(ROWS) * row)[None], pairs, axis=0)


def looked(difference: float, margin: float, *, since: float | None = None, whole: bool = True) -> Look:
    """A sure gain on `dark`, and a guard with this difference."""
    common: dict[str, Any] = {"weight": 1.0}
    dark = SliceEvidence(name="dark", role="target", margin=None, declared=True, differences=rows_of(0.2, 1), **common)
    guard = SliceEvidence(
        name="overall",
        role="guard",
        margin=margin,
        declared=False,
        differences=rows_of(difference, 2),
        anchor=None if since is None else rows_of(since, 3),
        **common,
    )
    pools = Pools(slices=dict.fromkeys(("dark", "overall", OBJECTIVE), NOISE))
    return judge({"dark": dark, "overall": guard}, pools, GATE, 0.05, whole=whole)


def test_where_rows_can_certify_the_margin_nothing_is_other_than_for_one_dataset() -> None:
    margin = 2.6 * SE
    for difference in (-0.03, -0.018, -0.01, 0.0):
        whole, single = looked(difference, margin), looked(difference, margin, whole=False)
        assert (whole.verdict, whole.reasons, whole.slices) == (single.verdict, single.reasons, single.slices)
        assert whole.slices["overall"].certifiable is None


@pytest.mark.parametrize("margin", [0.0, 0.2 * SE, SE, 2 * SE])
def test_where_they_cannot_a_change_that_harms_nobody_passes_in_nineteen_nights_of_twenty(margin: float) -> None:
    for z, verdict in ((-1.60, "keep"), (-1.72, None)):
        guard = looked(z * SE, margin)
        assert (guard.verdict == "keep") == (verdict == "keep"), z
    assert looked(-1.60 * SE, margin, whole=False).verdict != "keep"


def test_a_margin_however_small_never_lets_everything_pass() -> None:
    look = looked(-1.72 * SE, 1e-9)
    assert (look.verdict, look.reasons) == ("drop", (reasons.HARM_GUARD,))
    assert looked(-0.5, SE).reasons == (reasons.HARM_GUARD,)


def test_harm_that_is_shown_is_harm_for_a_whole_too() -> None:
    assert looked(-0.03, SE).reasons == looked(-0.03, SE, whole=False).reasons == (reasons.HARM_GUARD,)


def test_the_anchor_asks_no_more_of_rows_than_they_show() -> None:
    assert looked(0.0, SE, since=-1.6 * SE).verdict == "keep"
    assert looked(0.0, SE, since=-1.6 * SE, whole=False).verdict != "keep"
    assert looked(0.0, SE, since=-4 * SE).reasons == (reasons.HARM_ANCHOR,)


def test_a_guard_so_held_is_named_with_the_margin_its_rows_can_certify() -> None:
    look = looked(0.0, SE)
    seen = look.slices["overall"]
    assert seen.holds
    assert seen.certifiable == pytest.approx((0.84 + 1.645) * SE, rel=0.01)
    assert found_words(seen) == "holds; as far as its rows can tell"
    assert "Its rows could certify a margin of 0.025, not this one" in explain(look, "fog")
    assert Look.from_dict(look.to_dict()) == look


def test_a_guard_whose_rows_reach_its_certifiable_margin_is_held_as_ever() -> None:
    can = looked(0.0, SE).slices["overall"].certifiable
    assert can is not None
    assert looked(0.0, 1.001 * can).slices["overall"].certifiable is None
