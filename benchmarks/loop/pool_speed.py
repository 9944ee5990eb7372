"""Time and memory of choosing rows of a large pool, beside a search for neighbours in the whole pool.

    python -m benchmarks.loop.pool_speed                 # writes benchmarks/results/pool_speed.md
    python -m benchmarks.loop.pool_speed --sizes 10000 100000

Tables have 30 columns: numbers, some with gaps, and categories. Embedded rows have 64 numbers that are no attributes.
2,000 explore rows say where a model fails: in a region of a few columns, or in a cluster of the space. Three findings
are served, and a control. Making the pool is in neither time nor memory; each measurement has a process of its own. The
peer takes for each finding the rows that are nearest to its failing rows, by scikit-learn's NearestNeighbors on all
rows of the pool, standardised, categories one-hot: no rule, no quota, no likeness. Purity is the share of rows in the
region.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autodc.diagnose.finding import ATTRIBUTES
from autodc.propose import pool
from benchmarks.tables import table

RESULTS = Path(__file__).parents[1] / "results" / "pool_speed.md"
SIZES = {"table": (10_000, 100_000, 1_000_000), "embedded": (20_000, 200_000)}
EXPLORE, FINDINGS, BASE = 2_000, 3, 20_000
NUMBERS, CATEGORIES, WIDTH = 24, 6, 64
HEAD = ("pool", "rows", "who", "seconds", "MB beside the pool", "rows chosen", "purity")
SIDES = ("autodc", "neighbours")


def rows_of_table(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Numbers, one in three with gaps, and categories."""
    columns: dict[str, Any] = {}
    for at in range(NUMBERS):
        values = rng.normal(0, 1 + at % 5, rows)
        if at % 3 == 1:
            values[rng.random(rows) < 0.05] = np.nan
        columns[f"n{at}"] = values
    for at in range(CATEGORIES):
        names = np.array([f"name {i}" for i in range(3 * 2**at)], dtype=object)
        columns[f"c{at}"] = names[rng.integers(0, len(names), rows)]
    return pd.DataFrame(columns)


def world(kind: str, size: int) -> tuple[pool.PoolView, list[pool.Wish], list[np.ndarray[Any, Any]]]:
    """What is seen, what is wished for, and for each wish the rows of the pool that are truly of its region."""
    rng = np.random.default_rng(0)
    if kind == "table":
        known, stock = rows_of_table(rng, EXPLORE), rows_of_table(rng, size)
        rules = [f"n{3 * k} > {1 + 3 * k % 5} AND c0 <> 'name 0'" for k in range(FINDINGS)]

        def region(frame: pd.DataFrame, k: int) -> Any:
            return ((frame[f"n{3 * k}"] > 1 + 3 * k % 5) & (frame["c0"] != "name 0")).to_numpy()

        here, there = [region(known, k) for k in range(FINDINGS)], [region(stock, k) for k in range(FINDINGS)]
        places: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    else:
        known, stock = pd.DataFrame(index=range(EXPLORE)), pd.DataFrame(index=range(size))
        centres = rng.normal(0, 1, (12, WIDTH)).astype(np.float32)
        own, theirs = rng.integers(0, 12, EXPLORE), rng.integers(0, 12, size)
        places = tuple(
            {"network": centres[which] + rng.normal(0, 0.6, (len(which), WIDTH)).astype(np.float32)}
            for which in (own, theirs)
        )  # type: ignore[assignment]
        rules = [""] * FINDINGS
        here, there = [own == k for k in range(FINDINGS)], [theirs == k for k in range(FINDINGS)]
    failed = np.any(here, axis=0) & (rng.random(EXPLORE) < 0.7) | (rng.random(EXPLORE) < 0.05)
    seen = pool.PoolView(
        ids=np.arange(EXPLORE),
        failed=failed,
        target=rng.integers(0, 10, EXPLORE),
        attributes=known,
        embeddings=places[0],
        pool_attributes=stock,
        pool_embeddings=places[1],
        content=np.arange(size),
        barred=rng.random(size) < 0.01,
    )
    wishes = [
        pool.Wish(
            name=f"pool-F{k}", why="", finding=f"F{k}", rule=rules[k], ids=np.flatnonzero(here[k]),
            code=ATTRIBUTES if kind == "table" else "ADC-D002",
        )
        for k in range(FINDINGS)
    ]  # fmt: skip
    return seen, wishes, there


