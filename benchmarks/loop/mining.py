"""Rows of a pool for a planted slice: how pure they are, what they bring, and what as many rows by chance bring.

    OMP_NUM_THREADS=1 python -m benchmarks.loop.mining [--first 50] [--settings 8]    # writes results/loop_mining.md

Worlds are those of `benchmarks/diagnose/world.py`, seen by pixels alone. Findings are made on explore rows as a night
makes them; each planted condition is held against the finding that covers it best. The pool has 6,000 fresh pictures,
6% under each planted condition and as many under each benign one. Gain: error on fresh pictures of the condition
before, less after 200 rows of the pool joined the 6,000 of the base, mean of two trainings.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from autodc.adapters.finders.registry import USUAL
from autodc.diagnose.diagnosis import diagnose
from autodc.propose.pool import Seen, Wish, choose
from benchmarks.diagnose.world import Network, Pictures, Setting, setting

ROWS, POOL, SHARE = 200, 6000, 0.06
PAGE = Path(__file__).resolve().parents[1] / "results" / "loop_mining.md"
Array = np.ndarray[Any, Any]


def error_with(world: Setting, pool: Pictures, rows: Array, condition: str) -> float:
    """Error on fresh rows of a condition of a network that learns the base and these rows of a pool."""
    fresh = world.draw(1500, {condition: 1.0}, seed=9)
    x, y = np.concatenate([world.base.x, pool.x[rows]]), np.concatenate([world.base.y, pool.y[rows]])
    parts = {name: np.zeros(len(y)) for name in ("condition", "strength", "source", "hour", "device")}
    found = [Network(Pictures(x=x, y=y, **parts), 100 + seed).probabilities(fresh.x).argmax(1) for seed in range(2)]
    return float(np.mean([(one != fresh.y).mean() for one in found]))


def look(number: int) -> list[dict[str, Any]]:
    """Each planted condition of a setting."""
    world = setting(number)
    view = world.view("pixels")
    half = np.arange(len(view)) % 5 < 2  # as data.explore_share has it
    some = view.take(np.flatnonzero(half))
    findings = diagnose(some, USUAL, k=10, seed=number).findings
    pool = world.draw(POOL, dict.fromkeys((*world.planted, *world.benign), SHARE), seed=4)
    seen = Seen(
        ids=some.ids,
        failed=some.failed,
        target=some.labels if some.labels is not None else np.zeros(len(some)),
        attributes=some.attributes,
        embeddings=some.embeddings,
        pool_attributes=world.attributes(pool, "pixels"),
        pool_embeddings=world.model.embeddings(pool.x),
        content=np.arange(len(pool)),
        barred=np.zeros(len(pool), dtype=bool),
    )
    chance = np.random.default_rng(number).choice(len(pool), ROWS, replace=False)
    told = []
    for condition, mask in world.truth.items():
        planted = set(np.flatnonzero(mask & half).tolist())
        fits = [2 * len(planted & set(one.ids)) / (len(planted) + len(one.ids)) for one in findings]
        if not fits or max(fits) == 0:
            told.append({"setting": number, "planted": condition, "found": False})
            continue
        one = findings[int(np.argmax(fits))]
        wish = Wish(
            name="mined", why="", finding="F1", code=one.code, rule=one.rule, ids=np.array(one.ids), told=one.told
        )
        rows = choose(seen, wish, ROWS, number).rows
        before = error_with(world, pool, rows[:0], condition)
        told.append(
            {
                "setting": number,
                "planted": condition,
                "found": True,
                "status": one.status,
                "rule": one.rule[:60],
                "fit": round(max(fits), 2),
                "rows": len(rows),
                "purity": round(float((pool.condition[rows] == condition).mean()), 3),
                "before": round(before, 3),
                "mined": round(before - error_with(world, pool, rows, condition), 3),
                "random": round(before - error_with(world, pool, chance, condition), 3),
            }
        )
    return told


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--first", type=int, default=50)
    parser.add_argument("--settings", type=int, default=8)
    told = parser.parse_args()
    rows = []
    for number in range(told.first, told.first + told.settings):
        for row in look(number):
            print(json.dumps(row), flush=True)
            rows.append(row)
    found = [row for row in rows if row["found"]]
    mean = {key: float(np.mean([row[key] for row in found])) for key in ("purity", "mined", "random")}
    lines = [
        "# Rows of a pool for a planted slice",
        "",
        f"    OMP_NUM_THREADS=1 python -m benchmarks.loop.mining --first {told.first} --settings {told.settings}",
        "",
        f"{len(found)} of {len(rows)} planted conditions have a finding. Of these: purity {mean['purity']:.2f} "
        f"(target .9), gain {mean['mined']:.3f} (target .15), by chance {mean['random']:.3f} "
        f"({mean['mined'] / max(mean['random'], 1e-9):.1f} times, target 2).",
        "",
        "| setting | planted | finding | fit (F1) | rows | purity | error before | gain, mined | gain, by chance |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {r['setting']} | {r['planted']} | {r['status']}: {r['rule'] or 'a cluster'} | {r['fit']} | {r['rows']} "
            f"| {r['purity']} | {r['before']} | {r['mined']} | {r['random']} |"
            for r in found
        ),
        "",
    ]
    PAGE.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
