"""The verdict: evidence, pools, terms and a level in; keep, drop, undecided or "go on" out. Pure (DESIGN §11.3–11.6).

A keep demands three things at once: a target (or the objective) improves beyond its sequential bound, the objective
improves, every guard holds. What was made for a finding may improve on the finding's own slice instead of the first
two, where the objective loses nothing (docs/decisions/declared_targets.md). `judge` is a function of the evidence to
date alone: the information at the earlier looks is recomputed from the present estimates, so the order of pairs and of
rows changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from autodc.evaluation.evidence import FINDING, Evidence, SliceEvidence
from autodc.gate import reasons
from autodc.gate.advice import advise
from autodc.gate.demands import (
    Demand,
    Gains,
    Measured,
    Schedule,
    gains,
    guards_hold,
    measure,
    measured,
    nothing_lost,
    objective_improves,
    statistic,
)
from autodc.gate.noise import OBJECTIVE, Pools
from autodc.gate.power import LARGEST, critical
from autodc.gate.refusals import blank, no_decision, pairs_of, refusals
from autodc.gate.thresholds import ANCHOR_FACTOR, FUTILITY_REST, FUTILITY_TARGET, GUARD_ALPHA, HARM_ALPHA
from autodc.gate.types import Gained, Held, Leaks, Look, SliceLook, Verdict
from autodc.studyfile.study import GateSpec

INTERVAL_TAIL = 0.05
"""One-sided tail of the interval shown for a target."""
SUSPICIOUS_GAINS = 100
"""Rows that got better, over all pairs, before a lack of losses means anything."""
SUSPICIOUS_LOSSES = 0.002
"""Losses per gain below which a cure is rare and answers learned by heart are usual: a leak is looked for."""
ONE_OBSERVATION = 0.484
"""A mean of unknown spread lies within ONE_OBSERVATION ÷ α times its one observation of it, with chance 1 − α
(Abbott & Rosenblatt 1962; Wall, Boen & Tweedie 2001)."""


PATIENCE = 3
"""Pairs before which what is patient is given up by harm alone."""


def decided(verdict: Verdict | None, codes: Sequence[str]) -> bool:
    """Whether a verdict rests on what was shown, not on what is unlikely to be shown."""
    shown = {reasons.HARM_GUARD, reasons.HARM_ANCHOR, reasons.HARM_OBJECTIVE, reasons.NO_CHANGE, reasons.TOO_GOOD}
    return verdict == "keep" or bool(shown & set(codes))


def judge(
    evidence: Evidence,
    pools: Pools,
    gate: GateSpec,
    alpha: float,
    *,
    fresh: bool = False,
    novel: bool = False,
    leaks: Leaks | None = None,
    whole: bool = False,
    objective_alone: bool = False,
    patient: bool = False,
    tolerated: float = 0.0,
) -> Look:
    """Judge challenger − incumbent on the pairs to date.

    evidence: slice → paired differences, the same pairs in every slice; pools: the noise of the study, the same for
    all looks of one comparison; alpha: its level (gate.levels); fresh: an arm draws rows anew with each seed,
    which the trainings that filled the pools did not; novel: nothing like an arm is in the pools, so that one pair
    keeps nothing; leaks: what a search for leaks found, None where nobody looked;
    whole: many datasets at once, whose guards ask no more of the rows than they can show; objective_alone: the gain is
    asked of the objective alone, which spends all of the level; patient: nothing is given up before PATIENCE pairs, for
    what the first ones know of their noise is what others showed; tolerated: what the objective may lose where the gain
    is one of a finding's slice.
    The verdict is None where another look may decide; what cannot be measured is never a pass. A slice with too few
    rows is no evidence, for or against. Where nothing is decided, settling says what would.
    """
    counted = {name: seen for name, seen in evidence.items() if seen.is_evidence(gate.min_rows)}
    silent = {name: _silent(seen, pools, gate, fresh) for name, seen in evidence.items() if name not in counted}
    refused, waits = refusals(evidence, counted, pools, gate)
    if refused:
        return no_decision(evidence, counted, silent, pools, alpha, refused, waits)
    schedule = Schedule.at(pairs_of(evidence), gate)
    slices, objective = measure(counted, pools, fresh)
    assert objective is not None
    gain = gains(slices, objective, alpha, schedule, objective_alone)
    better, spared = objective_improves(objective, schedule), nothing_lost(slices, objective, tolerated, schedule)
    guards = guards_hold(slices, schedule, whole)
    unknown = any(m.unknown for m in (*slices.values(), objective) if m.evidence.role != FINDING)
    verdict, codes = _decide(counted, gain, better, spared, guards, schedule, unknown, leaks)
    if patient and schedule.now < PATIENCE and not schedule.over and not decided(verdict, codes):
        verdict, codes = None, (reasons.GO_ON,)
    if verdict == "keep" and novel and schedule.now < 2:
        verdict, codes = _one_pair(schedule)
    rest = spared if any(d.met for d in gain.own) else [better]
    advice = advise([*gain.every, *rest, *guards], schedule) if verdict in ("undecided", None) and not unknown else ()
    seen = {name: _seen(m, gain.every, guards) for name, m in slices.items()} | silent
    return Look(
        pairs=schedule.now,
        verdict=verdict,
        reasons=codes,
        slices={name: seen[name] for name in evidence},
        objective=_seen_objective(objective, gain.every, better),
        alpha=alpha,
        settling=advice,
        noise=_noise([*slices.values(), objective]),
        leaks=leaks,
    )


def judge_last(judged: Callable[[GateSpec], Look], gate: GateSpec, last: bool) -> Look:
    """Judge a look, and where it decides nothing and is the last that can be paid, let it spend all that is left.

    judged: the look under a gate. The budget ends the comparison, not what it saw, so what earlier looks left of the
    level is the last one's. It keeps by that or leaves the question open.
    """
    look = judged(gate)
    if not last or look.verdict is not None:
        return look
    at_end = judged(gate.model_copy(update={"looks": tuple(k for k in gate.looks if k <= look.pairs)}))
    return at_end if at_end.verdict == "keep" else look


def too_good(evidence: Evidence) -> bool:
    """Whether hits and misses moved one way only: memorised answers cost no row, most cures cost some."""
    gained = lost = 0
    for seen in evidence.values():
        if seen.role == FINDING:  # its rows are those of other slices
            continue
        moved = seen.differences
        if not np.isin(moved, (-1.0, 0.0, 1.0)).all():
            return False
        gained += int(np.sum(moved > 0))
        lost += int(np.sum(moved < 0))
    return gained >= SUSPICIOUS_GAINS and lost <= SUSPICIOUS_LOSSES * gained


def _decide(
    evidence: Evidence,
    gain: Gains,
    better: Demand,
    spared: Sequence[Demand],
    guards: Sequence[Demand],
    schedule: Schedule,
    unknown: bool,
    leaks: Leaks | None,
) -> tuple[Verdict | None, tuple[str, ...]]:
    if all(not np.any(seen.differences) for seen in evidence.values()):
        return "drop", (reasons.NO_CHANGE,)
    if unknown:
        return _one_pair(schedule)
    through = _through(gain, better, spared)
    if through is not None and all(d.met for d in guards):
        suspicion = _suspicion(leaks) if too_good(evidence) else ()
        if reasons.TOO_GOOD in suspicion:
            return "undecided", suspicion
        return "keep", (through, *suspicion)
    harm = _harm(better, guards)
    if harm:
        return "drop", harm
    if not gain.final and not _hopeless(gain, better, spared, guards, with_more=False):
        return None, (reasons.GO_ON,)
    futile = _hopeless(gain, better, spared, guards, with_more=True)
    if futile:
        return "drop", futile
    cause = reasons.AT_CAP if schedule.over else reasons.SATURATED
    return "undecided", (*_open(gain, better, spared, guards), cause)


def _through(gain: Gains, better: Demand, spared: Sequence[Demand]) -> str | None:
    """By what a challenger passes whose guards hold: the code of it, or None."""
    if better.met and any(d.met for d in gain.usual):
        return reasons.KEPT if any(d.met and d.name != OBJECTIVE for d in gain.usual) else reasons.KEPT_OBJECTIVE
    own = any(d.met for d in gain.own) and all(d.met for d in spared)
    return reasons.KEPT_FINDING if own else None


def _one_pair(schedule: Schedule) -> tuple[Verdict | None, tuple[str, ...]]:
    """What is concluded of one pair whose noise nothing tells: another one, if there may be one."""
    return ("undecided", (reasons.ONE_PAIR, reasons.AT_CAP)) if schedule.over else (None, (reasons.ONE_PAIR,))


def _suspicion(leaks: Leaks | None) -> tuple[str, ...]:
    """What to say of a gain without a loss: TOO_GOOD forbids it, where a leak was found or nobody looked."""
    if leaks is None or (leaks.found and not leaks.trusted):
        return (reasons.TOO_GOOD,)
    return (reasons.TRUSTED,) if leaks.found else (reasons.NO_LEAK,)


def _harm(better: Demand, guards: Iterable[Demand]) -> tuple[str, ...]:
    found = {reasons.HARM_GUARD if d.aim == "guard" else reasons.HARM_ANCHOR for d in guards if d.refuted(HARM_ALPHA)}
    if better.refuted(HARM_ALPHA):
        found.add(reasons.HARM_OBJECTIVE)
    return tuple(sorted(found))


def _hopeless(
    gain: Gains, better: Demand, spared: Sequence[Demand], guards: Iterable[Demand], *, with_more: bool
) -> tuple[str, ...]:
    """The demands that predictive power gives up; with_more: even with more rows and seeds than the comparison has."""

    def chance(demand: Demand) -> float:
        return demand.chance_with_more if with_more else demand.chance

    found = []
    if all(chance(d) < FUTILITY_TARGET for d in gain.usual):
        found.append(reasons.FUTILE_TARGET)
    if chance(better) < FUTILITY_REST:
        found.append(reasons.FUTILE_OBJECTIVE)
    own = any(chance(d) >= FUTILITY_TARGET for d in gain.own) and all(chance(d) >= FUTILITY_REST for d in spared)
    if own:
        found = []
    if any(chance(d) < FUTILITY_REST for d in guards):
        found.append(reasons.FUTILE_GUARD)
    return tuple(found)


def _open(gain: Gains, better: Demand, spared: Sequence[Demand], guards: Iterable[Demand]) -> tuple[str, ...]:
    guards = list(guards)
    found = []
    if not any(d.met for d in gain.every):
        found.append(reasons.OPEN_TARGET)
    if not better.met and _through(gain, better, spared) is None:
        found.append(reasons.OPEN_OBJECTIVE)
    if any(not d.met for d in guards if d.aim == "guard"):
        found.append(reasons.OPEN_GUARD)
    if any(not d.met for d in guards if d.aim == "anchor"):
        found.append(reasons.OPEN_ANCHOR)
    return tuple(found)


def _silent(seen: SliceEvidence, pools: Pools, gate: GateSpec, fresh: bool) -> SliceLook:
    """A slice that is no evidence: what was measured of it is told, and nothing is demanded of it."""
    able = seen.defined and np.isfinite(seen.differences).all() and seen.groups >= 2 and len(seen.differences)
    if not able or (pools.of(seen.name).df <= 0 and len(seen.differences) < 2):
        return blank(seen, seen.needed(gate.min_rows))
    bare = replace(seen, anchor=None)
    look = _slice_look(measured(seen.name, bare, pools, fresh), None, INTERVAL_TAIL, None)
    return replace(look, needed=seen.needed(gate.min_rows))


def _seen(m: Measured, gain: Sequence[Demand], guards: Sequence[Demand]) -> SliceLook:
    tested = next((d for d in gain if d.name == m.name), None)
    step = next((d for d in guards if d.name == m.name and d.aim == "guard"), None)
    anchor = next((d for d in guards if d.name == m.name and d.aim == "anchor"), None)
    gained: Gained | None = None
    if m.evidence.role == "target" or tested is not None:
        gained = "not_tested" if tested is None else _gained(m, tested)
    tail = GUARD_ALPHA if m.evidence.role == "guard" else _tail(tested)
    look = _slice_look(m, tested, tail, step)
    return replace(
        look,
        anchor=None if m.anchor is None else m.anchor.mean,
        gained=gained,
        step=_held(m, step),
        since_start=_held(m, anchor),
        certifiable=_certifiable(step, anchor),
    )


def _certifiable(step: Demand | None, anchor: Demand | None) -> float | None:
    """The margin that the rows could certify, where a guard was held to less."""
    if step is not None and step.certifiable is not None:
        return step.certifiable
    return None if anchor is None or anchor.certifiable is None else anchor.certifiable / ANCHOR_FACTOR


def _gained(m: Measured, demand: Demand) -> Gained:
    return "improved" if demand.met and not m.unknown else "not_shown"


def _held(m: Measured, demand: Demand | None) -> Held | None:
    if demand is None:
        return None
    if m.unknown:
        return "not_settled"
    return "holds" if demand.met else ("harmed" if demand.refuted(HARM_ALPHA) else "not_settled")


def _seen_objective(m: Measured, gain: Sequence[Demand], better: Demand) -> SliceLook:
    tested = next((d for d in gain if d.name == OBJECTIVE), None)
    return replace(_slice_look(m, tested, better.share, better), gained=_gained(m, better))


def _tail(tested: Demand | None) -> float:
    """Tail of a target's interval: its own level where that is looser, so that a target that crossed excludes 0."""
    return INTERVAL_TAIL if tested is None else max(INTERVAL_TAIL, tested.share)


