"""A world: real rows, planted candidates, real trainings, and where a plan lies between bare base and oracle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.plan.mixture import batches
from autodc.search import Plan, SearchProblem, Value
from autodc.search.space import start_hyperparameters
from autodc.studyfile.study import ParameterSpec
from benchmarks.worlds.network import Leg, fit
from benchmarks.worlds.planting import Held, Planted
from benchmarks.worlds.studies import StudyRun, run_study

Array = np.ndarray[Any, Any]

HERE = Path(__file__).resolve().parent
GAPS = HERE / "gaps.json"
MAX_WEIGHT = 2.0
BATCH = 64
STEPS = 240
SHARE_SEEDS = 8
PRETRAIN_SHARE = 0.4

PLAIN_SPACE: Mapping[str, ParameterSpec] = {
    "lr": ParameterSpec(type="float", low=0.003, high=1.0, log=True),
    "momentum": ParameterSpec(type="float", low=0.0, high=0.95),
    "weight_decay": ParameterSpec(type="float", low=1e-5, high=0.1, log=True),
    "width": ParameterSpec(type="int", low=8, high=64, log=True),
    "dropout": ParameterSpec(type="float", low=0.0, high=0.6),
}


@dataclass(frozen=True, kw_only=True)
class RealWorld:
    """One world, drawn afresh for every seed.

    A training has a fixed number of steps, apart from the mixture; the weights are the expected draws of each example
    an epoch. fixed: hyperparameters that are not searched; whole: every weight above 0 counts as 1.
    """

    name: str
    seed: int
    planted: Planted
    space: Mapping[str, ParameterSpec] = field(default_factory=lambda: PLAIN_SPACE)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    recipes: tuple[str, ...] = ("concat",)
    max_weight: float = MAX_WEIGHT
    steps: int = STEPS
    whole: bool = False

    @cached_property
    def problem(self) -> SearchProblem:
        """The search problem as a study would state it; the start is the base alone at the centre of the space."""
        return SearchProblem(
            datasets=tuple(self.planted.candidates),
            hyperparameters=self.space,
            recipes=self.recipes,
            max_weight=self.max_weight,
            targets=dict.fromkeys(self.planted.targets, 1.0),
            guards=dict(self.planted.guards),
            start=Plan.of({}, start_hyperparameters(self.space, self.recipes[0]), self.recipes[0]),
        )

    @property
    def kinds(self) -> Mapping[str, str]:
        """Candidate → what was planted."""
        return self.planted.kinds

    @property
    def twins(self) -> Mapping[str, str]:
        """Candidate that has rows of a cure → that cure."""
        return self.planted.twins

    @property
    def cures(self) -> frozenset[str]:
        """What the oracle adds to the base; of a cure and its second copy, the cure."""
        return self.planted.cures

    def best(self, hyperparameters: Mapping[str, Value]) -> Plan:
        """The oracle's mixture at weight 1: base + cures, a pretrain_only set in its stage, with these numbers."""
        first = tuple(name for name in self.cures if self.kinds[name] == "pretrain_only")
        recipe = "pretrain_finetune" if first else self.recipes[0]
        return Plan.of(dict.fromkeys(self.cures, 1.0), hyperparameters, recipe, first)

    def train(self, plan: Plan, seed: int, fidelity: float = 1.0) -> dict[str, Array]:
        """Train once and return class scores: validation (n, C) and test (m, C)."""
        hyper = {**self.fixed, **dict(plan.hyperparameters)}
        network = fit(
            self.legs(plan, hyper, seed, fidelity),
            classes=self.planted.classes,
            width=int(hyper["width"]),
            dropout=float(hyper["dropout"]),
            weight_decay=float(hyper["weight_decay"]),
            momentum=float(hyper["momentum"]),
            rng=seeds.generator(seed, "network"),
        )
        return {part: network.scores(self.held(part).rows.x) for part in ("validation", "test")}

    def held(self, part: str) -> Held:
        """The rows of `validation` or `test`."""
        return self.planted.test if part == "test" else self.planted.validation

    def values(self, outputs: Mapping[str, Array], part: str = "validation") -> dict[str, float]:
        """Slice → accuracy, of every target and guard."""
        held = self.held(part)
        hits = outputs[part].argmax(1) == held.rows.y
        return {name: float(hits[rows].mean()) for name, rows in held.slices.items()}

    def mean(self, values: Mapping[str, float]) -> float:
        """The objective: weighted mean of the target slices."""
        weights = self.problem.targets
        return sum(w * values[name] for name, w in weights.items()) / sum(weights.values())

    def objective(self, plan: Plan, seeds: Sequence[int], part: str = "test") -> float:
        """Mean objective of a plan over fresh trainings, one a seed."""
        return float(np.mean([self.mean(self.values(self.train(plan, seed), part)) for seed in seeds]))

    def fresh_seeds(self, count: int = SHARE_SEEDS) -> tuple[int, ...]:
        """Training seeds that no search or gate uses."""
        return tuple(seeds.integer(self.seed, "measure", j) for j in range(count))

    @cached_property
    def gap(self) -> tuple[float, float]:
        """Test objective of the tuned base and of the tuned base + cures. Raises KeyError where it was not measured."""
        if self.whole:
            return self.known[0], max(self.known)
        known = json.loads(GAPS.read_text(encoding="utf-8"))
        if (key := f"{self.name}-{self.seed}") not in known:
            raise KeyError(f"no gap of {key}: python -m benchmarks.worlds --measure {self.name} {self.seed}")
        return known[key]["base"], known[key]["oracle"]

    @cached_property
    def known(self) -> list[float]:
        """Test objective of every subset, by number; bit i of the number is candidate i. Measured once and shipped."""
        table = pd.read_csv(HERE / f"{self.name}-{self.seed}.csv", index_col="subset")
        return [float(value) for value in table["test.objective"]]

    def number(self, plan: Plan) -> int:
        """Number of the subset that a plan is."""
        return sum(1 << i for i, name in enumerate(self.problem.datasets) if name in plan.mixture)

    def subset(self, number: int) -> Plan:
        """The plan of a subset."""
        names = [name for i, name in enumerate(self.problem.datasets) if number >> i & 1]
        return Plan.of(dict.fromkeys(names, 1.0), {})

    def share(self, plan: Plan, seeds: Sequence[int] | None = None) -> float:
        """Share of the base → oracle gap that a plan closes on the test set; weights other than 1 may pass 1."""
        low, high = self.gap
        if self.whole:
            return (self.known[self.number(plan)] - low) / (high - low)
        return (self.objective(plan, self.fresh_seeds() if seeds is None else seeds) - low) / (high - low)

    def study(self, seed: int, *, trainings: int, trials: int, rounds: int = 1) -> StudyRun:
        """Run a whole study in process: calibration, search, gate, sweep, last measurement, by the real loop."""
        return run_study(self, seed, trainings=trainings, trials=trials, rounds=rounds)

    def legs(self, plan: Plan, hyper: Mapping[str, Any], seed: int, fidelity: float = 1.0) -> list[Leg]:
        """The batches of a training, leg by leg of its recipe. hyper: every hyperparameter, the fixed ones too."""
        weights = {n: (1.0 if self.whole else w) for n, w in plan.mixture}
        parts = {n: self.planted.base if n == "base" else self.planted.candidates[n] for n in weights}
        first = [n for n in weights if plan.stage(n) == "pretrain"]
        share = float(hyper.get("pretrain_share", PRETRAIN_SHARE)) if first else 0.0
        factor = float(hyper.get("finetune_lr_factor", 1.0)) if first else 1.0
        main, lr = [n for n in weights if n not in first], float(hyper["lr"])
        plans = [(first, share, lr)] if first else []
        legs = []
        for number, (names, part, rate) in enumerate([*plans, (main, 1.0 - share, lr * factor)]):
            steps = max(1, round(self.steps * fidelity * part))
            sizes = [len(parts[n]) for n in names]
            rng = seeds.generator(seed, "batches", number)
            drawn = batches(sizes, [weights[n] for n in names], BATCH, steps, rng)
            x, y = np.concatenate([parts[n].x for n in names]), np.concatenate([parts[n].y for n in names])
            legs.append(Leg(x=x[drawn], y=y[drawn], lr=rate))
        return legs
