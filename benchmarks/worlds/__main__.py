"""What is planted in the worlds, and where their oracles are.

python -m benchmarks.worlds --table digits 0          # what each set does alone and beside the cures
python -m benchmarks.worlds --measure digits 0 1 2    # tune base and oracle alike; writes gaps.json
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from autodc import seeds
from autodc.search import Plan
from autodc.search.space import RECIPE, Space, dimension_of
from benchmarks.worlds import RealWorld, world
from benchmarks.worlds.real import GAPS
from benchmarks.worlds.subsets import enumerate_subsets, path_of

DRAWS, FINALISTS, FINAL_SEEDS, TEST_SEEDS = 150, 5, 6, 12
TABLE_SEEDS, TABLE_DRAWS = 4, 40


def main() -> None:
    """Print the table of a world, or measure gaps."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--table", nargs=2, metavar=("NAME", "SEED"), help="what each set does")
    options.add_argument("--measure", nargs="+", metavar="NAME SEED", help="a world's name and its seeds")
    options.add_argument("--enumerate", nargs="+", type=int, metavar="SEED", help="train every subset")
    given = options.parse_args()
    if given.table:
        print(table(world(given.table[0], int(given.table[1]))))
    if given.measure:
        for seed in given.measure[1:]:
            write(measured(world(given.measure[0], int(seed))))
    for seed in given.enumerate or ():
        one = world("subsets", seed)
        enumerate_subsets(one).to_csv(path_of(one), lineterminator="\n")
        print(path_of(one).name, one.gap, flush=True)


def table(one: RealWorld) -> str:
    """What each set does alone with the base, and beside the cures (without it, where it is a cure), at weight 1."""
    base, cured = tuned(one, "base", TABLE_DRAWS), tuned(one, "oracle", TABLE_DRAWS)
    rows = [("base", "", _means(one, base)), ("base + cures", "", _means(one, cured))]
    for name, kind in sorted(one.kinds.items(), key=lambda item: item[1]):
        alone = Plan.of({name: 1.0}, dict(base.hyperparameters), base.recipe)
        beside = cured.without(name) if name in one.cures else _added(cured, name)
        sign = "−" if name in one.cures else "+"
        rows.append((f"+ {name}", kind, _means(one, alone) - rows[0][2]))
        rows.append((f"cures {sign} {name}", kind, _means(one, beside) - rows[1][2]))
    slices = [*one.problem.guards, *one.problem.targets]
    lines = [f"{one.name} {one.seed}, accuracy on validation in %, mean of {TABLE_SEEDS} seeds; sets: differences", ""]
    lines += [f"| training | planted | {' | '.join(slices)} | objective |", "| --- " * (len(slices) + 3) + "|"]
    for label, kind, means in rows:
        sign = "+.1f" if label[0] in "+c" else ".1f"
        lines.append(f"| {label} | {kind} | " + " | ".join(f"{100 * v:{sign}}" for v in means) + " |")
    return "\n".join(lines)


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


def write(found: dict[str, dict[str, object]]) -> None:
    """Add to gaps.json."""
    known = json.loads(GAPS.read_text(encoding="utf-8")) if GAPS.exists() else {}
    known.update(found)
    GAPS.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8")


def _added(plan: Plan, name: str) -> Plan:
    mixture = plan.mixture.with_weight(name, 1.0)
    return Plan.of(mixture.to_dict(), dict(plan.hyperparameters), plan.recipe, plan.pretrain)


def _means(one: RealWorld, plan: Plan) -> np.ndarray:
    """Every slice, then the objective."""
    found = []
    for seed in one.fresh_seeds(TABLE_SEEDS):
        values = one.values(one.train(plan, seed))
        found.append([*(values[n] for n in (*one.problem.guards, *one.problem.targets)), one.mean(values)])
    return np.mean(found, axis=0)


if __name__ == "__main__":
    main()
