"""Many candidates in families, with descriptors, without, and with those of other candidates.

    python -m benchmarks.search.clusters --seeds 0 1 --trainings 200

Prints one row a variant: mean share of the gap that the recommended plan truly closes at every stop, the shares of each
world, and CPU milliseconds of a proposal, fits included.
"""

from __future__ import annotations

import argparse
import dataclasses
import time

import numpy as np

from autodc import seeds
from autodc.search import SearchProblem, make_engine
from autodc.search.threads import single_threaded
from benchmarks.search.runs import Bench
from benchmarks.search.worlds import World

VARIANTS = ("without", "with", "shuffled")
CANDIDATES, FAMILIES, NUMBERS = 200, 20, 3


def main() -> None:
    """Run every variant in every world, one after the other."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    options.add_argument("--trainings", type=int, default=200)
    given = options.parse_args()
    stops = tuple(sorted({given.trainings // 4, given.trainings // 2, given.trainings}))
    print(f"| descriptors | {' | '.join(f'at {n}' for n in stops)} | each world | ms a proposal |")
    worlds = [World(f"families-{s}", CANDIDATES, NUMBERS, s, families=FAMILIES) for s in given.seeds]
    for variant in VARIANTS:
        found = [run(world, variant, stops) for world in worlds]
        shares = np.array([one for one, _ in found])
        each = "; ".join(" ".join(f"{v:.2f}" for v in row) for row in shares)
        means = " | ".join(f"{v:.2f}" for v in shares.mean(0))
        print(f"| {variant} | {means} | {each} | {np.mean([ms for _, ms in found]):.0f} |", flush=True)


@single_threaded
def run(world: World, variant: str, stops: tuple[int, ...]) -> tuple[list[float], float]:
    """Search one world; return the shares at the stops and the CPU milliseconds of a proposal."""
    root = seeds.integer(world.seed, "bench", "families")
    told = {} if variant == "without" else world.descriptors(shuffled=variant == "shuffled")
    problem: SearchProblem = dataclasses.replace(world.problem, descriptors=told)
    engine, bench = make_engine("mixture", problem, root), Bench(world, root, stops[-1])
    shares, spent = [], 0.0
    for number in range(stops[-1]):
        began = time.process_time()
        found = engine.suggest(number, bench.seen, [])
        spent += time.process_time() - began
        bench.train(found.plan, found.seed_key)
        if number + 1 in stops:
            shares.append(world.share(engine.recommend(bench.seen).plan))
    return shares, 1000 * spent / stops[-1]


if __name__ == "__main__":
    main()
