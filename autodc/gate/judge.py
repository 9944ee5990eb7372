"""The verdict: evidence, pools, terms and a level in; keep, drop, undecided or "go on" out. Pure (DESIGN §11.3–11.6).

A keep demands three things at once: a target (or the objective) improves beyond its sequential bound, the objective
improves, every guard holds. `judge` is a function of the evidence to date alone: the information at the earlier looks
is recomputed from the present estimates, so the order of pairs and of rows changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from scipy.special import ndtri

from autodc.evaluation.evidence import Evidence, SliceEvidence
from autodc.gate import reasons
from autodc.gate.advice import advise
from autodc.gate.demands import (
    Demand,
    Measured,
    Schedule,
    gains,
    guards_hold,
    measure,
    objective_improves,
    statistic,
)
from autodc.gate.noise import OBJECTIVE, Pools
from autodc.gate.power import LARGEST, critical
from autodc.gate.types import Look, SliceLook, Verdict
from autodc.spec.study import GateSpec

INTERVAL_TAIL = 0.05
"""One-sided tail of the interval shown for a target."""
SUSPICIOUS_GAINS = 100
"""Rows that got better, over all pairs, before a lack of losses means anything."""
SUSPICIOUS_LOSSES = 0.002
"""Losses per gain that no honest model stays below."""


def judge(
    evidence: Evidence, pools: Pools, gate: GateSpec, alpha: float, *, expect: Literal["better"] = "better"
) -> Look:
    """Judge challenger − incumbent on the pairs to date.

    evidence: slice → paired differences, the same pairs in every slice; pools: the noise of the study, the same for
    all looks of one test; alpha: the level of the test (gate.levels). The verdict is None where another look may
    decide; what cannot be measured is never a pass. Where nothing is decided, advice says what would.
    """
    refused, waits = _refusals(evidence, pools, gate)
    if refused:
        return _no_decision(evidence, pools, alpha, refused, waits)
    schedule = Schedule.at(_pairs(evidence), gate)
    slices, objective = measure(evidence, pools)
    assert objective is not None
    gain, final = gains(slices, objective, gate, alpha, schedule)
    better = objective_improves(objective, gate, schedule)
    guards = guards_hold(slices, gate, schedule)
    verdict, codes = _decide(evidence, gain, better, guards, gate, schedule, final)
    advice = advise([*gain, better, *guards], schedule) if verdict in ("undecided", None) else ""
    return Look(
        pairs=schedule.now,
        verdict=verdict,
        reasons=codes,
        slices={name: _seen(m, gain, guards, gate) for name, m in slices.items()},
        objective=_seen_objective(objective, gain, better),
        alpha=alpha,
        advice=advice,
        noise=_noise([*slices.values(), objective]),
    )


def _decide(
    evidence: Evidence,
    gain: Sequence[Demand],
    better: Demand,
    guards: Sequence[Demand],
    gate: GateSpec,
    schedule: Schedule,
    final: bool,
) -> tuple[Verdict | None, tuple[str, ...]]:
    if any(d.met for d in gain) and better.met and all(d.met for d in guards):
        if _too_good(evidence.values()):
            return "undecided", (reasons.TOO_GOOD,)
        through = any(d.met and d.name != OBJECTIVE for d in gain)
        return "keep", (reasons.KEPT if through else reasons.KEPT_OBJECTIVE,)
    if all(not np.any(seen.differences) for seen in evidence.values()):
        return "drop", (reasons.NO_CHANGE,)
    harm = _harm(better, guards, gate)
    if harm:
        return "drop", harm
    if not final and not _hopeless(gain, better, guards, gate, with_more=False):
        return None, (reasons.GO_ON,)
    futile = _hopeless(gain, better, guards, gate, with_more=True)
    if futile:
        return "drop", futile
    cause = reasons.AT_CAP if schedule.now >= schedule.last else reasons.SATURATED
    return "undecided", (*_open(gain, better, guards), cause)


def _harm(better: Demand, guards: Iterable[Demand], gate: GateSpec) -> tuple[str, ...]:
    found = {
        reasons.HARM_GUARD if d.purpose == "guard" else reasons.HARM_ANCHOR
        for d in guards
        if d.refuted(gate.harm_alpha)
    }
    if better.refuted(gate.harm_alpha):
        found.add(reasons.HARM_OBJECTIVE)
    return tuple(sorted(found))


def _hopeless(
    gain: Iterable[Demand], better: Demand, guards: Iterable[Demand], gate: GateSpec, *, with_more: bool
) -> tuple[str, ...]:
    """The demands that predictive power gives up; with_more: even with more rows and seeds than the test has."""

    def chance(demand: Demand) -> float:
        return demand.chance_with_more if with_more else demand.chance

    found = []
    if all(chance(d) < gate.futility_target for d in gain):
        found.append(reasons.FUTILE_TARGET)
    if chance(better) < gate.futility_rest:
        found.append(reasons.FUTILE_OBJECTIVE)
    if any(chance(d) < gate.futility_rest for d in guards):
        found.append(reasons.FUTILE_GUARD)
    return tuple(found)


def _open(gain: Iterable[Demand], better: Demand, guards: Iterable[Demand]) -> tuple[str, ...]:
    guards = list(guards)
    found = []
    if not any(d.met for d in gain):
        found.append(reasons.OPEN_TARGET)
    if not better.met:
        found.append(reasons.OPEN_OBJECTIVE)
    if any(not d.met for d in guards if d.purpose == "guard"):
        found.append(reasons.OPEN_GUARD)
    if any(not d.met for d in guards if d.purpose == "anchor"):
        found.append(reasons.OPEN_ANCHOR)
    return tuple(found)


def _too_good(evidence: Iterable[SliceEvidence]) -> bool:
    """Whether hits and misses moved one way only: memorised answers cost no row, a true cure costs some."""
    gained = lost = 0
    for seen in evidence:
        moved = seen.differences
        if seen.against is not None:
            moved = moved + seen.against.mean(axis=0) - seen.against[: len(moved)]
            moved = np.round(moved, 9)
        if not np.isin(moved, (-1.0, 0.0, 1.0)).all():
            return False
        gained += int(np.sum(moved > 0))
        lost += int(np.sum(moved < 0))
    return gained >= SUSPICIOUS_GAINS and lost <= SUSPICIOUS_LOSSES * gained


def _pairs(evidence: Evidence) -> int:
    return min((np.atleast_2d(seen.differences).shape[0] for seen in evidence.values()), default=0)


def _refusals(evidence: Evidence, pools: Pools, gate: GateSpec) -> tuple[tuple[str, ...], bool]:
    """Codes of everything that forbids a decision, and whether more pairs would mend all of it."""
    pairs = _pairs(evidence)
    found = set()
    if set(pools.slices) - {OBJECTIVE} - set(evidence):
        found.add(reasons.MISSING_SLICE)
    if not any(seen.role == "target" for seen in evidence.values()):
        found.add(reasons.NO_TARGET)
    if pairs < gate.looks[0]:
        found.add(reasons.TOO_FEW_PAIRS)
    for name, seen in evidence.items():
        tables = [seen.differences] if seen.anchor is None else [seen.differences, seen.anchor]
        rows = _counting_rows(seen)
        for table in tables:
            finite = np.isfinite(np.atleast_2d(table))
            lost = ~finite.any(axis=1)
            if lost.any():
                found.add(reasons.LOST_PAIR)
            if not finite[~lost].all():
                found.add(reasons.NOT_FINITE)
        if len(seen.differences) != pairs or (seen.anchor is not None and len(seen.anchor) == 0):
            found.add(reasons.LOST_PAIR)
        if rows < 2 or (rows < gate.min_rows and seen.margin is not None):
            found.add(reasons.TOO_FEW_ROWS)
        if pools.of(name).df <= 0 and pairs < 2:
            found.add(reasons.NOT_CALIBRATED)
    targets = [seen for seen in evidence.values() if seen.role == "target"]
    if targets and sum(_counting_rows(seen) for seen in targets) < gate.min_rows:
        found.add(reasons.TOO_FEW_ROWS)
    if pools.of(OBJECTIVE).df <= 0 and pairs < 2:
        found.add(reasons.NOT_CALIBRATED)
    mended = {reasons.TOO_FEW_PAIRS, reasons.NOT_CALIBRATED} if gate.looks[-1] > pairs else set()
    return tuple(sorted(found)), found <= mended


def _counting_rows(seen: SliceEvidence) -> float:
    rows = int(np.atleast_2d(seen.differences).shape[1])
    if seen.clusters is None:
        return rows
    sizes = np.unique(np.asarray(seen.clusters), return_counts=True)[1].astype(np.float64)
    return float(rows**2 / np.sum(sizes**2)) if rows else 0.0


def _no_decision(evidence: Evidence, pools: Pools, alpha: float, codes: tuple[str, ...], waits: bool) -> Look:
    blank = {
        name: _blank(seen, np.atleast_2d(seen.differences).shape, "not decided") for name, seen in evidence.items()
    }
    missing = sorted(set(pools.slices) - {OBJECTIVE} - set(evidence))
    advice = f"Not measured: {', '.join(missing)}." if missing else ""
    whole = SliceEvidence(
        name=OBJECTIVE, role="target", weight=1.0, margin=None, declared=True, differences=np.zeros((0, 0))
    )
    return Look(
        pairs=_pairs(evidence),
        verdict=None if waits else "undecided",
        reasons=codes,
        slices=blank,
        objective=_blank(whole, (0, 0), "not decided"),
        alpha=alpha,
        advice=advice,
    )


def _blank(seen: SliceEvidence, shape: tuple[int, ...], state: str) -> SliceLook:
    table = np.asarray(seen.differences, dtype=np.float64)
    mean = float(table.mean()) if table.size and np.isfinite(table).all() else 0.0
    return SliceLook(
        role=seen.role,
        difference=mean,
        low=-LARGEST,
        high=LARGEST,
        rows=shape[1],
        pairs=shape[0],
        standard_error=LARGEST,
        df=1.0,
        z=0.0,
        bound=None,
        margin=seen.margin,
        declared=seen.declared,
        weight=seen.weight,
        state=state,
    )


def _seen(m: Measured, gain: Sequence[Demand], guards: Sequence[Demand], gate: GateSpec) -> SliceLook:
    tested = next((d for d in gain if d.name == m.name), None)
    step = next((d for d in guards if d.name == m.name and d.purpose == "guard"), None)
    anchor = next((d for d in guards if d.name == m.name and d.purpose == "anchor"), None)
    states = []
    if m.evidence.role == "target":
        states.append("not tested" if tested is None else ("improved" if tested.met else "not shown"))
    for demand, suffix in ((step, ""), (anchor, " since the start")):
        if demand is not None:
            word = "holds" if demand.met else ("harmed" if demand.refuted(gate.harm_alpha) else "not settled")
            states.append(word + suffix)
    tail = gate.guard_alpha if m.evidence.role == "guard" else _tail(tested)
    return _slice_look(m, tested, tail, "; ".join(states), None if m.anchor is None else m.anchor.mean, step)


def _seen_objective(m: Measured, gain: Sequence[Demand], better: Demand) -> SliceLook:
    tested = next((d for d in gain if d.name == OBJECTIVE), None)
    state = "better" if better.met else "not shown better"
    return _slice_look(m, tested, better.share, state, None, better)


def _tail(tested: Demand | None) -> float:
    """Tail of a target's interval: its own level where that is looser, so that a target that crossed excludes 0."""
    return INTERVAL_TAIL if tested is None else max(INTERVAL_TAIL, tested.share)


