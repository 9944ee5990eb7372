"""Campaigns on noise whose truth is known, decided by the judge, levels and pools of a study: how often is it wrong?

A training is a draw: row i of a slice scores by b_i + shift + u_s + g_i + e_si, with u_s the seed of the training, g_i
how unevenly a dataset changes rows, e_si the rest; a hit where that is above 0, or the value itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from autodc import seeds
from autodc.evaluation.evidence import SliceEvidence
from autodc.gate.judge import judge
from autodc.gate.levels import level
from autodc.gate.noise import Pools
from autodc.gate.types import Look
from autodc.spec.study import GateSpec, Role

Array = np.ndarray[Any, Any]
BEST_HITS = 0.9995
"""Hits end a little below all rows, where latent scores still are numbers."""

Judge = Callable[[Mapping[str, SliceEvidence], Pools, GateSpec, float], Look]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceWorld:
    """One slice with known noise. base: b_i, shape (n_rows,); seed_sd: of u_s; noise_sd: of e_si, number or shape
    (n_rows,); hits: scores are 0 and 1; else values in metric units."""

    name: str
    role: Role
    base: Array
    seed_sd: float
    noise_sd: float | Array = 1.0
    hits: bool = True
    margin: float | None = None
    weight: float = 1.0

    def shift_for(self, gain: float, uneven: float, seed_scale: float = 1.0) -> float:
        """Return the shift that moves the expected score by `gain`, whatever rows are hit by unevenness."""
        if not self.hits:
            return gain
        spread = float(np.sqrt(1 + (seed_scale * self.seed_sd) ** 2 + uneven**2))
        goal = min(BEST_HITS, max(1 - BEST_HITS, self.expected() + gain))
        low, high = -30.0, 30.0
        for _ in range(50):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if ndtr((self.base + middle) / spread).mean() < goal else (low, middle)
        return 0.5 * (low + high)

    @property
    def room(self) -> float:
        """The largest gain there is left: hits end at all rows."""
        return BEST_HITS - self.expected() if self.hits else float("inf")

    def expected(self) -> float:
        """The expected score over seeds."""
        return float(ndtr(self.base / np.sqrt(1 + self.seed_sd**2)).mean() if self.hits else self.base.mean())

    def train(self, rng: np.random.Generator, seed_scale: float = 1.0) -> Array:
        """Draw the scores of one training, shape (n_rows,)."""
        latent = self.base + seed_scale * self.seed_sd * rng.standard_normal()
        latent = latent + self.noise_sd * rng.standard_normal(len(self.base))
        return (latent > 0).astype(np.float64) if self.hits else latent


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateKind:
    """A kind of dataset and what it does, each a range in metric units.

    gain: on one random target, which it declares; guard: on one random guard; others: on every other slice;
    uneven: sd of g_i; seed_scale: its trainings' seed noise in units of the incumbent's; helpful: whether keeping
    one is right.
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
    """Slices, the kinds of candidates and their number. declare: candidates say which target they are meant for."""

    slices: tuple[SliceWorld, ...]
    kinds: tuple[CandidateKind, ...]
    candidates: int
    declare: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Many nights in figures. false_keeps, guard_harmed: share of all keeps; power: share of helpful candidates
    with at least `at` gain that are kept; nights_keeping: share of nights that keep anything."""

    nights: int
    kept: int
    false_keeps: float
    guard_harmed: float
    power: float
    undecided: float
    pairs: float
    nights_keeping: float


def summarise(results: Iterable[CampaignResult], at: float = 0.02) -> Summary:
    """Count over nights."""
    listed = list(results)
    decisions = [d for r in listed for d in r.decisions]
    kept = [d for d in decisions if d.verdict == "keep"]
    able = [d for d in decisions if d.helpful and d.gain >= at]
    return Summary(
        nights=len(listed),
        kept=len(kept),
        false_keeps=_share(not d.helpful for d in kept),
        guard_harmed=_share(d.worst < 0 for d in kept),
        power=_share(d.verdict == "keep" for d in able),
        undecided=_share(d.verdict == "undecided" for d in decisions),
        pairs=sum(d.pairs for d in decisions) / max(1, len(decisions)),
        nights_keeping=_share(bool(r.kept) for r in listed),
    )


def synthetic_slice(
    name: str,
    role: Role,
    rows: int,
    rng: np.random.Generator,
    *,
    accuracy: float = 0.8,
    churn: float = 0.10,
    seed_sd: float = 0.005,
    margin: float | None = None,
    weight: float = 1.0,
) -> SliceWorld:
    """Make a slice of hits and misses.

    accuracy: expected share of hits; churn: share of rows that differ between two trainings of one plan;
    seed_sd: standard deviation of the slice's accuracy over seeds beyond what its rows explain.
    """
    spread = _spread_for(accuracy, churn)
    base = float(ndtri(accuracy)) * np.sqrt(1 + spread**2) + spread * rng.standard_normal(rows)
    slope = float(np.exp(-0.5 * base**2).mean() / np.sqrt(2 * np.pi))
    return SliceWorld(name=name, role=role, base=base, seed_sd=seed_sd / slope, margin=margin, weight=weight)


def calibrated_slice(
    name: str, role: Role, runs: Array, *, margin: float | None = None, weight: float = 1.0
) -> SliceWorld:
    """Make a slice from calibration runs, shape (n_runs ≥ 2, n_rows): the user's own rows, with their own noise."""
    from autodc.stats.variance import crossed

    runs = np.asarray(runs, dtype=np.float64)
    count = len(runs)
    moments = crossed(runs)
    seed_sd = float(np.sqrt(max(0.0, moments.seed)))
    if not np.isin(runs, (0.0, 1.0)).all():
        own = runs.var(axis=0, ddof=1)
        noise = np.sqrt((own * (count - 1) + own.mean() * 2) / (count + 1))
        return SliceWorld(
            name=name,
            role=role,
            base=runs.mean(axis=0),
            seed_sd=seed_sd,
            noise_sd=noise,
            hits=False,
            margin=margin,
            weight=weight,
        )
    chance = _smoothed(runs, moments.residual)
    base = ndtri(chance)
    slope = float(np.exp(-0.5 * base**2).mean() / np.sqrt(2 * np.pi))
    return SliceWorld(name=name, role=role, base=base, seed_sd=seed_sd / max(slope, 1e-3), margin=margin, weight=weight)


