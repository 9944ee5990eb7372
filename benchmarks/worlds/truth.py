"""What is planted and what it is worth: the effect of every set, base and oracle tuned alike, the gap between them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.search import Plan
from autodc.search.space import RECIPE, Space, dimension_of
from benchmarks.tables import table
from benchmarks.worlds.real import GAPS, HERE, RealWorld

Array = np.ndarray[Any, Any]

RESULTS = HERE.parent / "results" / "worlds.md"
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


def summary(worlds: Sequence[RealWorld]) -> str:
    """Least and largest effect of every kind of set over these worlds."""
    found: dict[str, list[Array]] = {}
    for one in worlds:
        for kind, alone, beside in effects(one):
            own = len(one.problem.guards) + int(np.argmax(beside[len(one.problem.guards) : -1]))
            found.setdefault(kind, []).append(
                100 * np.array([alone[own], alone[-1], beside[own], beside[-1], beside[1]])
            )
    head = ["planted", "sets", "own slice, alone", "objective, alone", "own slice", "objective", "clean"]
    rows = [
        (kind, len(each), *(f"{min(column):+.1f} … {max(column):+.1f}" for column in zip(*each, strict=True)))
        for kind, each in found.items()
    ]
    return f"## {worlds[0].name}, worlds {', '.join(str(one.seed) for one in worlds)}\n\n{table(head, rows)}"


def effects(one: RealWorld) -> Iterator[tuple[str, Array, Array]]:
    """Every set: its kind, what it does with the base, and beside the cures; for every guard, target, the objective."""
    base, cured = tuned(one, "base", TABLE_DRAWS), tuned(one, "oracle", TABLE_DRAWS)
    low, high = _means(one, base), _means(one, cured)
    for name, kind in sorted(one.kinds.items(), key=lambda item: item[1]):
        alone = _means(one, Plan.of({name: 1.0}, dict(base.hyperparameters), base.recipe)) - low
        mixture = cured.mixture.with_weight(name, 1.0).to_dict()
        added = Plan.of(mixture, dict(cured.hyperparameters), cured.recipe, cured.pretrain)
        beside = high - _means(one, cured.without(name)) if name in one.cures else _means(one, added) - high
        yield kind, alone, beside


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


def measure(one: RealWorld) -> None:
    """Measure base and oracle of a world, tuned alike, on the test set with fresh seeds; add them to gaps.json."""
    fresh = one.fresh_seeds(TEST_SEEDS)
    found: dict[str, object] = {}
    for arm in ("base", "oracle"):
        plan = tuned(one, arm, DRAWS)
        found[arm] = round(one.objective(plan, fresh), 5)
        found[f"{arm}_hyperparameters"] = dict(plan.hyperparameters)
        if plan.pretrain:
            found["oracle_without_pretraining"] = round(one.objective(plan.without(*plan.pretrain), fresh), 5)
    print(one.name, one.seed, found["base"], found["oracle"], flush=True)
    known = json.loads(GAPS.read_text(encoding="utf-8")) | {f"{one.name}-{one.seed}": found}
    GAPS.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8")


def enumerate_subsets(one: RealWorld) -> None:
    """Train every subset with the same seeds; write a table, a row a subset, a column a slice of each part."""
    rows = []
    for number in range(1 << len(one.problem.datasets)):
        outputs = [one.train(one.subset(number), seed) for seed in one.fresh_seeds(TABLE_SEEDS)]
        row: dict[str, float] = {"subset": number}
        for part in ("validation", "test"):
            values = [one.values(each, part) for each in outputs]
            means = {name: float(np.mean([v[name] for v in values])) for name in values[0]}
            row |= {f"{part}.{name}": round(value, 4) for name, value in means.items()}
            row[f"{part}.objective"] = round(one.mean(means), 5)
        rows.append(row)
    frame = pd.DataFrame(rows).set_index("subset")
    frame.to_csv(HERE / f"{one.name}-{one.seed}.csv", lineterminator="\n")


def write_page(parts: Sequence[str]) -> None:
    """Write results/worlds.md."""
    text = HEAD.format(seeds=TABLE_SEEDS) + "\n\n".join(parts) + "\n"
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


def _means(one: RealWorld, plan: Plan) -> Array:
    """Every slice, then the objective."""
    found = []
    for seed in one.fresh_seeds(TABLE_SEEDS):
        values = one.values(one.train(plan, seed))
        found.append([*(values[n] for n in (*one.problem.guards, *one.problem.targets)), one.mean(values)])
    return np.asarray(np.mean(found, axis=0))