def _slice_look(
    m: Measured, tested: Demand | None, tail: float, state: str, anchor: float | None, rest: Demand | None
) -> SliceLook:
    estimate = m.estimate
    half = critical(-float(ndtri(tail)), estimate.df) * estimate.standard_error
    shown = tested or rest
    return SliceLook(
        role=m.evidence.role,
        difference=estimate.mean,
        low=estimate.mean - half,
        high=estimate.mean + half,
        rows=np.atleast_2d(m.evidence.differences).shape[1],
        pairs=estimate.pairs,
        standard_error=estimate.standard_error,
        df=min(estimate.df, LARGEST),
        z=statistic(estimate, 0.0) if shown is None else shown.z,
        bound=None if shown is None else shown.bound,
        margin=m.evidence.margin,
        declared=m.evidence.declared,
        weight=m.evidence.weight,
        anchor=anchor,
        state=state,
        level=1 - 2 * tail,
        alpha=None if tested is None else tested.share,
        chance=None if shown is None else shown.chance,
    )


def _noise(measured: Iterable[Measured]) -> dict[str, tuple[float, float, float]]:
    """Of a difference: a table against an average shows the noise of one arm, half of it."""
    found = {}
    for m in measured:
        if m.own.df > 0:
            arms = 1.0 if m.evidence.against is None else 2.0
            found[m.name] = (arms * m.own.seed, arms * m.own.residual, float(m.own.df))
    return found
