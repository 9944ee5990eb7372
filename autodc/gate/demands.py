"""What a keep demands, as one-sided statements about means: each with its estimate and its bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import ndtri

from autodc.evaluation.evidence import FINDING, Evidence, SliceEvidence
from autodc.gate.noise import OBJECTIVE, Pools, objective_evidence
from autodc.gate.power import CERTAIN, LARGEST, critical, predictive_power
from autodc.gate.thresholds import ANCHOR_FACTOR, GUARD_ALPHA, HARM_ALPHA, OBJECTIVE_ALPHA, OWN_SHARE
from autodc.stats.sequential import MIN_STEP, bounds
from autodc.stats.variance import Crossed, Estimate, crossed, moderate
from autodc.studyfile.study import GateSpec

SATURATED = 0.95
"""Share of the information of the last look beyond which more seeds decide nothing."""
MORE_EVIDENCE = 2.0
"""A comparison that cannot be decided with its pairs is futile when even this many times the evidence would not do."""

Aim = Literal["gain", "objective", "spared", "guard", "anchor"]
"""What a demand asks: that a target gains, that the objective improves, that objective and targets lose nothing, that a
guard holds now, or since the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The looks of a comparison and where in it we are."""

    looks: tuple[int, ...]
    """Pairs at each look up to the present one."""
    last: int
    """Pairs at the last look."""

    @classmethod
    def at(cls, pairs: int, gate: GateSpec) -> Schedule:
        """Place `pairs` among the looks of the gate; a number that is no planned look is a look of its own."""
        return cls(looks=(*(k for k in gate.looks if k < pairs), pairs), last=max(gate.looks[-1], pairs))

    @property
    def now(self) -> int:
        """Pairs at the present look."""
        return self.looks[-1]

    @property
    def over(self) -> bool:
        """Whether the present look is the last."""
        return self.now >= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One slice, or the objective, with its estimates."""

    evidence: SliceEvidence
    own: Crossed
    estimate: Estimate
    anchor: Estimate | None = None
    """Against the start of the study, or None."""
    vouched: bool = True
    """Whether the pool of noise speaks for trainings such as the challenger's."""

    @property
    def name(self) -> str:
        """The slice."""
        return self.evidence.name

    @property
    def rows(self) -> float:
        """Rows that count: a cluster of rows is one."""
        return self.own.effective_rows

    @property
    def unknown(self) -> bool:
        """Whether nothing tells its noise: one pair, for which the pool does not speak."""
        return not self.vouched and self.own.pairs < 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Gains:
    """Demand one, by either way."""

    usual: tuple[Demand, ...]
    """Of the declared targets and the objective: one of them is shown to gain."""
    own: tuple[Demand, ...] = ()
    """Of the slices of findings for which something was made: one of them may stand for a gain of those."""
    final: bool = False
    """Whether the information of all of them is saturated, which makes this look the last."""

    @property
    def every(self) -> tuple[Demand, ...]:
        """All of them."""
        return (*self.usual, *self.own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """`mean + shift > 0`, to be shown beyond `bound` standard errors."""

    aim: Aim
    name: str
    estimate: Estimate
    shift: float
    share: float
    """The level it spends over all looks."""
    bound: float
    """Critical value of Student's t now."""
    last_bound: float
    """And at the last look."""
    last: int
    """Pairs at the last look."""
    certifiable: float | None = None
    """Set where a guard's bound was lowered because the rows cannot certify its margin: the margin they can."""

    @property
    def z(self) -> float:
        """The statistic, in standard errors."""
        return statistic(self.estimate, self.shift)

    @property
    def met(self) -> bool:
        """Whether it is shown at this look."""
        return self.z >= self.bound

    @property
    def chance(self) -> float:
        """Predictive power at the last look."""
        return predictive_power(self.estimate, self.shift, self.last_bound, self.estimate.variance_at(self.last))

    @property
    def chance_with_more(self) -> float:
        """Predictive power with MORE_EVIDENCE times the rows and seeds."""
        return predictive_power(self.estimate, self.shift, self.last_bound, self.estimate.variance / MORE_EVIDENCE)

    def refuted(self, alpha: float) -> bool:
        """Whether the contrary, `mean + shift < 0`, is shown at `alpha`."""
        return self.z <= -critical(-float(ndtri(alpha)), self.estimate.df)


def statistic(estimate: Estimate, shift: float) -> float:
    """Return (mean + shift) in standard errors; with no variance at all, its sign beyond every bound."""
    ahead = estimate.mean + shift
    if estimate.variance > 0:
        return max(-LARGEST, min(LARGEST, ahead / estimate.standard_error))
    return math.copysign(LARGEST, ahead) if ahead else 0.0


def measure(evidence: Evidence, pools: Pools, fresh: bool = False) -> tuple[dict[str, Measured], Measured | None]:
    """Estimate every slice, and the objective where there are targets.

    fresh: an arm draws rows with each seed, which the trainings that filled the pools did not.
    """
    slices = {name: measured(name, seen, pools, fresh) for name, seen in evidence.items()}
    targets = [seen for seen in evidence.values() if seen.role == "target"]
    return slices, measured(OBJECTIVE, objective_evidence(targets), pools, fresh) if targets else None


def gains(
    slices: dict[str, Measured], objective: Measured, alpha: float, schedule: Schedule, alone: bool = False
) -> Gains:
    """Demand one: a declared target, or the objective, crosses its sequential bound; alone: the objective.

    k declared targets and the objective share alpha; a single target that is the objective is one demand, not two.
    Declared slices of findings share OWN_SHARE of alpha, and these the rest.
    """
    targets = [m for m in slices.values() if m.evidence.role == "target"]
    declared = [m for m in targets if m.evidence.declared] or targets
    asked = declared if len(targets) == 1 else [*declared, objective]
    if alone:
        asked = [objective]
    own = [m for m in slices.values() if m.evidence.role == FINDING and m.evidence.declared]
    shared = OWN_SHARE * alpha if own else 0.0
    final = schedule.over or all(_is_saturated(m.estimate, schedule) for m in (*asked, *own))
    return Gains(
        usual=tuple(_gain(m, (alpha - shared) / len(asked), schedule, final) for m in asked),
        own=tuple(_gain(m, shared / len(own), schedule, final) for m in own if not m.unknown),
        final=final,
    )


def nothing_lost(slices: dict[str, Measured], objective: Measured, margin: float, schedule: Schedule) -> list[Demand]:
    """What is asked instead of demand two where the gain is one of a finding's slice.

    The objective is shown to lose no more than `margin`, as a guard is; neither it nor a target is shown to be worse.
    """
    held = _fixed("spared", OBJECTIVE, objective.estimate, margin, GUARD_ALPHA, schedule)
    unharmed = [objective, *(m for m in slices.values() if m.evidence.role == "target")]
    return [held, *(_fixed("spared", m.name, m.estimate, 0.0, 1 - HARM_ALPHA, schedule) for m in unharmed)]


def objective_improves(objective: Measured, schedule: Schedule) -> Demand:
    """Demand two: the weighted mean of the targets is better."""
    return _fixed("objective", OBJECTIVE, objective.estimate, 0.0, OBJECTIVE_ALPHA, schedule)


def guards_hold(slices: dict[str, Measured], schedule: Schedule, whole: bool = False) -> list[Demand]:
    """Demand three: every slice with a margin is no worse than it, against the incumbent and against the start.

    whole: the guards of a whole, which ask no more of rows than they can show (`_within_reach`).
    """
    found = []
    for m in slices.values():
        margin = m.evidence.margin
        if margin is None:
            continue
        found.append(_fixed("guard", m.name, m.estimate, margin, GUARD_ALPHA, schedule))
        if m.anchor is not None:
            found.append(_fixed("anchor", m.name, m.anchor, ANCHOR_FACTOR * margin, GUARD_ALPHA, schedule))
    return [_within_reach(demand) for demand in found] if whole else found


def measured(name: str, seen: SliceEvidence, pools: Pools, fresh: bool = False) -> Measured:
    """Estimate one slice. fresh: as of `measure`."""
    prior, searched = pools.of(name), pools.searched.get(name)
    vouched = not fresh and pools.speaks(name, float(np.mean(np.square(seen.differences))))
    own = crossed(seen.differences, seen.clusters)
    anchor = None
    if seen.anchor is not None:
        anchor = moderate(crossed(seen.anchor, seen.clusters), prior, vouched=vouched, searched=searched)
    estimate = moderate(own, prior, vouched=vouched, searched=searched)
    return Measured(evidence=seen, own=own, estimate=estimate, anchor=anchor, vouched=vouched)


def _is_saturated(estimate: Estimate, schedule: Schedule) -> bool:
    """Whether more seeds would hardly tell more. They do where a noise that few pairs show is all that is known."""
    return not estimate.alone and _fraction(estimate, schedule) >= SATURATED


def _fraction(estimate: Estimate, schedule: Schedule) -> float:
    """Information now as a share of that of the last look, t = V_N / V_n."""
    return estimate.variance_at(schedule.last) / estimate.variance if estimate.variance > 0 else 1.0


def _gain(m: Measured, share: float, schedule: Schedule, final: bool) -> Demand:
    at_last = m.estimate.variance_at(schedule.last)
    spread = [m.estimate.variance_at(k) for k in schedule.looks]
    times = [at_last / v if v > 0 else 1.0 for v in spread]
    if final:
        times[-1] = 1.0
    now = bounds(share, _rising(times))[-1]
    last = now if times[-1] >= 1.0 - MIN_STEP else bounds(share, _rising([*times, 1.0]))[-1]
    return Demand(
        aim="gain",
        name=m.name,
        estimate=m.estimate,
        shift=0.0,
        share=share,
        bound=critical(now, m.estimate.df),
        last_bound=critical(last, m.estimate.df_at(schedule.last)),
        last=schedule.last,
    )


def _fixed(aim: Aim, name: str, estimate: Estimate, shift: float, alpha: float, schedule: Schedule) -> Demand:
    bound = -float(ndtri(alpha))
    return Demand(
        aim=aim,
        name=name,
        estimate=estimate,
        shift=shift,
        share=alpha,
        bound=critical(bound, estimate.df),
        last_bound=critical(bound, estimate.df_at(schedule.last)),
        last=schedule.last,
    )


def _within_reach(demand: Demand) -> Demand:
    """Lower the bound of a guard to what a challenger that harms nobody passes in 95% of nights (DESIGN §11.7b).

    That is margin/se − 1.64: the difference itself is not shown to be below 0 at .05, so a margin however small never
    lets everything pass, and what is shown below the margin is shown below 0 too.
    """
    estimate = demand.estimate
    reach = critical(float(ndtri(CERTAIN)), estimate.df)
    lowered = demand.shift / estimate.standard_error - reach if estimate.variance > 0 else demand.bound
    if lowered >= demand.bound:
        return demand
    at_last = math.sqrt(estimate.variance_at(demand.last))
    last = demand.shift / at_last - critical(float(ndtri(CERTAIN)), estimate.df_at(demand.last)) if at_last else LARGEST
    can = (demand.bound + reach) * estimate.standard_error
    return replace(demand, bound=lowered, last_bound=min(demand.last_bound, last), certifiable=can)


def _rising(times: Sequence[float]) -> tuple[float, ...]:
    """Information never falls: an estimate that says otherwise is taken as no gain."""
    highest = 0.0
    found = []
    for t in times:
        highest = max(highest, min(1.0, t))
        found.append(highest)
    return tuple(found)
