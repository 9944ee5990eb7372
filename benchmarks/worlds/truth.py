"""What is planted and what it is worth: the effect of every set, base and oracle tuned alike, the gap between them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autodc import seeds
from autodc.search import Plan
from autodc.search.space import RECIPE, Space, dimension_of
from benchmarks.worlds.real import GAPS, RealWorld

Array = np.ndarray[Any, Any]

RESULTS = Path(__file__).resolve().parent.parent / "results" / "worlds.md"
DRAWS, FINALISTS, FINAL_SEEDS, TEST_SEEDS = 150, 5, 6, 12
TABLE_SEEDS, TABLE_DRAWS = 4, 40
HEAD = """# What is planted in the worlds

`python -m benchmarks.worlds --summary`

Differences in points of accuracy on validation, least and largest over the sets of a kind, each the mean of {seeds}
trainings, at weight 1. Alone: base and the set, less the base. The others: all cures and the set, less the cures
without it, which is what a set is worth in the end. Own slice: the target it helps most beside the cures. Base and
cures are tuned alike. Of a pretrain_only set, alone means mixed into the base; beside the cures it comes before the
fine-tuning.

"""


def table(one: RealWorld) -> str:
    """What each set does alone with the base, and beside the cures (without it, where it is a cure), at weight 1."""
    base, cured, effects = measured_effects(one)
    slices = [*one.problem.guards, *one.problem.targets]
    lines = [f"{one.name} {one.seed}, accuracy on validation in %, mean of {TABLE_SEEDS} seeds; sets: differences", ""]
    lines += [f"| training | planted | {' | '.join(slices)} | objective |", "| --- " * (len(slices) + 3) + "|"]
    lines += [_line("base", "", base, ".1f"), _line("base + cures", "", cured, ".1f")]
    for effect in effects:
        lines.append(_line(f"base + {effect.name}", effect.kind, effect.alone, "+.1f"))
        lines.append(_line(f"cures and {effect.name} − cures without", effect.kind, effect.beside, "+.1f"))
    return "\n".join(lines)


def summary(worlds: Sequence[RealWorld]) -> str:
    """Least and largest effect of every kind of set over these worlds."""
    first = len(worlds[0].problem.guards)
    found: dict[str, list[tuple[float, ...]]] = {}
    for one in worlds:
        for effect in measured_effects(one)[2]:
            own = first + int(np.argmax(effect.beside[first:-1]))
            figures = (effect.alone[own], effect.alone[-1], effect.beside[own], effect.beside[-1], effect.beside[1])
            found.setdefault(effect.kind, []).append(tuple(100 * float(v) for v in figures))
    name, seeds_ = worlds[0].name, ", ".join(str(one.seed) for one in worlds)
    lines = [f"## {name}, worlds {seeds_}", ""]
    lines += [
        "| planted | sets | own slice, alone | objective, alone | own slice | objective | clean |",
        "| --- " * 7 + "|",
    ]
    for kind, rows in found.items():
        spans = (f"{min(column):+.1f} … {max(column):+.1f}" for column in zip(*rows, strict=True))
        lines.append(f"| {kind} | {len(rows)} | " + " | ".join(spans) + " |")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a set does. alone: with the base, less the base; beside: with the cures, less the cures without it; each a
    difference of every guard, every target, and the objective."""

    name: str
    kind: str
    alone: Array
    beside: Array


def measured_effects(one: RealWorld) -> tuple[Array, Array, list[Effect]]:
    """Figures of the tuned base and of the tuned oracle, and the effect of every set."""
    base, cured = tuned(one, "base", TABLE_DRAWS), tuned(one, "oracle", TABLE_DRAWS)
    low, high = _means(one, base), _means(one, cured)
    effects = []
    for name, kind in sorted(one.kinds.items(), key=lambda item: item[1]):
        alone = _means(one, Plan.of({name: 1.0}, dict(base.hyperparameters), base.recipe)) - low
        beside = (
            high - _means(one, cured.without(name)) if name in one.cures else _means(one, _added(cured, name)) - high
        )
        effects.append(Effect(name=name, kind=kind, alone=alone, beside=beside))
    return low, high, effects


def tuned(one: RealWorld, arm: str, draws: int) -> Plan:
    """Tune `base` or `oracle` by random search: the best draws on validation, the first few measured again."""
    make = one.best if arm == "oracle" else lambda numbers: Plan.of({}, numbers, one.recipes[0])
    recipe = make({}).recipe
    space = Space([dimension_of(n, spec) for n, spec in one.space.items()], {RECIPE: recipe})
    rng = seeds.generator(one.seed, "tuning")
    settings = [space.decode(row) for row in space.snap(np.vstack([space.defaults, space.random(rng, draws - 1)]))]
    plans = list(dict.fromkeys(make(setting) for setting in settings))
    first = [seeds.integer(one.seed, "tuning", arm, 0)]
    again = [seeds.integer(one.seed, "tuning", arm, 1 + j) for j in range(FINAL_SEEDS)]
    best = sorted(plans, key=lambda p: -one.objective(p, first, "validation"))[:FINALISTS]
    return max(best, key=lambda p: one.objective(p, again, "validation"))


def measured(one: RealWorld) -> dict[str, dict[str, object]]:
    """Base and oracle of a world, tuned alike, on the test set with fresh seeds."""
    began = time.perf_counter()
    fresh = one.fresh_seeds(TEST_SEEDS)
    found: dict[str, object] = {}
    for arm in ("base", "oracle"):
        plan = tuned(one, arm, DRAWS)
        found[arm] = round(one.objective(plan, fresh), 5)
        found[f"{arm}_hyperparameters"] = dict(plan.hyperparameters)
        if plan.pretrain:
            found["oracle_without_pretraining"] = round(one.objective(plan.without(*plan.pretrain), fresh), 5)
    print(one.name, one.seed, found["base"], found["oracle"], f"{time.perf_counter() - began:.0f} s", flush=True)
    return {f"{one.name}-{one.seed}": found}


def write_page(parts: Sequence[str]) -> None:
    """Write results/worlds.md."""
    head = HEAD.format(seeds=TABLE_SEEDS)
    RESULTS.write_text(head + "\n\n".join(parts) + "\n", encoding="utf-8")
    print(head + "\n\n".join(parts))


def write(found: dict[str, dict[str, object]]) -> None:
    """Add to gaps.json."""
    known = json.loads(GAPS.read_text(encoding="utf-8")) if GAPS.exists() else {}
    known.update(found)
    GAPS.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8")


def _line(label: str, kind: str, means: Array, form: str) -> str:
    return f"| {label} | {kind} | " + " | ".join(f"{100 * v:{form}}" for v in means) + " |"


def _added(plan: Plan, name: str) -> Plan:
    mixture = plan.mixture.with_weight(name, 1.0)
    return Plan.of(mixture.to_dict(), dict(plan.hyperparameters), plan.recipe, plan.pretrain)


def _means(one: RealWorld, plan: Plan) -> Array:
    """Every slice, then the objective."""
    found = []
    for seed in one.fresh_seeds(TABLE_SEEDS):
        values = one.values(one.train(plan, seed))
        found.append([*(values[n] for n in (*one.problem.guards, *one.problem.targets)), one.mean(values)])
    return np.asarray(np.mean(found, axis=0))
