"""What holds for any evidence: order means nothing, what is missing never passes, units mean nothing.

Rows may be single or in groups that count as one, scores may be means over rows or pseudo-values of a metric that is
none. `test_the_evidence_is_of_every_kind` sees to it that no property holds because nothing was ever kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodc.evaluation.evidence import Evidence, SliceEvidence
from autodc.gate.judge import judge
from autodc.gate.noise import OBJECTIVE, Pools
from autodc.stats import jackknife
from autodc.stats.variance import Prior
from autodc.studyfile.study import GateSpec

GATE = GateSpec()
QUICK = settings(max_examples=25, deadline=None, derandomize=True)
POOLS = Pools(slices=dict.fromkeys(("dark", "fog", "overall", OBJECTIVE), Prior(seed=1e-5, residual=0.05, df=5)))


def some_evidence(seed: int) -> dict[str, SliceEvidence]:
    """Two targets and a guard of 30 to 200 rows, alone or in groups, 1 to 8 pairs, gains between none and plain."""
    rng = np.random.default_rng(seed)
    pairs = int(rng.choice((1, 2, 3, 5, 8)))
    single = rng.random() < 0.3
    found = {}
    for name in ("dark", "fog", "overall"):
        rows, gain = int(rng.integers(30, 201)), rng.uniform(-0.1, 0.3)
        role = "guard" if name == "overall" else "target"
        group = 0 if single else int(rng.choice((1, 3)))
        clusters = np.sort(rng.integers(0, rows // group, rows)) if group else None
        table = gain + 0.05 * rng.normal(size=(pairs, 1)) + 0.3 * rng.normal(size=(pairs, rows))
        if group:
            table = table + 0.2 * rng.normal(size=rows)[clusters]
        found[name] = SliceEvidence(
            name=name,
            role=role,
            weight=1.0,
            margin=0.03 if role == "guard" else None,
            declared=name == "dark",
            differences=table,
            clusters=clusters,
        )
    return found


def _changed(evidence: Evidence, change: Any) -> dict[str, SliceEvidence]:
    return {name: replace(seen, differences=change(seen.differences)) for name, seen in evidence.items()}


def _repeated(seen: SliceEvidence, pairs: int, rows: int) -> SliceEvidence:
    """The same evidence again, as other pairs or as other rows in groups of their own."""
    clusters = seen.clusters
    if clusters is not None:
        clusters = np.concatenate([clusters + k * (clusters.max() + 1) for k in range(rows)])
    return replace(seen, differences=np.tile(seen.differences, (pairs, rows)), clusters=clusters)


METRICS = {
    "accuracy": lambda truth, said: (truth == said).astype(float),
    "balanced_accuracy": jackknife.balanced_accuracy,
    "macro_f1": lambda truth, said: jackknife.macro_f1(truth, said, labels=np.arange(3)),
}


@dataclass(frozen=True, eq=False)
class Said:
    """Predictions of two arms on one slice: truth, shape (n_rows,); new, old: shape (n_pairs, n_rows)."""

    role: str
    truth: np.ndarray
    new: np.ndarray
    old: np.ndarray
    clusters: np.ndarray

    def evidence(self, name: str, metric: str) -> SliceEvidence:
        of = METRICS[metric]
        return SliceEvidence(
            name=name,
            role=self.role,
            weight=1.0,
            margin=0.05 if self.role == "guard" else None,
            declared=self.role == "target",
            differences=np.stack(
                [of(self.truth, n) - of(self.truth, o) for n, o in zip(self.new, self.old, strict=True)]
            ),
            clusters=self.clusters,
        )


def some_predictions(seed: int) -> dict[str, Said]:
    """A target and a guard with three classes, in groups of one to three rows; the challenger errs less or as often."""
    rng = np.random.default_rng(seed)
    pairs = int(rng.choice((1, 3, 8)))
    found = {}
    for name, role in (("dark", "target"), ("fog", "target"), ("overall", "guard")):
        rows, gain = int(rng.integers(60, 201)), rng.choice((0.0, 0.1, 0.3))
        truth = np.concatenate([np.arange(3), rng.integers(0, 3, rows - 3)])

        def said(errs: float, truth: np.ndarray = truth) -> np.ndarray:
            wrong = rng.random((pairs, len(truth))) < errs
            return np.where(wrong, (truth + 1 + rng.integers(0, 2, wrong.shape)) % 3, truth)

        clusters = np.sort(rng.integers(0, rows, rows) // rng.choice((1, 3)))
        found[name] = Said(role, truth, said(0.4 - gain), said(0.4), clusters)
    return found


evidences = st.integers(0, 10_000).map(some_evidence)
predictions = st.integers(0, 10_000).map(some_predictions)


def _verdict(said: dict[str, Said], metric: str, alpha: float = 0.05) -> str | None:
    return judge({name: one.evidence(name, metric) for name, one in said.items()}, POOLS, GATE, alpha).verdict


@QUICK
@given(evidences, st.integers(0, 1000))
def test_the_order_of_rows_and_pairs_changes_nothing(evidence: Any, seed: Any) -> None:
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(len(evidence["dark"].differences))
    mixed = {}
    for name, seen in evidence.items():
        rows = rng.permutation(seen.differences.shape[1])
        clusters = None if seen.clusters is None else 7 * seen.clusters[rows] + 3
        mixed[name] = replace(seen, differences=seen.differences[pairs][:, rows], clusters=clusters)
    before, after = judge(evidence, POOLS, GATE, 0.01), judge(mixed, POOLS, GATE, 0.01)
    assert (after.verdict, after.reasons) == (before.verdict, before.reasons)
    for name, seen in before.slices.items():
        assert after.slices[name].z == pytest.approx(seen.z)
        assert after.slices[name].low == pytest.approx(seen.low)


@QUICK
@given(evidences, st.sampled_from(("dark", "fog", "overall")), st.floats(0, 1))
def test_a_missing_slice_never_passes(evidence: Any, name: Any, gain: Any) -> None:
    better = _changed(evidence, lambda table: table + gain)
    without = {k: v for k, v in better.items() if k != name}
    assert judge(without, POOLS, GATE, 0.05).verdict != "keep"


@QUICK
@given(evidences, st.sampled_from(("dark", "fog", "overall")), st.sampled_from((np.nan, np.inf)))
def test_a_score_that_is_no_number_never_passes(evidence: Any, name: Any, value: Any) -> None:
    better = _changed(evidence, lambda table: table + 1.0)
    better[name].differences[0, 7] = value
    assert judge(better, POOLS, GATE, 0.05).verdict != "keep"


@pytest.mark.slow
@settings(QUICK, max_examples=60)
@given(evidences, st.sampled_from(((1, 2), (1, 3), (2, 1), (3, 1))))
def test_more_of_the_same_never_turns_keep_into_drop(evidence: Any, times: Any) -> None:
    """More rows of a slice that was no evidence may make it some, which is another question."""
    whole = all(seen.is_evidence(GATE.min_rows) for seen in evidence.values())
    if whole and judge(evidence, POOLS, GATE, 0.05).verdict == "keep":
        more = {name: _repeated(seen, *times) for name, seen in evidence.items()}
        assert judge(more, POOLS, GATE, 0.05).verdict != "drop"


@pytest.mark.slow
@QUICK
@given(evidences, st.integers(2, 4))
def test_copies_of_rows_within_their_groups_change_nothing(evidence: Any, times: Any) -> None:
    """A row that is there twice, known to be one, says no more than once."""
    copied = {}
    for k, (name, seen) in enumerate(evidence.items(), 1):
        numbers = 10_000 * k + np.arange(seen.differences.shape[1]) if seen.clusters is None else seen.clusters
        table = np.tile(seen.differences, (1, times))
        copied[name] = replace(seen, differences=table, clusters=np.tile(numbers, times))
    gate = GATE.model_copy(update={"min_rows": 2})
    before, after = judge(evidence, POOLS, gate, 0.01), judge(copied, POOLS, gate, 0.01)
    assert (after.verdict, after.reasons) == (before.verdict, before.reasons)
    for name, seen in before.slices.items():
        assert after.slices[name].standard_error == pytest.approx(seen.standard_error)
        assert after.slices[name].z == pytest.approx(seen.z)


@pytest.mark.slow
@QUICK
@given(predictions, st.sampled_from(tuple(METRICS)), st.integers(0, 1000))
def test_the_order_of_rows_and_pairs_changes_nothing_for_any_metric(said: Any, metric: Any, seed: Any) -> None:
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(len(said["dark"].new))
    mixed = {}
    for name, one in said.items():
        rows = rng.permutation(len(one.truth))
        new, old = one.new[pairs][:, rows], one.old[pairs][:, rows]
        mixed[name] = Said(one.role, one.truth[rows], new, old, one.clusters[rows])
    assert _verdict(mixed, metric) == _verdict(said, metric)


@pytest.mark.slow
@settings(QUICK, max_examples=60)
@given(predictions, st.sampled_from(tuple(METRICS)), st.sampled_from(((2, 1), (1, 2), (1, 3))))
def test_more_of_the_same_predictions_never_turn_keep_into_drop(said: Any, metric: Any, times: Any) -> None:
    if _verdict(said, metric) == "keep":
        _, rows = times
        more = {}
        for name, one in said.items():
            clusters = np.concatenate([one.clusters + k * (one.clusters.max() + 1) for k in range(rows)])
            new, old = np.tile(one.new, times), np.tile(one.old, times)
            more[name] = Said(one.role, np.tile(one.truth, rows), new, old, clusters)
        assert _verdict(more, metric) != "drop"


@pytest.mark.slow
def test_the_evidence_is_of_every_kind() -> None:
    """The strategies give keeps, drops and tests that go on, of single and of grouped rows, for every metric."""
    seen: set[tuple[str, str | None]] = set()
    for seed in range(40):
        evidence = some_evidence(seed)
        kind = "single" if evidence["dark"].clusters is None else "grouped"
        seen.add((kind, judge(evidence, POOLS, GATE, 0.05).verdict))
        seen |= {(metric, _verdict(some_predictions(seed), metric)) for metric in METRICS}
    for kind in ("grouped", "single", *METRICS):
        assert {(kind, "keep"), (kind, "drop")} <= seen, kind


@pytest.mark.slow
@QUICK
@given(evidences, st.sampled_from((0.01, 7.0, 100.0)))
def test_units_change_nothing(evidence: Any, unit: Any) -> None:
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
@given(evidences, st.floats(0.001, 0.2))
def test_a_larger_gain_is_never_worse(evidence: Any, gain: Any) -> None:
    """With the same noise, what was kept is kept when every slice is better still."""
    if judge(evidence, POOLS, GATE, 0.05).verdict == "keep":
        better = _changed(evidence, lambda table: table + gain)
        assert judge(better, POOLS, GATE, 0.05).verdict == "keep"