def of_autodc(seen: pool.PoolView, wishes: list[pool.Wish]) -> Iterable[np.ndarray[Any, Any]]:
    """As a round chooses."""
    made, _ = pool.proposals(seen, wishes, base=BASE, cost=0.0, most=FINDINGS, round_number=1, seed=1)
    return [np.asarray(one.arguments["rows"]) for one in made if one.finding]


def of_neighbours(seen: pool.PoolView, wishes: list[pool.Wish]) -> Iterable[np.ndarray[Any, Any]]:
    """The rows of the pool that are nearest to failing rows, as many for each of these."""
    from sklearn.neighbors import NearestNeighbors
    from sklearn.preprocessing import StandardScaler

    both = pd.concat([seen.attributes, seen.pool_attributes], ignore_index=True)
    numbers = [name for name in both if both[name].dtype.kind == "f"]
    parts = [np.vstack([seen.points, seen.pool_points(np.arange(len(seen.barred)))]).astype(np.float32)]
    if len(both.columns):
        parts = [both[numbers].fillna(both[numbers].mean()).to_numpy(np.float32)]
        parts.append(pd.get_dummies(both.drop(columns=numbers)).to_numpy(np.float32))
    rows = StandardScaler().fit_transform(np.hstack(parts))
    free = np.flatnonzero(~seen.barred)
    near = NearestNeighbors(algorithm="brute").fit(rows[EXPLORE:][free])
    count = pool.wanted_rows(BASE)
    for wish in wishes:
        asked = wish.ids[seen.failed[wish.ids]]
        found = near.kneighbors(rows[asked], n_neighbors=1 + count // len(asked), return_distance=False)
        yield free[np.unique(found)[:count]]


def memory(key: str) -> float:
    """VmHWM or RssAnon of this process in MB."""
    found = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024 / 1e6


def measured(kind: str, size: int, side: str) -> dict[str, Any]:
    """In a process of its own: seconds, the peak of memory above the pool, rows chosen, and how many are right."""
    choose: Callable[..., Any] = {"autodc": of_autodc, "neighbours": of_neighbours}[side]
    small, wishes, _ = world(kind, 2_000)
    _ = list(choose(small, wishes))  # imports
    seen, wishes, there = world(kind, size)
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before, start, cpu = memory("VmRSS"), time.perf_counter(), time.process_time()
    chosen = list(choose(seen, wishes))
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    pure = [float(right[rows].mean()) for right, rows in zip(there, chosen, strict=True)]
    peak = memory("VmHWM") - before
    return {"seconds": seconds, "cpu": used, "mb": peak, "rows": sum(map(len, chosen)), "purity": min(pure)}


PAGE = """\
# Speed on large pools

`python -m benchmarks.loop.pool_speed` on {cores} cores, Python {python}, one thread; load of the machine before
{before:.1f}, after {after:.1f}. Seconds are those of a core, which a busy machine changes less than the clock.

Three findings of {explore:,} explore rows and a control are served from a pool, 2,000 rows each. Tables have 24 numbers
and 6 categories, embedded rows 64 coordinates. Memory is the peak above what the pool itself takes. The peer: for
each finding the rows nearest to its failing rows, by scikit-learn's NearestNeighbors, brute, on the whole pool. Purity:
the share of chosen rows that lie in the region where the model fails, of the worst of the three findings.

{table}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", help="rows of the pools; no page is written")
    parser.add_argument("--kinds", nargs="*", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        kind, size, side = asked.one
        print(json.dumps(measured(kind, int(size), side)))
        return
    before, rows = os.getloadavg()[0], list[tuple[object, ...]]()
    for kind in asked.kinds:
        for size in asked.sizes or SIZES[kind]:
            for side in SIDES:
                command = [sys.executable, "-m", "benchmarks.loop.pool_speed", "--one", kind, str(size), side]
                variables = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
                done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=True)
                found = json.loads(done.stdout)
                row = (kind, f"{size:,}", side, f"{found['cpu']:.1f}", f"{found['mb']:.0f}", f"{found['rows']:,}")
                rows.append((*row, f"{found['purity']:.2f}"))
                print(*rows[-1], f"{found['seconds']:.1f} s by the clock", sep=" · ", file=sys.stderr, flush=True)
    page = PAGE.format(
        cores=len(os.sched_getaffinity(0)), python=platform.python_version(), before=before,
        after=os.getloadavg()[0], explore=EXPLORE, table=table(HEAD, rows),
    )  # fmt: skip
    if not asked.sizes and asked.kinds == list(SIZES):
        RESULTS.write_text(page)
    print(page)


if __name__ == "__main__":
    main()
