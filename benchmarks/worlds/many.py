"""Many small candidates: digits under four conditions, 200 sets of 25 rows, of which a third help a little each.

70 diluted cures: a fifth to four fifths of the rows are of one condition, the rest are rows of the base · 40 copies of
base rows · 50 mislabelled: rows of all conditions, the label file one row off · 40 trade-offs: half of the rows are of
one condition, half are plain ones under another label convention. Nothing but the mixture is searched. A training is
240 steps of 64 rows of a network with one hidden layer; several go on side by side as one stack of matrices, which is
what makes 200 forks cheap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autodc import seeds
from autodc.evaluation.probing import probed_changes, probed_rows
from autodc.evaluation.slices import Slice, SliceTable
from autodc.plan.mixture import batches
from autodc.search import Plan, SearchProblem
from benchmarks.worlds.catalogue import DIGIT_CONDITIONS, digit_scans
from benchmarks.worlds.planting import CONVENTION, Held, Rows, _held, _join

Array = np.ndarray[Any, Any]

KINDS = {"cure": 70, "copy": 40, "mislabelled": 50, "trade_off": 40}
SETS = sum(KINDS.values())
SIZE, BASE_ROWS = 25, 300
STEPS, BATCH, WIDTH = 240, 64, 40
RATE, MOMENTUM, DECAY, WARM = 0.15, 0.5, 1e-3, 10
CAP = 2.0
FRESH = 4
"""Trainings that a share of the gap is the mean of."""
AT_ONCE = 25
"""Forks that go on side by side."""


@dataclass(frozen=True)
class Many:
    """One world, drawn afresh for every seed."""

    seed: int

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The candidates."""
        return tuple(f"set_{i:03d}" for i in range(SETS))

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Candidate → what it is."""
        every = [kind for kind, count in KINDS.items() for _ in range(count)]
        order = seeds.generator(self.seed, "kinds").permutation(SETS)
        return {name: every[i] for name, i in zip(self.names, order, strict=True)}

    @cached_property
    def problem(self) -> SearchProblem:
        """What is searched."""
        targets = dict.fromkeys(self._conditions, 1.0)
        start = Plan.of({}, {})
        return SearchProblem(
            datasets=self.names,
            hyperparameters={},
            recipes=("concat",),
            max_weight=CAP,
            targets=targets,
            guards={},
            start=start,
        )

    @cached_property
    def _conditions(self) -> tuple[str, ...]:
        return tuple(str(c) for c in seeds.generator(self.seed, "conditions").permutation(DIGIT_CONDITIONS)[:4])

    @cached_property
    def _drawn(self) -> tuple[list[Rows], Held, Held]:
        """The base and the candidates, then validation and test."""
        rng = seeds.generator(self.seed, "world", "many")
        supply, conditions = digit_scans(rng), self._conditions
        training = rng.permutation(supply.training)
        base, rest = supply.rows(training[:BASE_ROWS], "plain", rng), training[BASE_ROWS:]

        def fresh(condition: str, count: int) -> Rows:
            return supply.rows(rng.choice(rest, count, replace=False), condition, rng)

        def made(kind: str) -> Rows:
            condition = conditions[rng.integers(len(conditions))]
            if kind == "cure":
                count = round(SIZE * rng.uniform(0.2, 0.8))
                return _join(fresh(condition, count), base.at(rng.choice(BASE_ROWS, SIZE - count, replace=False)))
            if kind == "copy":
                return base.at(rng.choice(BASE_ROWS, SIZE, replace=False))
            if kind == "mislabelled":
                rows = _join(*(fresh(c, SIZE // 4 + 1) for c in conditions)).at(slice(0, SIZE))
                return Rows(x=rows.x, y=np.roll(rows.y, 1))
            other = rest[np.isin(supply.targets[rest], list(CONVENTION))]
            plain = supply.rows(rng.choice(other, SIZE // 2, replace=False), "plain", rng)
            renamed = Rows(x=plain.x, y=np.array([CONVENTION[int(label)] for label in plain.y], dtype=np.int64))
            return _join(fresh(condition, SIZE - SIZE // 2), renamed)

        sets = [made(self.kinds[name]) for name in self.names]
        held = [_held(supply, raw, conditions, rng) for raw in (supply.validation, supply.test)]
        mean, scale = base.x.mean(0), float(base.x.std())

        def scaled(rows: Rows) -> Rows:
            return Rows(x=((rows.x - mean) / scale).astype(np.float32), y=rows.y)

        validation, test = (Held(rows=scaled(h.rows), slices=h.slices, groups=h.groups) for h in held)
        return [scaled(base), *(scaled(rows) for rows in sets)], validation, test

    @cached_property
    def table(self) -> SliceTable:
        """Validation as a study knows it."""
        held = self._drawn[1]
        slices = tuple(
            Slice(name=c, role="target", margin=None, weight=1.0, part="validation", rows=held.slices[c], clusters=None)
            for c in self._conditions
        )
        return SliceTable(slices=slices, targets={"validation": held.rows.y})

    def train(self, plan: Plan, seed: int) -> dict[str, float]:
        """Train once: slice → accuracy on validation."""
        return self._accuracy(self._trained(plan, seed), self._drawn[1])

    def objective(self, plan: Plan, count: int = FRESH) -> float:
        """Mean accuracy of the targets on the test set, over fresh trainings."""
        each = (seeds.integer(self.seed, "measure", j) for j in range(count))
        return float(
            np.mean([np.mean(list(self._accuracy(self._trained(plan, s), self._drawn[2]).values())) for s in each])
        )

    @cached_property
    def gap(self) -> tuple[float, float]:
        """Test objective of the base, and of the base with every cure."""
        cures = {name: 1.0 for name, kind in self.kinds.items() if kind == "cure"}
        return self.objective(Plan.of({}, {})), self.objective(Plan.of(cures, {}))

    def share(self, plan: Plan) -> float:
        """Share of the gap that a plan closes."""
        low, high = self.gap
        return (self.objective(plan) - low) / (high - low)

    def fork(
        self, plan: Plan, seed: int, *, after: float, steps: float, batch: float
    ) -> Mapping[str, Mapping[str, float]]:
        """Candidate → slice → change of the soft score on validation by its fork, as a study scores it."""
        rows, _, _ = self._all
        begin, count, mine = round(after * STEPS), round(steps * STEPS), round(batch * BATCH)
        drawn = self._batches(plan, seed)
        state = self._run(self._begun(seed), drawn[None, :begin], 0)
        common, seen = drawn[begin : begin + count], list[Array]()
        starts = np.cumsum([0, *(len(r) for r in rows)])
        for first in range(0, 1 + SETS, AT_ONCE):
            forks = []
            for number in range(first, min(first + AT_ONCE, 1 + SETS)):
                batch_rows = common.copy()
                if number:
                    rng = seeds.generator(seed, "fork")
                    batch_rows[:, :mine] = batches([SIZE], [1.0], mine, count, rng) + starts[number]
                forks.append(batch_rows)
            begun = [np.repeat(part, len(forks), axis=0) for part in state]
            ended = self._run(begun, np.array(forks), begin)
            seen.append(_probabilities(ended, self._drawn[1].rows.x))
        outputs = {"validation": np.concatenate(seen)}
        return probed_changes(self.table, probed_rows(self.table, "classification", outputs), self.names)

    @cached_property
    def _all(self) -> tuple[list[Rows], Array, Array]:
        rows = self._drawn[0]
        return rows, np.concatenate([r.x for r in rows]), np.concatenate([r.y for r in rows])

    def _batches(self, plan: Plan, seed: int) -> Array:
        weights = [1.0, *(plan.mixture.weight(name) for name in self.names)]
        return batches([len(r) for r in self._all[0]], weights, BATCH, STEPS, seeds.generator(seed, "batches"))

    def _begun(self, seed: int) -> list[Array]:
        """Weights, biases and their velocities, a stack of one."""
        rng, d = seeds.generator(seed, "network"), self._all[1].shape[1]
        first = rng.standard_normal((1, d, WIDTH), dtype=np.float32) * np.float32(np.sqrt(2.0 / d))
        second = rng.standard_normal((1, WIDTH, 10), dtype=np.float32) * np.float32(np.sqrt(1.0 / WIDTH))
        start = [first, np.zeros((1, 1, WIDTH), np.float32), second, np.zeros((1, 1, 10), np.float32)]
        return [*start, *(np.zeros_like(part) for part in start)]

    def _trained(self, plan: Plan, seed: int) -> list[Array]:
        return self._run(self._begun(seed), self._batches(plan, seed)[None], 0)

    def _run(self, state: Sequence[Array], drawn: Array, first: int) -> list[Array]:
        """Go on from a state. drawn: (stack, steps, batch) rows; first: the number of the first step."""
        _, x_all, y_all = self._all
        (w1, b1, w2, b2), speed = state[:4], list(state[4:])
        eye = np.eye(10, dtype=np.float32)
        for k in range(drawn.shape[1]):
            x, truth = x_all[drawn[:, k]], eye[y_all[drawn[:, k]]]
            hidden = np.maximum(x @ w1 + b1, 0.0)
            error = (_softmax(hidden @ w2 + b2) - truth) / BATCH
            back = (error @ w2.transpose(0, 2, 1)) * (hidden > 0)
            slopes = (
                x.transpose(0, 2, 1) @ back + DECAY * w1,
                back.sum(1, keepdims=True),
                hidden.transpose(0, 2, 1) @ error + DECAY * w2,
                error.sum(1, keepdims=True),
            )
            step = first + k
            rate = np.float32(RATE * min(1.0, (step + 1) / WARM) * (1.0 - step / STEPS))
            speed = [np.float32(MOMENTUM) * v - rate * g for v, g in zip(speed, slopes, strict=True)]
            w1, b1, w2, b2 = (p + v for p, v in zip((w1, b1, w2, b2), speed, strict=True))
        return [w1, b1, w2, b2, *speed]

    def _accuracy(self, state: Sequence[Array], held: Held) -> dict[str, float]:
        hits = _probabilities(state, held.rows.x)[0].argmax(-1) == held.rows.y
        return {name: float(hits[held.slices[name]].mean()) for name in self._conditions}


def _probabilities(state: Sequence[Array], x: Array) -> Array:
    """Shape (stack, rows, classes)."""
    w1, b1, w2, b2 = state[:4]
    return _softmax(np.maximum(x @ w1 + b1, 0.0) @ w2 + b2)


def _softmax(scores: Array) -> Array:
    shifted = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(-1, keepdims=True))
