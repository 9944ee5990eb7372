"""What is planted in the worlds, and where their oracles are.

python -m benchmarks.worlds --table digits 0          # what each set does alone and beside the cures
python -m benchmarks.worlds --measure digits 0 1 2    # tune base and oracle alike; writes gaps.json
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence

import numpy as np

from autodc import seeds
from autodc.search import Plan
from autodc.search.plan import Value
from autodc.search.space import Space, dimension_of
from benchmarks.worlds import RealWorld, world
from benchmarks.worlds.real import GAPS

DRAWS, FINALISTS, FINAL_SEEDS, TEST_SEEDS = 150, 5, 6, 12
TABLE_SEEDS = 4


def main() -> None:
    """Print the table of a world, or measure gaps."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--table", nargs=2, metavar=("NAME", "SEED"), help="what each set does")
    options.add_argument("--measure", nargs="+", metavar="NAME SEED", help="a world's name and its seeds")
    given = options.parse_args()
    if given.table:
        print(table(world(given.table[0], int(given.table[1]))))
    if given.measure:
        for seed in given.measure[1:]:
            write(measured(world(given.measure[0], int(seed))))


def table(one: RealWorld) -> str:
    """What each set does alone with the base, and beside the cures (without it, where it is a cure), at weight 1."""
    base = tuned(one, {}, TABLE_DRAWS, "base")
    cured = tuned(one, dict.fromkeys(one.cures, 1.0), TABLE_DRAWS, "oracle")
    rows = [("base", "", _means(one, base)), ("base + cures", "", _means(one, cured))]
    for name, kind in sorted(one.kinds.items(), key=lambda item: item[1]):
        rows.append((f"+ {name}", kind, _means(one, _with(base, [name])) - rows[0][2]))
        beside = [*(one.cures - {name})] if name in one.cures else [*one.cures, name]
        sign = "−" if name in one.cures else "+"
        rows.append((f"cures {sign} {name}", kind, _means(one, _with(cured, beside)) - rows[1][2]))
    slices = [*one.problem.guards, *one.problem.targets]
    lines = [f"{one.name} {one.seed}, accuracy on validation in %, mean of {TABLE_SEEDS} seeds; sets: differences", ""]
    lines += [f"| training | planted | {' | '.join(slices)} | objective |", "| --- " * (len(slices) + 3) + "|"]
    for label, kind, means in rows:
        sign = "+.1f" if label[0] in "+c" else ".1f"
        lines.append(f"| {label} | {kind} | " + " | ".join(f"{100 * v:{sign}}" for v in means) + " |")
    return "\n".join(lines)


TABLE_DRAWS = 40


def tuned(one: RealWorld, weights: dict[str, float], draws: int, name: str) -> Plan:
    """The best hyperparameters of a mixture by random search: best on validation, the first few measured again."""
    space = Space([dimension_of(n, spec) for n, spec in one.space.items()], {"recipe": "concat"})
    rng = seeds.generator(one.seed, "tuning")
    settings: list[dict[str, Value]] = [dict(one.problem.start.hyperparameters)]
    settings += [space.decode(row) for row in space.snap(space.random(rng, max(1, draws - 1)))]
    plans = list(dict.fromkeys(Plan.of(weights, setting) for setting in settings))
    first = [seeds.integer(one.seed, "tuning", name, 0)]
    again = [seeds.integer(one.seed, "tuning", name, 1 + j) for j in range(FINAL_SEEDS)]
    best = sorted(plans, key=lambda p: -one.objective(p, first, "validation"))[:FINALISTS]
    return max(best, key=lambda p: one.objective(p, again, "validation"))


def measured(one: RealWorld) -> dict[str, dict[str, object]]:
    """Base and oracle of a world, tuned alike, on the test set with fresh seeds."""
    began = time.perf_counter()
    fresh = one.fresh_seeds(TEST_SEEDS)
    found: dict[str, object] = {}
    for name, weights in (("base", {}), ("oracle", dict.fromkeys(one.cures, 1.0))):
        plan = tuned(one, weights, DRAWS, name)
        found[name] = round(one.objective(plan, fresh), 5)
        found[f"{name}_hyperparameters"] = dict(plan.hyperparameters)
    print(one.name, one.seed, found["base"], found["oracle"], f"{time.perf_counter() - began:.0f} s", flush=True)
    return {f"{one.name}-{one.seed}": found}


def write(found: dict[str, dict[str, object]]) -> None:
    """Add to gaps.json."""
    known = json.loads(GAPS.read_text(encoding="utf-8")) if GAPS.exists() else {}
    known.update(found)
    GAPS.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8")


def _with(plan: Plan, names: Sequence[str]) -> Plan:
    return Plan.of(dict.fromkeys(names, 1.0), dict(plan.hyperparameters), plan.recipe)


def _means(one: RealWorld, plan: Plan) -> np.ndarray:
    """Every slice, then the objective."""
    found = []
    for seed in one.fresh_seeds(TABLE_SEEDS):
        values = one.values(one.train(plan, seed))
        found.append([*(values[n] for n in (*one.problem.guards, *one.problem.targets)), one.mean(values)])
    return np.mean(found, axis=0)


if __name__ == "__main__":
    main()