def simulate_campaign(world: World, gate: GateSpec, seed: int, decide: Judge = judge) -> CampaignResult:
    """Live through one night: calibrate, test each candidate against the incumbent of the moment, advance what is kept.

    decide: the judge of the product, or another rule with its signature, for comparison.
    """
    rng = seeds.generator(seed, "campaign")
    start = _Arm(world.slices, 1.0, seeds.generator(seed, "start"))
    incumbent = start
    calibration = {s.name: np.stack([start.run(k)[s.name] for k in range(gate.calibration)]) for s in world.slices}
    weights = {s.name: s.weight for s in world.slices if s.role == "target"}
    pools = Pools.calibrated(calibration, {}, weights)
    decisions: list[Decided] = []
    for number, kind in enumerate(_kinds(world, rng)):
        gains, declared = _effects(world, kind, rng)
        gains = {s.name: min(gains[s.name], s.room) for s in incumbent.slices}
        stream = seeds.generator(seed, "candidate", number)
        challenger = _Arm(changed(incumbent.slices, gains, kind, stream), kind.seed_scale, stream)
        alpha = level(gate.fdr, world.candidates, sum(d.verdict == "keep" for d in decisions))
        look = _test(world, gate, pools, challenger, incumbent, start, declared, alpha, decide)
        pools = pools.updated(look)
        guards = [gains[s.name] + s.margin for s in world.slices if s.margin is not None]
        decisions.append(
            Decided(
                kind=kind.name,
                helpful=kind.helpful,
                gain=max((gains[name] for name in declared), default=0.0),
                worst=min(guards, default=0.0),
                verdict=look.verdict or "undecided",
                pairs=look.pairs,
                alpha=alpha,
                reasons=look.reasons,
            )
        )
        if look.verdict == "keep":
            incumbent = _Arm(challenger.slices, 1.0, seeds.generator(seed, "incumbent", number))
    return CampaignResult(decisions=tuple(decisions), trainings=gate.calibration + sum(d.pairs for d in decisions))


