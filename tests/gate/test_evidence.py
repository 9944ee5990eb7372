"""What is evidence and what is not: small slices, one pair of a noise nobody knows, gains without a loss."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from autodc.evaluation.evidence import SliceEvidence
from autodc.gate import reasons
from autodc.gate.judge import judge
from autodc.gate.noise import OBJECTIVE, Pools
from autodc.gate.types import Leak, Leaks, Look
from autodc.review.explain import explain
from autodc.stats.variance import Prior, crossed, moderate
from autodc.study.journal import upcasts
from autodc.study.journal.events import LookTaken
from autodc.studyfile.study import GateSpec

GATE = GateSpec()
NOISE = Prior(seed=1e-5, residual=0.05, df=5)
SILENT = Prior(seed=0.0, residual=0.0, df=5)


def table(gain: float, rows: int = 400, pairs: int = 3, seed: int = 0, of_seed: float = 0.01) -> np.ndarray:
    rng = np.random.default_rng([seed, rows, pairs])
    return gain + of_seed * rng.normal(size=(pairs, 1)) + 0.2 * rng.normal(size=(pairs, rows))


def seen(
    name: str, differences: np.ndarray, role: str = "target", margin: float | None = None, clusters: Any = None
) -> Any:
    return SliceEvidence(
        name=name,
        role=role,
        weight=1.0,
        margin=margin,
        declared=role == "target",
        differences=differences,
        clusters=clusters,
    )


def pools(*slices: SliceEvidence, noise: Prior = NOISE) -> Pools:
    return Pools(slices=dict.fromkeys([*(s.name for s in slices), OBJECTIVE], noise))


def looked(*slices: SliceEvidence, noise: Prior = NOISE, gate: GateSpec = GATE, **how: Any) -> Look:
    return judge({s.name: s for s in slices}, pools(*slices, noise=noise), gate, 0.05, **how)


OVERALL = seen("overall", table(0.0, seed=9), "guard", 0.05)
DARK = seen("dark", table(0.3))
GROUPS = np.repeat(np.arange(13), 20)


def tiny(gain: float, role: str = "target", margin: float | None = None, pairs: int = 3) -> SliceEvidence:
    return seen("tiny", table(gain, rows=260, pairs=pairs, seed=3), role, margin, GROUPS)


@pytest.mark.parametrize("gain", [-0.9, 0.0, 0.9])
def test_a_target_of_thirteen_groups_changes_no_verdict(gain: Any) -> None:
    whole, without = looked(DARK, tiny(gain), OVERALL), looked(DARK, OVERALL)
    assert (whole.verdict, whole.reasons) == (without.verdict, without.reasons) == ("keep", (reasons.KEPT,))
    assert whole.objective.difference == without.objective.difference
    assert whole.slices["dark"] == without.slices["dark"]


@pytest.mark.parametrize("gain", [-0.9, 0.0, 0.9])
def test_thirteen_days_of_four_hundred_rows_neither_pass_nor_silence_the_rest(gain: Any) -> None:
    """Rows enough, groups too few: as a target and as a guard."""
    days, of_day = np.repeat(np.arange(13), 400), np.random.default_rng(2).normal(size=13)
    rows = table(gain, rows=5200) + 0.5 * of_day[days]
    for one in (seen("days", rows, clusters=days), seen("days", rows, "guard", 0.01, days)):
        assert not one.is_evidence(GATE.min_rows)
        for first_of in (DARK, seen("dark", table(0.0)), seen("dark", table(-0.3))):
            look, without = looked(first_of, one, OVERALL), looked(first_of, OVERALL)
            assert (look.verdict, look.reasons) == (without.verdict, without.reasons)
            assert look.objective == without.objective
        assert "`days` is no evidence (13 groups in 5200 rows, 20 needed)" in explain(look, "fog")


def test_a_guard_of_a_few_groups_more_is_evidence_and_does_not_silence_a_whole() -> None:
    """Thirty days cannot certify a point: the whole is held to what they can show, and told so."""
    days, of_day = np.repeat(np.arange(30), 100), np.random.default_rng(2).normal(size=30)
    of_day -= of_day.mean()
    guard = seen("days", table(0.0, rows=3000) + 0.1 * of_day[days], "guard", 0.01, days)
    whole, single = looked(DARK, guard, whole=True), looked(DARK, guard)
    assert single.verdict != "keep"
    assert whole.verdict == "keep"
    assert whole.slices["days"].certifiable > 0.02


def test_a_target_of_thirteen_groups_is_never_the_one_that_improves() -> None:
    look = looked(seen("dark", table(0.0)), tiny(0.9), OVERALL)
    assert look.verdict != "keep"
    assert look.slices["tiny"].gained is None


def test_a_guard_of_thirteen_groups_is_told_to_guard_nothing() -> None:
    look = looked(DARK, tiny(-0.9, "guard", 0.02), OVERALL)
    assert look.verdict == "keep"
    text = explain(look, "fog")
    assert "`tiny` is no evidence (13 groups in 260 rows, 20 needed): it guards nothing" in text
    assert "The guard `tiny`" not in text


def test_only_small_targets_are_undecided_and_named_with_their_groups() -> None:
    look = looked(tiny(0.9), OVERALL)
    assert (look.verdict, look.reasons) == ("undecided", (reasons.TOO_FEW_ROWS,))
    assert "13 groups in 260 rows, 20 needed" in explain(look, "fog")


def test_rows_without_groups_are_told_as_rows() -> None:
    few = seen("few", table(0.0, rows=13))
    assert "`few` is no evidence (13 rows, 20 needed)" in explain(looked(DARK, few), "fog")


def test_uneven_groups_are_told_as_what_they_count() -> None:
    clusters = np.concatenate([np.zeros(200, int), np.arange(1, 31)])
    uneven = seen("uneven", table(0.0, rows=230), clusters=clusters)
    assert "31 groups in 230 rows, of so uneven sizes that they count as 1.32, 20 needed" in explain(
        looked(DARK, uneven), "fog"
    )


def test_a_small_slice_that_is_no_number_never_passes() -> None:
    broken = tiny(0.0)
    broken.differences[1, 5] = np.nan
    look = looked(DARK, broken, OVERALL)
    assert (look.verdict, look.reasons) == ("undecided", (reasons.NOT_FINITE,))


def first(look_at: SliceEvidence, pairs: int) -> SliceEvidence:
    return seen(look_at.name, look_at.differences[:pairs], look_at.role, look_at.margin, look_at.clusters)


@pytest.mark.parametrize(("noise", "fresh"), [(SILENT, False), (NOISE, True), (SILENT, True)])
@pytest.mark.parametrize("gain", [0.3, -0.3])
def test_nothing_is_decided_on_one_pair_that_the_pool_cannot_vouch_for(noise: Any, fresh: Any, gain: Any) -> None:
    one = seen("dark", table(gain, pairs=1))
    look = looked(one, noise=noise, fresh=fresh)
    assert (look.verdict, look.reasons) == (None, (reasons.ONE_PAIR,))
    assert look.slices["dark"].low < 0 < look.slices["dark"].high
    assert look.slices["dark"].z is None
    last = looked(one, noise=noise, fresh=fresh, gate=GateSpec(looks=(1,)))
    assert (last.verdict, last.reasons) == ("undecided", (reasons.ONE_PAIR, reasons.AT_CAP))


def test_one_pair_that_the_pool_vouches_for_may_decide() -> None:
    assert looked(seen("dark", table(0.9, pairs=1)), gate=GateSpec(looks=(1,))).verdict == "keep"


def test_a_deterministic_challenger_is_decided_on_two_pairs() -> None:
    once = table(0.3, pairs=1)
    look = looked(seen("dark", np.repeat(once, 2, axis=0)), noise=SILENT)
    assert (look.verdict, look.pairs) == ("keep", 2)


@pytest.mark.slow
def test_draws_that_vary_are_not_kept_by_luck_where_the_pool_is_silent() -> None:
    """A candidate that is worth nothing and moves by 0.12 between draws, judged at each look as a night does."""
    kept = 0
    for night in range(120):
        rng = np.random.default_rng([8, night])
        rows = 0.28 * rng.normal(size=200)
        whole = 0.12 * rng.normal(size=(8, 1)) + rows - rows.mean() + 0.05 * rng.normal(size=(8, 200))
        for pairs in GATE.looks:
            look = judge({"dark": seen("dark", whole[:pairs])}, pools(DARK, noise=SILENT), GATE, 0.008, fresh=True)
            if look.verdict is not None:
                break
        kept += look.verdict == "keep"
    assert kept <= 1


def test_two_draws_that_agree_by_luck_still_have_one_degree_of_freedom() -> None:
    lucky = np.random.default_rng(4).normal(size=(2, 50))
    lucky -= lucky.mean(axis=1, keepdims=True) - 1.0
    found = moderate(crossed(lucky), SILENT, vouched=False)
    assert found.alone
    assert found.df == 1.0
    assert found.df_at(5) == 4.0


def gain_without_loss(losses: int = 0) -> SliceEvidence:
    moved = np.zeros((8, 400))
    moved[:, :200] = 1.0
    moved[:, 200 : 200 + losses] = -1.0
    return seen("dark", moved)


KINDS = ("exact", "near", "column")


def test_a_gain_without_a_loss_is_decided_once_no_leak_was_found() -> None:
    look = looked(gain_without_loss(), leaks=Leaks(datasets=("right",), looked=KINDS))
    assert (look.verdict, look.reasons) == ("keep", (reasons.KEPT, reasons.NO_LEAK))
    text = explain(look, "right")
    assert "not found: copies of validation rows, near copies, a column that tells the label" in text


@pytest.mark.parametrize("trusted", [False, True])
def test_a_leak_that_was_found_is_told_and_forbids_unless_trusted(trusted: Any) -> None:
    leak = Leak(dataset="copied", kind="near", rows=180, of=200)
    look = looked(gain_without_loss(), leaks=Leaks(datasets=("copied",), looked=KINDS, found=(leak,), trusted=trusted))
    verdict = ("keep", (reasons.KEPT, reasons.TRUSTED)) if trusted else ("undecided", (reasons.TOO_GOOD,))
    assert (look.verdict, look.reasons) == verdict
    assert "near copies of 180 of the 200 validation rows that got better" in explain(look, "copied")
    assert Look.from_dict(json.loads(json.dumps(look.to_dict()))) == look


def test_where_nobody_looked_for_a_leak_a_gain_without_a_loss_is_undecided() -> None:
    assert looked(gain_without_loss()).reasons == (reasons.TOO_GOOD,)


def old_look(state: str, **changes: Any) -> dict:
    """A look as journals before typed states have it."""
    of_slice = {
        "role": "guard", "difference": -0.01, "low": -0.03, "high": 0.01, "rows": 400, "pairs": 3,
        "standard_error": 0.01, "df": 9.0, "z": 0.5, "bound": 0.8, "margin": 0.02, "declared": False, "weight": 1.0,
        "anchor": 0.01, "state": state, "level": 0.6, "alpha": None, "chance": 0.5,
    }  # fmt: skip
    objective = {**of_slice, "role": "target", "margin": None, "anchor": None, "state": "better"}
    return {
        "pairs": 3, "verdict": "undecided", "reasons": ["ADC-G032", "ADC-G034"], "alpha": 0.01, "advice": "",
        "noise": {"overall": [0.0, 0.05, 2.0]},
        "slices": {"overall": {**of_slice, **changes}}, "objective": objective,
    }  # fmt: skip


def from_journal(old: dict) -> Look:
    """The look as a journal of before is read."""
    return Look.from_dict(upcasts.upcast("LookTaken", 1, LookTaken.version, {"look": old})["look"])


def test_a_guard_that_is_not_settled_is_not_said_to_hold_because_it_holds_since_the_start() -> None:
    look = from_journal(old_look("not settled; holds since the start"))
    overall = look.slices["overall"]
    assert (overall.step, overall.since_start, overall.holds) == ("not_settled", "holds", False)
    text = explain(look, "fog")
    assert "The guard `overall` (400 rows) is not settled" in text
    assert "it holds since the start of the study: +0.01" in text
    assert look.objective.gained == "improved"


@pytest.mark.parametrize(
    ("state", "step", "since"),
    [
        ("holds; not settled since the start", "holds", "not_settled"),
        ("harmed; holds since the start", "harmed", "holds"),
        ("holds; harmed since the start", "holds", "harmed"),
        ("not shown; holds", "holds", None),
        ("not decided", None, None),
    ],
)
def test_sentences_of_old_journals_become_states(state: Any, step: Any, since: Any) -> None:
    overall = from_journal(old_look(state)).slices["overall"]
    assert (overall.step, overall.since_start) == (step, since)


def test_numbers_beyond_all_bounds_are_none_in_json_and_in_words() -> None:
    old = from_journal(old_look("not decided", low=-1e6, high=1e6, standard_error=1e6, z=1e6, bound=1e6, df=1e6))
    steady = looked(seen("dark", np.full((2, 400), 0.3)), gate=GateSpec(looks=(2,)))
    lost = looked(seen("dark", np.full((2, 400), np.nan)))
    for look in (old, steady, lost):
        text = json.dumps(look.to_dict(), allow_nan=False) + explain(look, "fog")
        assert "000000.0" not in text
        assert "1e+06" not in text
    assert old.slices["overall"].low is None
