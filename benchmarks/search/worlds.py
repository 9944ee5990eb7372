"""Synthetic worlds with known truth: what every mixture and hyperparameter is worth, and a noisy way to see it.

A world has K candidates: cures (some redundant to each other, some with an overdose), pairs useful only together, sets
that help a poor base and hurt once the cures are in, harmful sets, and many that do nothing. Strengths saturate in the
weight. Hyperparameters have an optimum; that of the first moves with the amount of data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autodc import seeds
from autodc.search import Plan, SearchProblem
from autodc.search.space import start_hyperparameters
from autodc.studyfile.study import ParameterSpec

Array = np.ndarray[Any, Any]

SLICES = 5
CAP = 2.0
TUNING_SHARE = 0.2
SEED_SHARE = 0.25
DESCRIPTORS = 8


@dataclass(frozen=True)
class World:
    """One world. noise: sd of the objective of one training, as a share of the base → oracle gap; families: 0, or in
    how many families candidates come: those of one are of the same kind, each of its own size."""

    name: str
    candidates: int
    numbers: int
    seed: int
    noise: float = 0.1
    families: int = 0

    @cached_property
    def problem(self) -> SearchProblem:
        """The search problem as a study would state it."""
        space = {f"h{i}": ParameterSpec(type="float", low=1e-4, high=1.0, log=True) for i in range(self.numbers)}
        return SearchProblem(
            datasets=tuple(f"d{i:03d}" for i in range(self.candidates)),
            hyperparameters=space,
            recipes=("concat",),
            max_weight=CAP,
            targets={f"s{i}": 1.0 for i in range(SLICES)},
            guards={},
            start=Plan.of({}, start_hyperparameters(space, "concat")),
        )

    @cached_property
    def family(self) -> Array:
        """The family of every candidate, shape (K,), where there are families."""
        return seeds.generator(self.seed, "families").integers(self.families, size=self.candidates)

    def descriptors(self, shuffled: bool = False) -> dict[str, tuple[float, ...]]:
        """What is known of the candidates' content: the centre of the family and noise; shuffled: of another one."""
        rng = seeds.generator(self.seed, "descriptors")
        centres = rng.normal(0.0, 1.0, (self.families, DESCRIPTORS))
        values = centres[self.family] + rng.normal(0.0, 0.3, (self.candidates, DESCRIPTORS))
        values = rng.permutation(values) if shuffled else values
        return {n: tuple(map(float, row)) for n, row in zip(self.problem.datasets, values, strict=True)}

    @cached_property
    def truth(self) -> Truth:
        """The noiseless function."""
        return Truth.of(self)

    @cached_property
    def gap(self) -> tuple[float, float]:
        """Objective of the start, and of the best there is (local search from many starts)."""
        start = self.value(self.problem.start)
        return start, self.truth.best(seeds.generator(self.seed, "oracle"))

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
        """One noisy training: half of the noise's variance is common to the slices, half their own; a quarter of it
        is common to all plans of one seed."""
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
