"""What a peer searches: a problem, a training with a seed, the share of the gap that a plan truly closes.

A synthetic world has K candidates: cures (some redundant to each other, some with an overdose), pairs useful only
together, sets that help a poor base and hurt once the cures are in, harmful sets, and many that do nothing. Strengths
saturate in the weight. Hyperparameters have an optimum; that of the first moves with the amount of data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autodc import seeds
from autodc.search import Plan, SearchProblem
from autodc.search.space import start_hyperparameters
from autodc.studyfile.study import ParameterSpec
from benchmarks.worlds import world

Array = np.ndarray[Any, Any]

SLICES = 5
CAP = 2.0
TUNING_SHARE = 0.2
SEED_SHARE = 0.25
"""Share of the noise's variance that is common to all plans of one seed."""
DESCRIPTORS = 8
FRESH = 5
"""Trainings that a share is the mean of, in a world of real ones."""


@dataclass(frozen=True)
class World:
    """One synthetic world. noise: sd of the objective of one training, as a share of the base → oracle gap; families:
    0, or in how many families candidates come, those of one of the same kind, each of its own size; told: what the
    search is told of their content: nothing, `own` descriptors, or `other` ones, of another candidate."""

    candidates: int
    numbers: int
    seed: int
    noise: float = 0.1
    families: int = 0
    told: str = ""

    @cached_property
    def problem(self) -> SearchProblem:
        """The search problem as a study would state it."""
        space = {f"h{i}": ParameterSpec(type="float", low=1e-4, high=1.0, log=True) for i in range(self.numbers)}
        names = tuple(f"d{i:03d}" for i in range(self.candidates))
        return SearchProblem(
            datasets=names,
            hyperparameters=space,
            recipes=("concat",),
            max_weight=CAP,
            targets={f"s{i}": 1.0 for i in range(SLICES)},
            guards={},
            start=Plan.of({}, start_hyperparameters(space, "concat")),
            descriptors=dict(zip(names, self._descriptors(), strict=True)) if self.told else {},
        )

    @cached_property
    def family(self) -> Array:
        """The family of every candidate, shape (K,), where there are families."""
        return seeds.generator(self.seed, "families").integers(self.families, size=self.candidates)

    def _descriptors(self) -> list[tuple[float, ...]]:
        """The centre of every candidate's family, and noise."""
        rng = seeds.generator(self.seed, "descriptors")
        centres = rng.normal(0.0, 1.0, (self.families, DESCRIPTORS))
        values = centres[self.family] + rng.normal(0.0, 0.3, (self.candidates, DESCRIPTORS))
        return [tuple(map(float, row)) for row in (rng.permutation(values) if self.told == "other" else values)]

    @cached_property
    def truth(self) -> Truth:
        """The noiseless function."""
        return Truth.of(self)

    @cached_property
    def gap(self) -> tuple[float, float]:
        """Objective of the start, and of the best there is (local search from many starts)."""
        return self.value(self.problem.start), self.truth.best(seeds.generator(self.seed, "oracle"))

    def arrays(self, plan: Plan) -> tuple[Array, Array]:
        """Weights (1, K) and hyperparameters in [0, 1] (1, H) of a plan."""
        weights = np.array([[plan.mixture.weight(n) for n in self.problem.datasets]])
        values = dict(plan.hyperparameters)
        return weights, np.array([[1 + np.log10(float(values[f"h{i}"])) / 4 for i in range(self.numbers)]])

    def value(self, plan: Plan) -> float:
        """The true objective of a plan."""
        return float(self.truth.slices(*self.arrays(plan)).mean())

    def share(self, plan: Plan) -> float:
        """Share of the gap between the start and the oracle that a plan closes."""
        low, high = self.gap
        return (self.value(plan) - low) / (high - low)

    def train(self, plan: Plan, seed: int) -> Mapping[str, float]:
        """One noisy training: half of the noise's variance is common to the slices, half their own."""
        low, high = self.gap
        noise = np.zeros(SLICES)
        for share, key in ((SEED_SHARE, ""), (1 - SEED_SHARE, plan.fingerprint())):
            rng = seeds.generator(self.seed, "noise", seed, key)
            noise += np.sqrt(share) * (rng.normal() * np.sqrt(0.5) + rng.normal(size=SLICES) * np.sqrt(0.5 * SLICES))
        values = self.truth.slices(*self.arrays(plan))[0] + self.noise * (high - low) * noise
        return {f"s{i}": float(v) for i, v in enumerate(values)}