class _Arm:
    """A plan whose trainings are drawn once per seed and kept."""

    def __init__(self, slices: tuple[SliceWorld, ...], seed_scale: float, rng: np.random.Generator) -> None:
        self.slices = slices
        self._scale, self._rng = seed_scale, rng
        self._runs: list[dict[str, Array]] = []

    def run(self, number: int) -> dict[str, Array]:
        while len(self._runs) <= number:
            self._runs.append({s.name: s.train(self._rng, self._scale) for s in self.slices})
        return self._runs[number]


def _test(
    world: World,
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
        for s in world.slices:
            new = np.stack([challenger.run(k)[s.name] for k in range(pairs)])
            old = np.stack([incumbent.run(k)[s.name] for k in range(pairs)])
            first = None if incumbent is start else np.stack([start.run(k)[s.name] for k in range(pairs)])
            evidence[s.name] = SliceEvidence(
                name=s.name,
                role=s.role,
                weight=s.weight,
                margin=s.margin,
                declared=s.role == "target" and (s.name in declared or not world.declare),
                differences=new - old,
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


def _effects(world: World, kind: CandidateKind, rng: np.random.Generator) -> tuple[dict[str, float], tuple[str, ...]]:
    gains = {s.name: float(rng.uniform(*kind.others)) for s in world.slices}
    targets = [s.name for s in world.slices if s.role == "target"]
    guards = [s.name for s in world.slices if s.role == "guard"]
    chosen = targets[int(rng.integers(len(targets)))]
    gains[chosen] = float(rng.uniform(*kind.gain))
    if guards and kind.guard != (0.0, 0.0):
        gains[guards[int(rng.integers(len(guards)))]] = float(rng.uniform(*kind.guard))
    return gains, (chosen,)


def changed(
    slices: Iterable[SliceWorld], gains: Mapping[str, float], kind: CandidateKind, rng: np.random.Generator
) -> tuple[SliceWorld, ...]:
    """Return the slices as a dataset of this kind leaves them: moved by the gains, rows changed unevenly."""
    found = []
    for s in slices:
        shift = s.shift_for(gains[s.name], kind.uneven, kind.seed_scale)
        found.append(replace(s, base=s.base + shift + kind.uneven * rng.standard_normal(len(s.base))))
    return tuple(found)


def _spread_for(accuracy: float, churn: float) -> float:
    """The sd of b_i with which two trainings differ on `churn` of the rows, by bisection on quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    weights = weights / weights.sum()

    def differ(spread: float) -> float:
        chance = ndtr(float(ndtri(accuracy)) * np.sqrt(1 + spread**2) + spread * nodes)
        return float(2 * (weights * chance * (1 - chance)).sum())

    low, high = 0.0, 50.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if differ(middle) > churn else (low, middle)
    return 0.5 * (low + high)


def _smoothed(runs: Array, residual: float) -> Array:
    """Chance of a hit per row, drawn towards the mean so that rows vary as much between trainings as was measured."""
    count = len(runs)
    share, mean = runs.mean(axis=0), runs.mean()
    floor = min(0.01, 0.5 / count)
    best: Array = share
    gap = np.inf
    for pull in np.linspace(0, 1, 41):
        chance = np.clip((1 - pull) * share + pull * mean, floor, 1 - floor)
        off = abs(float((chance * (1 - chance)).mean()) - residual)
        best, gap = (chance, off) if off < gap else (best, gap)
    return best


def _share(flags: Iterable[bool]) -> float:
    listed = list(flags)
    return sum(listed) / len(listed) if listed else 0.0
