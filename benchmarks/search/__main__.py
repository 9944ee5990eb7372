"""Share of the base → oracle gap that each sampler's recommendation closes on synthetic worlds with known truth.

    python -m benchmarks.search           # 20 candidates, four worlds; writes results/search.md
    python -m benchmarks.search --quick   # 20 candidates, two worlds, 40 trainings; prints, writes nothing

Worlds 901 and 902 were in no tuning of the sampler. Four trainings are in flight at any time.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from autodc import seeds
from autodc.search import Observation, Plan, make_engine
from benchmarks.search.worlds import World

RESULTS = Path(__file__).resolve().parent.parent / "results" / "search.md"
SAMPLERS = ("mixture", "random", "TPESampler")
TUNED, UNSEEN = (0, 1), (901, 902)
LAG = 4
HEAD = "| candidates | worlds | sampler | trainings | recommended | luckiest trial | optimism | CPU ms a proposal |"


def main() -> None:
    """Run every sampler in every world and print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="two worlds, 40 trainings, nothing is written")
    options.add_argument("--candidates", type=int, nargs="+", default=[20], help="20 60 takes minutes more")
    given = options.parse_args()
    lines = [HEAD, "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for candidates in [20] if given.quick else given.candidates:
        stops = (40,) if given.quick else ((40, 80) if candidates <= 20 else (80, 160))
        for kind, numbers in (("unseen", UNSEEN),) if given.quick else (("tuned on", TUNED), ("unseen", UNSEEN)):
            worlds = [World("synthetic", candidates, 3, number) for number in numbers]
            lines += [_fixed(worlds, kind), *(row for s in SAMPLERS for row in _rows(worlds, kind, s, stops))]
    text = "\n".join(lines)
    print(text)
    if not given.quick:
        RESULTS.write_text(_page(text), encoding="utf-8")


def _rows(worlds: list[World], kind: str, sampler: str, stops: tuple[int, ...]) -> list[str]:
    """One line of the table for every stop."""
    found = np.array([_study(world, sampler, stops) for world in worlds]).mean(0)
    size = worlds[0].candidates
    return [
        f"| {size} | {kind} | {sampler} | {stop} | {share:.2f} | {lucky:.2f} | {optimism:+.2f} | {1000 * cpu:.0f} |"
        for stop, (share, lucky, optimism, cpu) in zip(stops, found, strict=True)
    ]


def _study(world: World, sampler: str, stops: tuple[int, ...]) -> list[tuple[float, float, float, float]]:
    """At every stop: share of the recommendation, of the luckiest trial, optimism in gaps, CPU seconds a proposal."""
    engine = make_engine(sampler, world.problem, world.seed)
    low, high = world.gap
    observed: list[Observation] = []
    plans: list[Plan] = []
    rows, spent = [], 0.0
    for number in range(max(stops)):
        seen = max(0, number - LAG + 1)
        began = time.process_time()
        found = engine.suggest(number, observed[:seen], plans[seen:])
        spent += time.process_time() - began
        seed = seeds.integer(world.seed, "train", found.seed_key)
        plans.append(found.plan)
        observed.append(Observation(number=number, plan=found.plan, seed=seed, values=world.train(found.plan, seed)))
        if number + 1 in stops:
            best = engine.recommend(observed)
            lucky = max(observed, key=lambda o: sum(o.values.values()))
            optimism = (best.mean - world.value(best.plan)) / (high - low)
            rows.append((world.share(best.plan), world.share(lucky.plan), optimism, spent / (number + 1)))
    return rows


def _fixed(worlds: list[World], kind: str) -> str:
    """The line of everything at weight 1 with the start's hyperparameters."""
    shares = []
    for world in worlds:
        weights = dict.fromkeys(world.problem.datasets, 1.0)
        shares.append(world.share(Plan.of(weights, dict(world.problem.start.hyperparameters))))
    return f"| {worlds[0].candidates} | {kind} | uniform | 0 | {np.mean(shares):.2f} | | | |"


def _page(table: str) -> str:
    return (
        "# Search on synthetic worlds\n\n`python -m benchmarks.search`\n\nShare of the gap between the start "
        "(base alone, untuned) and the oracle; 1 is the oracle. Noise of one training: a tenth of the gap. "
        "`recommended`: by our recommender for every sampler; `luckiest trial`: the plan of the best single training, "
        "which is what Optuna's `best_trial` gives. Optimism: estimate less truth, in gaps. Two worlds a line: "
        "differences below about 0.1 mean nothing.\n\n" + table + "\n"
    )


if __name__ == "__main__":
    main()
