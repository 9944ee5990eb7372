"""Does the mixture sampler beat random search on real digits? Same trainings, same recommender, side by side.

    python benchmarks/digits_search.py           # 5 seeds, about ten minutes on two cores
    python benchmarks/digits_search.py --quick   # 1 seed; prints, writes nothing

Both samplers plan trainings of the digits study; after 15, 30 and 60 of them the plan each would recommend is trained
again with fresh seeds and measured on the test set. No gate is involved. Writes results/digits_search.md.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import digits_truth as world
import numpy as np

from autodc.plan.plan import Plan
from autodc.search.engine import Observation
from autodc.search.factory import make_engine
from autodc.wire.study import search_problem

SAMPLERS = ("mixture", "random")
SEEDS = (11, 12, 13, 14, 15)
STOPS = (15, 30, 60)
FRESH = 3
RESULTS = world.ROOT / "benchmarks" / "results" / "digits_search.md"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="one seed, nothing is written")
    quick = options.parse_args().quick
    with world.pool_of_trainers() as pool:
        seeds = SEEDS[:1] if quick else SEEDS
        found = {sampler: np.array([_curve(pool, sampler, seed) for seed in seeds]) for sampler in SAMPLERS}
    text = _table(found)
    print(text)
    if not quick:
        RESULTS.write_text(text, encoding="utf-8")
    return 0


def _curve(pool: Any, sampler: str, seed: int) -> list[float]:
    """The test objective of what a sampler recommends after each stop; two trainings at a time."""
    engine = make_engine(sampler, search_problem(world._spec()), seed)
    observed: list[Observation] = []
    curve = []
    while len(observed) < STOPS[-1]:
        running: list[Plan] = []
        for number in range(len(observed), len(observed) + 2):
            running.append(engine.suggest(number, observed, running).plan)
        jobs = [
            (_weights(p), dict(p.hyperparameters), seed * 1000 + len(observed) + i, "validation")
            for i, p in enumerate(running)
        ]
        for plan, scores in zip(running, pool.map(world._trained, jobs, chunksize=1), strict=True):
            observed.append(Observation(number=len(observed), plan=plan, seed=0, values=scores))
        if len(observed) in STOPS or len(observed) - 1 in STOPS:
            best = engine.recommend(observed).plan
            fresh = [(_weights(best), dict(best.hyperparameters), 50_000 + i, "test") for i in range(FRESH)]
            curve.append(world._objective(world._mean(pool.map(world._trained, fresh, chunksize=1))))
            print(f"{sampler} seed {seed}: {len(observed)} trainings, test objective {curve[-1]:.3f}", file=sys.stderr)
    return curve


def _weights(plan: Plan) -> dict[str, float]:
    return {name: weight for name, weight in plan.mixture if name != "base"}


def _table(found: dict[str, Any]) -> str:
    text = "# Digits: the mixture sampler beside random search\n\n`python benchmarks/digits_search.py`\n\n"
    count = len(next(iter(found.values())))
    text += (
        f"Test objective (mean accuracy of the target slices, %) of the recommended plan; mean and least of {count} "
    )
    text += "seeds. Both have the same recommender.\n\n"
    text += f"| sampler | {' | '.join(f'{n} trainings' for n in STOPS)} |\n|{' --- |' * (len(STOPS) + 1)}\n"
    for sampler, curves in found.items():
        cells = [f"{100 * c.mean():.1f} (least {100 * c.min():.1f})" for c in curves.T]
        text += f"| {sampler} | {' | '.join(cells)} |\n"
    return text


if __name__ == "__main__":
    sys.exit(main())