@dataclass(frozen=True)
class Truth:
    """The parts of a world; arrays over the K candidates unless said otherwise."""

    gain: Array
    group: Array
    overdose: Array
    harm: Array
    fading: Array
    pairs: Array
    pair_gain: Array
    where: Array
    optimum: Array
    curvature: Array
    shift: float

    @classmethod
    def of(cls, world: World) -> Truth:
        """Draw a world: a quarter cures, a sixth harmful, a tenth fading, a tenth in pairs, the rest does nothing."""
        rng = seeds.generator(world.seed, "world", world.candidates, world.numbers)
        k = world.candidates
        order = np.argsort(world.family, kind="stable") if world.families else rng.permutation(k)
        cut = np.cumsum([max(3, k // 4), max(2, k // 6), max(1, k // 10), 2 * max(1, k // 20)])
        cures, bad, fades, paired = np.split(order, cut)[:4]
        gain, harm, fading, overdose = np.zeros(k), np.zeros(k), np.zeros(k), np.zeros(k)
        gain[cures] = rng.lognormal(0.0, 0.6, len(cures))
        group = np.arange(k)
        for first, second in zip(cures[0::3], cures[1::3], strict=False):
            group[second] = first
        overdose[cures] = np.where(rng.random(len(cures)) < 0.3, rng.uniform(0.2, 0.6, len(cures)), 0.0)
        total = gain.sum()
        harm[bad] = rng.lognormal(0.0, 0.6, len(bad)) * total / len(cures)
        fading[fades] = rng.uniform(0.3, 0.7, len(fades)) * total / len(cures)
        pairs = paired[: len(paired) // 2 * 2].reshape(-1, 2)
        pair_gain = rng.uniform(0.8, 1.6, len(pairs)) * total / len(cures)
        where = rng.dirichlet(np.full(SLICES, 0.5), k) * SLICES
        share = TUNING_SHARE * total / (1 - TUNING_SHARE)
        off = rng.uniform(0.1, 0.35, world.numbers) * rng.choice([-1.0, 1.0], world.numbers)
        curvature = rng.dirichlet(np.full(world.numbers, 2.0))
        curvature *= share / (curvature * off**2).sum()
        optimum = 0.5 + off
        shift = float(rng.uniform(-0.3, 0.3))
        return cls(gain, group, overdose, harm, fading, pairs, pair_gain, where, optimum, curvature, shift)

    def slices(self, weights: Array, numbers: Array) -> Array:
        """True slice scores, shape (n, SLICES), of weights (n, K) and hyperparameters in [0, 1] (n, H)."""
        strength = (1 - np.exp(-2 * weights)) / (1 - np.exp(-2 * CAP))
        dose = strength * (1 - self.overdose * (weights / CAP) ** 2)
        left = np.ones_like(dose)
        single = np.zeros_like(dose)
        for second in np.flatnonzero(self.group != np.arange(len(self.group))):
            first = self.group[second]
            left[:, second] = 1 - 0.9 * dose[:, first]
        single += self.gain * dose * left
        cured = (self.gain * dose).sum(1, keepdims=True) / self.gain.sum()
        single += self.fading * strength * (1 - 2.5 * cured)
        single -= self.harm * weights / CAP
        scores = single @ self.where
        for (a, b), worth in zip(self.pairs, self.pair_gain, strict=True):
            scores += (worth * strength[:, a] * strength[:, b])[:, None] * self.where[a]
        moved = self.optimum[None, :].repeat(len(weights), 0)
        moved[:, 0] = np.clip(moved[:, 0] + self.shift * strength.mean(1), 0.0, 1.0)
        return scores - ((numbers - moved) ** 2 @ self.curvature)[:, None]

    def best(self, rng: np.random.Generator, starts: int = 12, steps: int = 60) -> float:
        """The best mean over slices, by coordinate search from many starts."""
        width, high = len(self.gain), len(self.optimum)
        best = -np.inf
        for _ in range(starts):
            w, h = rng.uniform(0, CAP, width) * (rng.random(width) < 0.5), self.optimum.copy()
            value = self.slices(w[None], h[None]).mean()
            for _ in range(steps):
                before = value
                for column in [*rng.permutation(width), *range(width, width + high)]:
                    grid = np.linspace(0, CAP, 17) if column < width else np.linspace(0, 1, 41)
                    many_w, many_h = np.repeat(w[None], len(grid), 0), np.repeat(h[None], len(grid), 0)
                    if column < width:
                        many_w[:, column] = grid
                    else:
                        many_h[:, column - width] = grid
                    values = self.slices(many_w, many_h).mean(1)
                    i = int(np.argmax(values))
                    if values[i] > value:
                        value, w, h = float(values[i]), many_w[i], many_h[i]
                if value - before < 1e-6:
                    break
            best = max(best, float(value))
        return best


class Real:
    """A world of real trainings, to be searched; the value of each plan is measured once."""

    def __init__(self, name: str, seed: int) -> None:
        self._world, self._shares = world(name, seed), dict[Plan, float]()
        self.problem = self._world.problem

    @property
    def gap(self) -> tuple[float, float]:
        """Test objective of the tuned base and of the oracle."""
        return self._world.gap

    def train(self, plan: Plan, seed: int) -> Mapping[str, float]:
        """Train once and score every slice of validation."""
        return self._world.values(self._world.train(plan, seed))

    def share(self, plan: Plan) -> float:
        """Share of the gap that a plan closes on test."""
        if plan not in self._shares:
            self._shares[plan] = self._world.share(plan, self._world.fresh_seeds(FRESH))
        return self._shares[plan]


SYNTHETIC: dict[str, Callable[[int], World]] = {
    "K20": lambda seed: World(20, 3, seed),
    "K20-noisy": lambda seed: World(20, 3, seed, noise=0.3),
    "K60": lambda seed: World(60, 3, seed),
    "K200": lambda seed: World(200, 3, seed),
    "families": lambda seed: World(200, 3, seed, families=20),
    "families-told": lambda seed: World(200, 3, seed, families=20, told="own"),
    "families-mistold": lambda seed: World(200, 3, seed, families=20, told="other"),
}


def case(name: str, seed: int) -> World | Real:
    """Draw a world: a synthetic one, or one of benchmarks/worlds by its name."""
    return SYNTHETIC[name](seed) if name in SYNTHETIC else Real(name, seed)


def objective(problem: SearchProblem, values: Mapping[str, float]) -> float:
    """Weighted mean of the targets; a failed training is below all others."""
    if not values:
        return -np.inf
    return sum(w * values[n] for n, w in problem.targets.items()) / sum(problem.targets.values())
