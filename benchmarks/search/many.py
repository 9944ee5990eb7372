"""The world of many small candidates: share of the gap at 50, 100 and 200 trainings' worth.

    python -m benchmarks.search.many [--draws 0 1 2 3 4] [--peers probes screening mixture]

Peers: `probes`, forked probes as a study takes them, then our sampler, told what they say · `screening`, one training
with each candidate alone, in random order, and those whose accuracy rose over the base's · `mixture`, our sampler as it
is. `forks`: what the forks alone answer, whole trainings spent by `probes` beside them or not.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from autodc import seeds
from autodc.search import Observation, Plan, make_engine
from autodc.search.forked import believed, mixture
from autodc.study.rules import probing
from benchmarks.worlds.many import CAP, SETS, Many

STOPS = (50, 100, 200)
LAG = 4
Answer = tuple[float, Plan]
"""Trainings' worth that were spent, and what would be answered then."""


def main() -> None:
    """Print one line a draw and peer, and the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=list(PEERS))
    asked = parser.parse_args()
    found: dict[str, list[list[float]]] = {}
    for draw in asked.draws:
        one = Many(draw)
        for peer in asked.peers:
            began = time.process_time()
            for name, shares in PEERS[peer](one).items():
                found.setdefault(name, []).append(shares)
                seconds = round(time.process_time() - began, 1)
                print(json.dumps({"draw": draw, "peer": name, "shares": shares, "cpu": seconds}), flush=True)
    for name, rows in found.items():
        means, errors = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(len(rows))
        print(name, *(f"{s}: {m:.2f} ± {e:.2f}" for s, m, e in zip(STOPS, means, errors, strict=True)), sep="  ")


def screening(one: Many) -> dict[str, list[float]]:
    """Add each candidate alone; the answer has those that are better than the mean of the base's trainings."""
    order = [str(n) for n in seeds.generator(one.seed, "order").permutation(one.names)]
    base = [_value(one, Plan.of({}, {}), f"base-{i}") for i in range(4)]
    gains: dict[str, float] = {}
    answers: dict[int, Plan] = {}
    for count, name in enumerate(order, len(base) + 1):
        gains[name] = _value(one, Plan.of({name: 1.0}, {}), name) - float(np.mean(base))
        if count in STOPS or count == SETS:
            answers[min(s for s in STOPS if s >= count)] = Plan.of({n: 1.0 for n, g in gains.items() if g > 0}, {})
    return {"screening": [round(one.share(answers[stop]), 3) for stop in STOPS]}


def sampler(one: Many) -> dict[str, list[float]]:
    """Our sampler, nothing known before."""
    return {"mixture": _at_stops(one, _searched(one, [], 0.0, {}))}


def probes(one: Many) -> dict[str, list[float]]:
    """Probes of the base and of what they lead to, by the rules of a study; then the sampler."""
    plan, spent, said = Plan.of({}, {}), 0.0, list[dict[str, float]]()
    seen: list[Observation] = []
    forks: list[Answer] = [(0.0, plan)]
    price = probing.price(SETS)
    while len(said) < probing.MOST and spent + price <= probing.SHARE * STOPS[-1]:
        seed = seeds.integer(one.seed, "probe", len(said))
        shares = {"after": probing.AFTER, "steps": probing.STEPS, "batch": probing.BATCH}
        changes = one.fork(plan, seed, **shares)
        said.append({name: float(np.mean(list(change.values()))) for name, change in changes.items()})
        plan = Plan.of(mixture(believed(said), CAP), {})
        spent += price
        forks.append((spent, plan))
        seen.append(_observed(one, plan, f"probed-{len(said)}", len(seen)))
        spent += 1
    found = _searched(one, seen, spent, believed(said))
    answers = [*forks, *((worth, best) for worth, best in found if worth > spent + 5)]
    return {"probes": _at_stops(one, answers), "forks": _at_stops(one, forks)}


def _searched(one: Many, seen: list[Observation], spent: float, beliefs: dict[str, float]) -> Iterator[Answer]:
    """The sampler, four trainings in flight, and what it recommends at the stops."""
    engine = make_engine("mixture", replace(one.problem, probes=beliefs, probed=bool(beliefs)), one.seed)
    number, known_before = 0, len(seen)
    while spent + 1 <= STOPS[-1]:
        known = max(known_before, len(seen) - LAG + 1)
        found = engine.suggest(number, seen[:known], [o.plan for o in seen[known:]])
        seen.append(_observed(one, found.plan, found.seed_key, len(seen)))
        number, spent = number + 1, spent + 1
        if any(spent <= stop < spent + 1 for stop in STOPS):
            yield spent, engine.recommend(seen).plan


def _at_stops(one: Many, answers: Sequence[Answer] | Iterator[Answer]) -> list[float]:
    every = list(answers)
    last = [[plan for worth, plan in every if worth <= stop][-1] for stop in STOPS]
    return [round(one.share(plan), 3) for plan in last]


def _observed(one: Many, plan: Plan, key: str, number: int) -> Observation:
    seed = seeds.integer(one.seed, "train", key)
    return Observation(number=number, plan=plan, seed=seed, values=one.train(plan, seed))


def _value(one: Many, plan: Plan, key: str) -> float:
    return float(np.mean(list(one.train(plan, seeds.integer(one.seed, "train", key)).values())))


PEERS: dict[str, Callable[[Many], dict[str, list[float]]]] = {
    "probes": probes,
    "screening": screening,
    "mixture": sampler,
}

if __name__ == "__main__":
    main()
