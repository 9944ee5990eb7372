"""Every verdict and every reason code, on evidence whose statistics are placed exactly where they are wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autodc.evaluation.evidence import SliceEvidence
from autodc.gate import reasons
from autodc.gate.judge import judge, judge_last
from autodc.gate.noise import OBJECTIVE, Pools
from autodc.gate.types import Look
from autodc.review.explain import advice, explain
from autodc.review.reasons import SENTENCES
from autodc.stats.variance import Prior, crossed, moderate
from autodc.studyfile.study import GateSpec

GATE = GateSpec()
ALPHA = 0.05
ROWS = 400
NOISE = Prior(seed=1e-5, residual=0.09, df=10)
MARGIN = 0.02


def _around(
    z: float, shift: float = 0.0, *, pairs: int = 8, key: int = 0, rest_sd: float = 0.3, row_sd: float = 0.1
) -> Any:
    """A table whose mean + shift is about z standard errors above 0."""
    rng = np.random.default_rng([key, pairs])
    noise = row_sd * rng.normal(size=ROWS) + rest_sd * rng.normal(size=(pairs, ROWS))
    noise -= noise.mean(axis=1, keepdims=True)
    return noise + z * moderate(crossed(noise), NOISE).standard_error - shift


def _target(name: str, z: float, *, declared: bool = True, **how: Any) -> SliceEvidence:
    table = _around(z, key=sum(map(ord, name)), **how)
    return SliceEvidence(name=name, role="target", weight=1.0, margin=None, declared=declared, differences=table)


def _guard(z: float, *, anchor: float | None = None, **how: Any) -> SliceEvidence:
    """`overall`, whose difference + margin is z standard errors above 0, and the same since the start."""
    since = None if anchor is None else _around(anchor, 1.5 * MARGIN, key=98, **how)
    table = _around(z, MARGIN, key=99, **how)
    return SliceEvidence(
        name="overall", role="guard", weight=1.0, margin=MARGIN, declared=False, differences=table, anchor=since
    )


def _judge(*slices: SliceEvidence, gate: GateSpec = GATE, pools: Pools | None = None, alpha: float = ALPHA) -> Look:
    known = Pools(slices=dict.fromkeys([*(s.name for s in slices), OBJECTIVE], NOISE))
    return judge({s.name: s for s in slices}, pools or known, gate, alpha)


SAME = {"row_sd": 0.6, "rest_sd": 0.05, "pairs": 3}
"""Rows differ, trainings hardly: more seeds add nothing."""

CASES = {
    "gain": ((_target("dark", 8), _guard(6)), "keep", (reasons.KEPT,)),
    "gain in all, none stands out": (
        (*(_target(name, 2.1) for name in ("dark", "fog", "rain")), _guard(6)),
        "keep",
        (reasons.KEPT_OBJECTIVE,),
    ),
    "guard harmed": ((_target("dark", 8), _guard(-3)), "drop", (reasons.HARM_GUARD,)),
    "guard crept": ((_target("dark", 8), _guard(6, anchor=-3)), "drop", (reasons.HARM_ANCHOR,)),
    "targets worse": ((_target("dark", -4), _guard(6)), "drop", (reasons.HARM_OBJECTIVE,)),
    "useless": ((_target("dark", 0.2), _guard(6)), "drop", (reasons.FUTILE_TARGET,)),
    "targets trade": (
        (_target("dark", 8), _target("fog", -9.6, declared=False), _guard(6)),
        "drop",
        (reasons.FUTILE_OBJECTIVE,),
    ),
    "guard hopeless": ((_target("dark", 8), _guard(-1.3)), "drop", (reasons.FUTILE_GUARD,)),
    "gain not shown": ((_target("dark", 1.4), _guard(6)), "undecided", (reasons.OPEN_TARGET, reasons.AT_CAP)),
    "objective open": (
        (_target("dark", 8), _target("fog", -7.3, declared=False), _guard(6)),
        "undecided",
        (reasons.OPEN_OBJECTIVE, reasons.AT_CAP),
    ),
    "guard open": ((_target("dark", 8), _guard(0.4)), "undecided", (reasons.OPEN_GUARD, reasons.AT_CAP)),
    "anchor open": (
        (_target("dark", 8), _guard(6, anchor=0.4)),
        "undecided",
        (reasons.OPEN_ANCHOR, reasons.AT_CAP),
    ),
    "rows used up": (
        (_target("dark", 1.4, **SAME), _guard(6, **SAME)),
        "undecided",
        (reasons.OPEN_TARGET, reasons.SATURATED),
    ),
    "early": ((_target("dark", 1.0, pairs=2), _guard(1.0, pairs=2)), None, (reasons.GO_ON,)),
}


@pytest.mark.parametrize("case", CASES)
def test_verdict_and_no_reason_but_its_own(case: Any) -> None:
    slices, verdict, codes = CASES[case]
    look = _judge(*slices)
    assert (look.verdict, look.reasons) == (verdict, codes)


def test_every_code_is_tested_and_has_a_sentence() -> None:
    codes = {v for k, v in vars(reasons).items() if k.isupper() and isinstance(v, str)}
    refused = {code for _, code in REFUSED.values()}
    own_tests = {reasons.NO_CHANGE, reasons.TOO_GOOD, reasons.NOT_CALIBRATED, reasons.TOO_FEW_PAIRS}
    own_tests |= {reasons.ONE_PAIR, reasons.NO_LEAK, reasons.TRUSTED, reasons.OUT_OF_BUDGET}
    own_tests |= {code for code in codes if code >= reasons.TOGETHER}  # tests/study/test_weighing.py
    own_tests |= {reasons.KEPT_FINDING}  # tests/gate/test_declared.py
    assert codes == refused | own_tests | {code for _, _, found in CASES.values() for code in found}
    assert codes <= set(SENTENCES)


def test_undecided_says_what_would_decide() -> None:
    assert "`dark` would be settled by about" in advice(_judge(_target("dark", 1.4), _guard(6)))
    assert "`overall`" in advice(_judge(_target("dark", 8), _guard(0.4)))
    assert advice(_judge(_target("dark", 8), _guard(6))) == ""


def test_nothing_changed_is_a_drop() -> None:
    slices = [replace(s, differences=np.zeros((3, ROWS))) for s in (_target("dark", 0), _guard(0))]
    assert (_judge(*slices).verdict, _judge(*slices).reasons) == ("drop", (reasons.NO_CHANGE,))


@pytest.mark.parametrize(("losses", "verdict"), [(0, "undecided"), (30, "keep")])
def test_a_gain_without_any_loss_is_looked_at_first(losses: Any, verdict: Any) -> None:
    table = np.zeros((8, ROWS))
    table[:, :100] = 1.0
    table[:, 100 : 100 + losses] = -1.0
    target = replace(_target("dark", 0), differences=table)
    guard = replace(_guard(0), differences=np.zeros((8, ROWS)))
    look = _judge(target, guard)
    assert look.verdict == verdict
    assert (reasons.TOO_GOOD in look.reasons) == (verdict == "undecided")


def _with_nan(slice_: SliceEvidence, row: int | slice = slice(None)) -> SliceEvidence:
    table = slice_.differences.copy()
    table[3, row] = np.nan
    return replace(slice_, differences=table)


GOOD = (_target("dark", 8), _guard(6))
REFUSED = {
    "a slice is missing": ((GOOD[0],), reasons.MISSING_SLICE),
    "a lost pair is NaN": ((GOOD[0], _with_nan(GOOD[1])), reasons.LOST_PAIR),
    "a lost pair since the start": ((GOOD[0], replace(GOOD[1], anchor=np.full((8, ROWS), np.nan))), reasons.LOST_PAIR),
    "a row is NaN": ((GOOD[0], _with_nan(GOOD[1], row=7)), reasons.NOT_FINITE),
    "a pair is lost in one slice": (
        (GOOD[0], replace(GOOD[1], differences=GOOD[1].differences[1:])),
        reasons.LOST_PAIR,
    ),
    "few rows": ((replace(GOOD[0], differences=GOOD[0].differences[:, :12]), GOOD[1]), reasons.TOO_FEW_ROWS),
    "few clusters": ((replace(GOOD[0], clusters=np.arange(ROWS) // 40), GOOD[1]), reasons.TOO_FEW_ROWS),
    "no target": ((GOOD[1],), reasons.NO_TARGET),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_measured_never_passes(case: Any) -> None:
    slices, code = REFUSED[case]
    names = ["overall", OBJECTIVE, *(["dark"] if code != reasons.NO_TARGET else [])]
    look = _judge(*slices, pools=Pools(slices=dict.fromkeys(names, NOISE)))
    assert (look.verdict, look.reasons) == ("undecided", (code,))


def test_fewer_pairs_than_the_first_look_wait() -> None:
    look = _judge(_target("dark", 8, pairs=2), _guard(6, pairs=2), gate=GateSpec(looks=(3, 5)))
    assert (look.verdict, look.reasons) == (None, (reasons.TOO_FEW_PAIRS,))


def test_one_pair_without_calibration_waits_or_stays_undecided() -> None:
    slices = (_target("dark", 8, pairs=1), _guard(6, pairs=1))
    waits = _judge(*slices, pools=Pools())
    assert (waits.verdict, waits.reasons) == (None, (reasons.NOT_CALIBRATED,))
    assert _judge(*slices, pools=Pools(), gate=GateSpec(looks=(1,))).verdict == "undecided"


def test_a_gain_that_is_kept_late_is_not_kept_early() -> None:
    early, late = (_judge(_target("dark", 2.2, pairs=n), _guard(6, pairs=n)) for n in (1, 8))
    assert (early.verdict, late.verdict) == (None, "keep")
    assert early.slices["dark"].bound > late.slices["dark"].bound


def test_a_smaller_level_asks_for_more() -> None:
    bounds = [_judge(_target("dark", 2.2), _guard(6), alpha=a).slices["dark"].bound for a in (0.05, 0.005, 0.0005)]
    assert bounds == sorted(bounds)
    assert _judge(_target("dark", 2.2), _guard(6), alpha=0.0005).verdict != "keep"


def test_a_look_is_the_same_after_json() -> None:
    look = _judge(_target("dark", 8), _guard(6, anchor=6))
    assert Look.from_dict(look.to_dict()) == look


def test_explain_tells_verdict_and_numbers() -> None:
    kept = explain(_judge(_target("dark", 8), _guard(6, anchor=6)), "set_a")
    seen = _judge(_target("dark", 8), _guard(6)).slices["dark"]
    assert kept.startswith("set_a was kept.")
    assert f"{seen.difference:+.3g}" in kept
    assert f"{seen.low:+.3g} to {seen.high:+.3g}" in kept
    assert "8 pairs" in kept
    assert "400 rows" in kept
    assert "`overall`" in kept
    assert "0.02 is tolerated" in kept
    undecided = explain(_judge(_target("dark", 1.4), _guard(6)), "set_a")
    assert "undecided" in undecided
    assert "would be settled by" in undecided
    dropped = explain(_judge(_target("dark", 8), _guard(-3)), "set_a")
    assert "dropped" in dropped
    assert "is harmed" in dropped
    assert "dropped" in explain(_judge(_target("dark", 1.4), _guard(6)), "set_a", verdict="drop")
    missing = _judge(GOOD[0], pools=Pools(slices={"dark": NOISE, "overall": NOISE}))
    assert "Not measured: overall." in explain(missing, "set_a")
    assert "1e+06" not in explain(missing, "set_a")


def test_the_last_look_that_can_be_paid_spends_what_is_left_of_the_level() -> None:
    slices = {s.name: s for s in (_target("dark", 1.8, pairs=5), _guard(6, pairs=5))}
    known = Pools(slices=dict.fromkeys([*slices, OBJECTIVE], NOISE))

    def judged(gate: GateSpec) -> Look:
        return judge(slices, known, gate, ALPHA)

    assert judge_last(judged, GATE, last=False).verdict is None
    assert judge_last(judged, GATE, last=True).verdict == "keep"


@pytest.mark.parametrize("z", [0.2, 1.0, -4.0])
def test_the_last_look_that_can_be_paid_keeps_or_leaves_everything_as_it_was(z: float) -> None:
    slices = {s.name: s for s in (_target("dark", z, pairs=5), _guard(6, pairs=5))}
    known = Pools(slices=dict.fromkeys([*slices, OBJECTIVE], NOISE))

    def judged(gate: GateSpec) -> Look:
        return judge(slices, known, gate, ALPHA)

    assert judge_last(judged, GATE, last=True) == judged(GATE)
