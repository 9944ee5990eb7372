"""Campaigns on noise whose truth is known, decided by the judge, levels and pools of a study: how often is it wrong?

The rows and their noise are in lab/slices.py; counting over campaigns is in lab/counts.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodc import seeds
from autodc.evaluation.evidence import SliceEvidence
from autodc.gate.judge import judge
from autodc.gate.levels import level
from autodc.gate.noise import Pools
from autodc.gate.types import Look
from autodc.lab.slices import Draws, KnownSlice, SliceSet, changed
from autodc.studyfile.study import GateSpec

Array = np.ndarray[Any, Any]
Judge = Callable[[Mapping[str, SliceEvidence], Pools, GateSpec, float], Look]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateKind:
    """A kind of dataset and what it does, each a range in metric units."""

    name: str
    share: float
    """Of the candidates of a campaign."""
    gain: tuple[float, float] = (0.0, 0.0)
    """On one random target of those it declares."""
    guard: tuple[float, float] = (0.0, 0.0)
    """On one random guard."""
    others: tuple[float, float] = (0.0, 0.0)
    """On every other slice; none where it is (0, 0)."""
    uneven: float = 0.3
    """Sd of g_i in units of the rest."""
    seed_scale: float = 1.0
    """Its trainings' seed noise in units of the incumbent's."""
    helpful: bool = False
    """Whether keeping one is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Slices, the kinds of candidates and their number."""

    slices: tuple[KnownSlice, ...]
    kinds: tuple[CandidateKind, ...]
    candidates: int
    declare: bool = False
    """Candidates say which target they are meant for."""
    declared: tuple[tuple[str, ...], ...] = ()
    """Sets of targets that candidates of the study are meant for; one is drawn for each candidate."""
    planned: int | None = None
    """N of the levels; None: the candidates."""
    correlation: Array | None = None
    """As of SliceSet, like the next."""
    together: float = 0.0

    @property
    def known(self) -> SliceSet:
        """The slices over their common rows."""
        return SliceSet(slices=self.slices, correlation=self.correlation, together=self.together).placed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One decision beside the truth."""

    kind: str
    helpful: bool
    gain: float
    """The true gain on its target."""
    worst: float
    """Its true guard change nearest to or beyond the margin, plus the margin: below 0 it harms."""
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


def simulate_campaign(campaign: Campaign, gate: GateSpec, seed: int, decide: Judge = judge) -> CampaignResult:
    """Live through one night: calibrate, compare each candidate with the incumbent of the moment, advance what is kept.

    decide: the judge of the product, or another rule with its signature, for comparison.
    """
    rng = seeds.generator(seed, "campaign")
    known = campaign.known
    draws = Draws(known)
    start = _Arm(known.slices, draws, 1.0, seeds.generator(seed, "start"))
    incumbent = start
    calibration = {s.name: np.stack([start.run(k)[s.name] for k in range(gate.calibration)]) for s in known.slices}
    weights = {s.name: s.weight for s in known.objective(gate.min_rows)}
    pools = Pools.calibrated(calibration, {s.name: s.clusters for s in known.slices}, weights)
    decisions: list[Decided] = []
    for number, kind in enumerate(_kinds(campaign, rng)):
        goals, declared, target = _effects(campaign, kind, rng)
        stream = seeds.generator(seed, "candidate", number)
        slices, truth = changed(incumbent.slices, goals, kind.uneven, draws.rows(stream), kind.seed_scale)
        challenger = _Arm(slices, draws, kind.seed_scale, stream)
        alpha = level(gate.fdr, campaign.planned or campaign.candidates, sum(d.verdict == "keep" for d in decisions))
        look = _compare(gate, pools, challenger, incumbent, start, declared, alpha, decide)
        pools = pools.updated(look)
        guards = [truth[s.name] + s.margin for s in known.slices if s.margin is not None]
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
        self, slices: tuple[KnownSlice, ...], draws: Draws, seed_scale: float, rng: np.random.Generator
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


def _compare(
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


def _kinds(campaign: Campaign, rng: np.random.Generator) -> list[CandidateKind]:
    """Exact shares, in random order."""
    counts = [round(kind.share * campaign.candidates) for kind in campaign.kinds]
    counts[0] += campaign.candidates - sum(counts)
    listed = [kind for kind, count in zip(campaign.kinds, counts, strict=True) for _ in range(count)]
    return [listed[i] for i in rng.permutation(len(listed))]


def _effects(
    campaign: Campaign, kind: CandidateKind, rng: np.random.Generator
) -> tuple[dict[str, float], tuple[str, ...], str]:
    """What a candidate is to change, slice by slice, the targets it declares, the one it was made for."""
    targets = tuple(s.name for s in campaign.slices if s.role == "target")
    guards = [s.name for s in campaign.slices if s.role == "guard"]
    declared = campaign.declared[int(rng.integers(len(campaign.declared)))] if campaign.declared else targets
    target = declared[int(rng.integers(len(declared)))]
    goals = {target: float(rng.uniform(*kind.gain))}
    if guards and kind.guard != (0.0, 0.0):
        goals[guards[int(rng.integers(len(guards)))]] = float(rng.uniform(*kind.guard))
    if kind.others != (0.0, 0.0):
        rest = (s.name for s in campaign.slices if s.name not in goals)
        goals |= {name: float(rng.uniform(*kind.others)) for name in rest}
    return goals, (target,) if campaign.declare else declared, target
