"""Every subset of ten candidates, measured once and shipped: which are the best, no model in between.

A subset's number has bit i set where the world's candidate i is in the mixture. `subsets-<seed>.csv` has a line a
subset: the means of 4 trainings, the same seeds for all, of every slice and of the objective, on validation and test.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autodc.search import Plan

if TYPE_CHECKING:
    from benchmarks.worlds.real import RealWorld

Array = np.ndarray[Any, Any]

SEEDS = 4


def mask(world: RealWorld, plan: Plan) -> int:
    """Number of the subset that a plan is."""
    return sum(1 << i for i, name in enumerate(world.problem.datasets) if name in plan.mixture)


def plan_of(world: RealWorld, subset: int) -> Plan:
    """The plan of a subset."""
    names = [name for i, name in enumerate(world.problem.datasets) if subset >> i & 1]
    return Plan.of(dict.fromkeys(names, 1.0), {})


def path_of(world: RealWorld) -> Path:
    """Where a world's table is shipped."""
    return Path(__file__).resolve().parent / f"{world.name}-{world.seed}.csv"


def truth_of(world: RealWorld, part: str = "test") -> Array:
    """Objective of every subset, by number. Raises FileNotFoundError where this world was not enumerated."""
    return np.asarray(table_of(path_of(world))[f"{part}.objective"].to_numpy(dtype=float))


@cache
def table_of(path: Path) -> pd.DataFrame:
    """The whole table."""
    return pd.read_csv(path, index_col="subset")


def enumerate_subsets(world: RealWorld) -> pd.DataFrame:
    """Train every subset with the same seeds; a row a subset, a column a slice of each part."""
    rows = []
    for subset in range(1 << len(world.problem.datasets)):
        plan = plan_of(world, subset)
        outputs = [world.train(plan, seed) for seed in world.fresh_seeds(SEEDS)]
        row: dict[str, float] = {"subset": subset}
        for part in ("validation", "test"):
            values = [world.values(one, part) for one in outputs]
            means = {name: float(np.mean([v[name] for v in values])) for name in values[0]}
            row |= {f"{part}.{name}": round(value, 4) for name, value in means.items()}
            row[f"{part}.objective"] = round(world.mean(means), 5)
        rows.append(row)
    return pd.DataFrame(rows).set_index("subset")