def _slice_look(m: Measured, tested: Demand | None, tail: float, rest: Demand | None) -> SliceLook:
    estimate = m.estimate
    half = critical(-float(ndtri(tail)), estimate.df) * estimate.standard_error
    if m.unknown:
        half = max(half, ONE_OBSERVATION / (2 * tail) * abs(estimate.mean))
    shown = tested or rest
    z = statistic(estimate, 0.0) if shown is None else shown.z
    return SliceLook(
        role=m.evidence.role,
        difference=estimate.mean,
        low=estimate.mean - half,
        high=estimate.mean + half,
        rows=m.evidence.rows,
        pairs=estimate.pairs,
        standard_error=None if m.unknown else estimate.standard_error,
        df=None if m.unknown else _known(estimate.df),
        z=None if m.unknown else _known(z),
        bound=None if shown is None or m.unknown else _known(shown.bound),
        margin=m.evidence.margin,
        declared=m.evidence.declared,
        weight=m.evidence.weight,
        level=1 - 2 * tail,
        alpha=None if tested is None else tested.share,
        chance=None if shown is None or m.unknown else shown.chance,
        groups=m.evidence.groups,
        counting=round(m.evidence.counting, 4),
        vouched=m.vouched,
    )


def _known(value: float) -> float | None:
    """A number a person can be told; None for what is beyond all of them."""
    return value if abs(value) < LARGEST else None


def _noise(measured: Iterable[Measured]) -> dict[str, tuple[float, float, float]]:
    return {m.name: (m.own.seed, m.own.residual, float(m.own.df)) for m in measured if m.own.df > 0}
