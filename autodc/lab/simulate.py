"""Campaigns on noise whose truth is known, decided by the judge, levels and pools of a study: how often is it wrong?

The rows and their noise are in lab/worlds.py; counting over campaigns is in lab/counts.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodc import seeds
from autodc.evaluation.evidence import SliceEvidence, counting_rows
from autodc.gate.judge import judge
from autodc.gate.levels import level
from autodc.gate.noise import Pools
from autodc.gate.types import Look
from autodc.lab.worlds import Draws, Ground, SliceWorld, changed
from autodc.studyfile.study import GateSpec

Array = np.ndarray[Any, Any]
Judge = Callable[[Mapping[str, SliceEvidence], Pools, GateSpec, float], Look]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateKind:
    """A kind of dataset and what it does, each a range in metric units.

    gain: on one random target of those it declares; guard: on one random guard; others: on every other slice, none
    where it is (0, 0); uneven: sd of g_i in units of the rest; seed_scale: its trainings' seed noise in units of the
    incumbent's; helpful: whether keeping one is right.
    """

    name: str
    share: float
    gain: tuple[float, float] = (0.0, 0.0)
    guard: tuple[float, float] = (0.0, 0.0)
    others: tuple[float, float] = (0.0, 0.0)
    uneven: float = 0.3
    seed_scale: float = 1.0
    helpful: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Slices, the kinds of candidates and their number.

    declare: candidates say which target they are meant for; declared: sets of targets that candidates of the study
    are meant for, one is drawn for each candidate; planned: N of the levels, the candidates where it is left out;
    correlation, together: as of gate.worlds.Ground.
    """

    slices: tuple[SliceWorld, ...]
    kinds: tuple[CandidateKind, ...]
    candidates: int
    declare: bool = False
    declared: tuple[tuple[str, ...], ...] = ()
    planned: int | None = None
    correlation: Array | None = None
    together: float = 0.0

    @property
    def ground(self) -> Ground:
        """The slices over their common rows."""
        return Ground(slices=self.slices, correlation=self.correlation, together=self.together).placed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One decision beside the truth. gain: the true gain on its target; worst: its true guard change nearest to or
    beyond the margin, plus the margin: below 0 it harms."""

    kind: str
    helpful: bool
    gain: float
    worst: float
    verdict: str
    pairs: int
    alpha: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignResult:
    """One night: every decision in order, and the trainings they took."""

    decisions: tuple[Decided, ...]
    trainings: int

    @property
    def kept(self) -> tuple[Decided, ...]:
        """What was kept."""
        return tuple(d for d in self.decisions if d.verdict == "keep")

    @property
    def pairs(self) -> float:
        """Pairs a candidate."""
        return sum(d.pairs for d in self.decisions) / len(self.decisions)


def simulate_campaign(world: World, gate: GateSpec, seed: int, decide: Judge = judge) -> CampaignResult:
    """Live through one night: calibrate, test each candidate against the incumbent of the moment, advance what is kept.

    decide: the judge of the product, or another rule with its signature, for comparison.
    """
    rng = seeds.generator(seed, "campaign")
    ground = world.ground
    draws = Draws(ground)
    start = _Arm(ground.slices, draws, 1.0, seeds.generator(seed, "start"))
    incumbent = start
    calibration = {s.name: np.stack([start.run(k)[s.name] for k in range(gate.calibration)]) for s in ground.slices}
    targets = [s for s in ground.slices if s.role == "target"]
    counted = [s for s in targets if counting_rows(len(s.base), s.clusters) >= gate.min_rows] or targets
    weights = {s.name: s.weight for s in counted}
    pools = Pools.calibrated(calibration, {s.name: s.clusters for s in ground.slices}, weights)
    decisions: list[Decided] = []
    for number, kind in enumerate(_kinds(world, rng)):
        goals, declared, target = _effects(world, kind, rng)
        stream = seeds.generator(seed, "candidate", number)
        slices, truth = changed(incumbent.slices, goals, kind.uneven, draws.rows(stream), kind.seed_scale)
        challenger = _Arm(slices, draws, kind.seed_scale, stream)
        alpha = level(gate.fdr, world.planned or world.candidates, sum(d.verdict == "keep" for d in decisions))
        look = _test(gate, pools, challenger, incumbent, start, declared, alpha, decide)
        pools = pools.updated(look)
        guards = [truth[s.name] + s.margin for s in ground.slices if s.margin is not None]
        decisions.append(
            Decided(
                kind=kind.name,
                helpful=kind.helpful,
                gain=truth[target],
                worst=min(guards, default=0.0),
                verdict=look.verdict or "undecided",
                pairs=look.pairs,
                alpha=alpha,
                reasons=look.reasons,
            )
        )
        if look.verdict == "keep":
            incumbent = _Arm(challenger.slices, draws, 1.0, seeds.generator(seed, "incumbent", number))
    return CampaignResult(decisions=tuple(decisions), trainings=gate.calibration + sum(d.pairs for d in decisions))


class _Arm:
    """A plan whose trainings are drawn once per seed and kept."""

    def __init__(
        self, slices: tuple[SliceWorld, ...], draws: Draws, seed_scale: float, rng: np.random.Generator
    ) -> None:
        self.slices = slices
        self._draws, self._scale, self._rng = draws, seed_scale, rng
        self._runs: list[dict[str, Array]] = []

    def runs(self, pairs: int, name: str) -> Array:
        """The first trainings on a slice, shape (pairs, rows)."""
        return np.stack([self.run(k)[name] for k in range(pairs)])

    def run(self, number: int) -> dict[str, Array]:
        while len(self._runs) <= number:
            seed, rest = self._scale * self._draws.seeds(self._rng), self._draws.rows(self._rng)
            self._runs.append({s.name: s.score(u, rest[s.rows]) for s, u in zip(self.slices, seed, strict=True)})
        return self._runs[number]


def _test(
    gate: GateSpec,
    pools: Pools,
    challenger: _Arm,
    incumbent: _Arm,
    start: _Arm,
    declared: tuple[str, ...],
    alpha: float,
    decide: Judge,
) -> Look:
    for pairs in gate.looks:
        evidence = {}
        for s in start.slices:
            new = challenger.runs(pairs, s.name)
            old = incumbent.runs(pairs, s.name)
            first = None if incumbent is start else start.runs(pairs, s.name)
            evidence[s.name] = SliceEvidence(
                name=s.name,
                role=s.role,
                weight=s.weight,
                margin=s.margin,
                declared=s.name in declared,
                differences=new - old,
                clusters=s.clusters,
                anchor=None if first is None else new - first,
            )
        look = decide(evidence, pools, gate, alpha)
        if look.verdict is not None:
            break
    return look


def _kinds(world: World, rng: np.random.Generator) -> list[CandidateKind]:
    """Exact shares, in random order."""
    counts = [round(kind.share * world.candidates) for kind in world.kinds]
    counts[0] += world.candidates - sum(counts)
    listed = [kind for kind, count in zip(world.kinds, counts, strict=True) for _ in range(count)]
    return [listed[i] for i in rng.permutation(len(listed))]


def _effects(
    world: World, kind: CandidateKind, rng: np.random.Generator
) -> tuple[dict[str, float], tuple[str, ...], str]:
    """What a candidate is to change, slice by slice, the targets it declares, the one it was made for."""
    targets = tuple(s.name for s in world.slices if s.role == "target")
    guards = [s.name for s in world.slices if s.role == "guard"]
    declared = world.declared[int(rng.integers(len(world.declared)))] if world.declared else targets
    target = declared[int(rng.integers(len(declared)))]
    goals = {target: float(rng.uniform(*kind.gain))}
    if guards and kind.guard != (0.0, 0.0):
        goals[guards[int(rng.integers(len(guards)))]] = float(rng.uniform(*kind.guard))
    if kind.others != (0.0, 0.0):
        rest = (s.name for s in world.slices if s.name not in goals)
        goals |= {name: float(rng.uniform(*kind.others)) for name in rest}
    return goals, (target,) if world.declare else declared, target
