"""What holds for any evidence: order means nothing, what is missing never passes, units mean nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodc.evaluation.evidence import Evidence, SliceEvidence
from autodc.gate.judge import judge
from autodc.gate.noise import OBJECTIVE, Pools
from autodc.spec.study import GateSpec
from autodc.stats.variance import Prior

GATE = GateSpec()
QUICK = settings(max_examples=25, deadline=None, derandomize=True)
POOLS = Pools(slices=dict.fromkeys(("dark", "fog", "overall", OBJECTIVE), Prior(seed=1e-5, residual=0.05, df=5)))


@st.composite
def evidences(draw) -> dict[str, SliceEvidence]:
    """Two targets and a guard of 30 to 200 rows, 1 to 8 pairs, gains between none and plain."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    pairs = draw(st.sampled_from((1, 2, 3, 5, 8)))
    found = {}
    for name in ("dark", "fog", "overall"):
        rows, gain = draw(st.integers(30, 200)), draw(st.floats(-0.1, 0.3))
        role = "guard" if name == "overall" else "target"
        table = gain + 0.05 * rng.normal(size=(pairs, 1)) + 0.3 * rng.normal(size=(pairs, rows))
        found[name] = SliceEvidence(
            name=name,
            role=role,
            weight=1.0,
            margin=0.03 if role == "guard" else None,
            declared=name == "dark",
            differences=table,
        )
    return found


def _changed(evidence: Evidence, change) -> dict[str, SliceEvidence]:
    return {name: replace(seen, differences=change(seen.differences)) for name, seen in evidence.items()}


@QUICK
@given(evidences(), st.integers(0, 1000))
def test_the_order_of_rows_and_pairs_changes_nothing(evidence, seed):
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(len(evidence["dark"].differences))
    mixed = _changed(evidence, lambda table: table[pairs][:, rng.permutation(table.shape[1])])
    before, after = judge(evidence, POOLS, GATE, 0.01), judge(mixed, POOLS, GATE, 0.01)
    assert (after.verdict, after.reasons) == (before.verdict, before.reasons)
    for name, seen in before.slices.items():
        assert after.slices[name].z == pytest.approx(seen.z)
        assert after.slices[name].low == pytest.approx(seen.low)


@QUICK
@given(evidences(), st.sampled_from(("dark", "fog", "overall")), st.floats(0, 1))
def test_a_missing_slice_never_passes(evidence, name, gain):
    better = _changed(evidence, lambda table: table + gain)
    without = {k: v for k, v in better.items() if k != name}
    assert judge(without, POOLS, GATE, 0.05).verdict != "keep"


@QUICK
@given(evidences(), st.sampled_from(("dark", "fog", "overall")), st.sampled_from((np.nan, np.inf)))
def test_a_score_that_is_no_number_never_passes(evidence, name, value):
    better = _changed(evidence, lambda table: table + 1.0)
    better[name].differences[0, 7] = value
    assert judge(better, POOLS, GATE, 0.05).verdict != "keep"


@settings(QUICK, max_examples=60)
@given(evidences(), st.sampled_from(((1, 2), (1, 3), (2, 1), (3, 1))))
def test_more_of_the_same_never_turns_keep_into_drop(evidence, times):
    if judge(evidence, POOLS, GATE, 0.05).verdict == "keep":
        more = _changed(evidence, lambda table: np.tile(table, times))
        assert judge(more, POOLS, GATE, 0.05).verdict != "drop"


@QUICK
@given(evidences(), st.sampled_from((0.01, 7.0, 100.0)))
def test_units_change_nothing(evidence, unit):
    scaled = {
        name: replace(seen, differences=unit * seen.differences, margin=seen.margin and unit * seen.margin)
        for name, seen in evidence.items()
    }
    pools = Pools(
        slices={
            name: replace(prior, seed=unit**2 * prior.seed, residual=unit**2 * prior.residual)
            for name, prior in POOLS.slices.items()
        }
    )
    before, after = judge(evidence, POOLS, GATE, 0.01), judge(scaled, pools, GATE, 0.01)
    assert (after.verdict, after.reasons) == (before.verdict, before.reasons)
    assert after.slices["dark"].difference == pytest.approx(unit * before.slices["dark"].difference)


@QUICK
@given(evidences(), st.floats(0.001, 0.2))
def test_a_larger_gain_is_never_worse(evidence, gain):
    """With the same noise, what was kept is kept when every slice is better still."""
    if judge(evidence, POOLS, GATE, 0.05).verdict == "keep":
        better = _changed(evidence, lambda table: table + gain)
        assert judge(better, POOLS, GATE, 0.05).verdict == "keep"
