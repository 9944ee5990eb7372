"""Rows of a pool for a planted slice: how pure they are, what they bring, and what as many rows by chance bring.

    OMP_NUM_THREADS=1 python -m benchmarks.loop.mining [--first 60] [--settings 6]    # writes results/loop_mining.md

A setting that is in results/loop_mining_raw.jsonl is not run again; `--fresh` forgets it. Settings 30 to 39 are for
development, 50 to 55 were looked at while the first way was measured, those from 60 on are for the page alone.

Worlds are those of `benchmarks/diagnose/world.py`, seen by pixels alone. Findings are made on explore rows as a night
makes them; each planted condition is held against the finding that covers it best. The pool has 6,000 fresh pictures,
6% under each planted condition and as many under each benign one. Gain: error on fresh pictures of the condition
before, less after 200 rows of the pool joined the 6,000 of the base, mean of two trainings. Purity: share of the rows
that are under the planted condition; `any`: under any that the base lacks, for a finding may mean two of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from autodc.adapters.finders.registry import USUAL
from autodc.diagnose.diagnosis import diagnose
from autodc.propose.pool import PoolView, Wish, choose
from benchmarks import lines
from benchmarks.diagnose.world import Network, Pictures, Setting, setting
from benchmarks.tables import table

ROWS, POOL, SHARE = 200, 6000, 0.06
RESULTS = Path(__file__).resolve().parents[1] / "results"
PAGE, RAW = RESULTS / "loop_mining.md", RESULTS / "loop_mining_raw.jsonl"
TOLD = ("fit", "matching", "rows", "beyond", "own", "purity", "any", "before", "mined", "random")
Array = np.ndarray[Any, Any]


def learned(world: Setting, pool: Pictures, rows: Array) -> list[Network]:
    """Networks that learnt the base and these rows of a pool."""
    x, y = np.concatenate([world.base.x, pool.x[rows]]), np.concatenate([world.base.y, pool.y[rows]])
    parts = {name: np.zeros(len(y)) for name in ("condition", "strength", "source", "hour", "device")}
    return [Network(Pictures(x=x, y=y, **parts), 100 + seed) for seed in range(2)]


def error_of(world: Setting, networks: list[Network], condition: str) -> float:
    """Error of networks on fresh rows of a condition."""
    fresh = world.draw(1500, {condition: 1.0}, seed=9)
    return float(np.mean([(one.probabilities(fresh.x).argmax(1) != fresh.y).mean() for one in networks]))


def look(number: int) -> list[dict[str, Any]]:
    """Each planted condition of a setting."""
    world = setting(number)
    view = world.view("pixels")
    half = np.arange(len(view)) % 5 < 2  # as data.explore_share has it
    some = view.take(np.flatnonzero(half))
    findings = diagnose(some, USUAL, k=10, seed=number).findings
    pool = world.draw(POOL, dict.fromkeys((*world.planted, *world.benign), SHARE), seed=4)
    seen = PoolView(
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
    chance = learned(world, pool, np.random.default_rng(number).choice(len(pool), ROWS, replace=False))
    base = learned(world, pool, np.zeros(0, dtype=int))
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
        failing = some.ids[np.isin(some.ids, one.ids) & some.failed]
        chosen = choose(seen, wish, ROWS, number)
        rows, before = chosen.rows, error_of(world, base, condition)
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
                "own": round(float((world.validation.condition[failing] == condition).mean()), 3),
                "any": round(float(np.isin(pool.condition[rows], world.planted).mean()), 3),
                "matching": chosen.matching,
                "beyond": chosen.beyond,
                "before": round(before, 3),
                "mined": round(before - error_of(world, learned(world, pool, rows), condition), 3),
                "random": round(before - error_of(world, chance, condition), 3),
            }
        )
    return told


def main() -> None:
    """Measure what is not there yet and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--first", type=int, default=60)
    parser.add_argument("--settings", type=int, default=6)
    parser.add_argument("--fresh", action="store_true", help="forget what was measured before")
    told = parser.parse_args()
    if told.fresh:
        RAW.unlink(missing_ok=True)
    wanted = range(told.first, told.first + told.settings)
    for number in wanted:
        if number in {row["setting"] for row in lines.read(RAW)}:
            continue
        lines.add(RAW, look(number))
    PAGE.write_text(page(sorted(lines.read(RAW), key=lambda row: row["setting"])), encoding="utf-8")


def page(rows: list[dict[str, Any]]) -> str:
    """The results as they stand in benchmarks/results/loop_mining.md."""
    found = [row for row in rows if row["found"]]
    mean = {key: float(np.mean([row[key] for row in found])) for key in ("own", "purity", "any", "mined", "random")}
    numbers = sorted({row["setting"] for row in rows})
    head = ("setting", "planted", "finding", "fit (F1)", "rule matches", "rows", "of these beyond it")
    told = [
        "# Rows of a pool for a planted slice",
        "",
        f"    OMP_NUM_THREADS=1 python -m benchmarks.loop.mining --first {numbers[0]} --settings {len(numbers)}",
        "",
        f"{len(found)} of {len(rows)} planted conditions have a finding. Of these: purity {mean['purity']:.2f} "
        f"(target .9), of any planted condition {mean['any']:.2f}; gain {mean['mined']:.3f} (target .15), by chance "
        f"{mean['random']:.3f} ({mean['mined'] / max(mean['random'], 1e-9):.1f} times, target 2). Of the failing rows "
        f"that a finding was made of, {mean['own']:.2f} are under the condition that it is held against: where these "
        "are few, it means two conditions at once, and so do the rows that are mined for it.",
        "",
        table(
            (*head, "of its failures", "purity", "any planted", "error before", "gain, mined", "gain, by chance"),
            (
                (r["setting"], r["planted"], f"{r['status']}: {r['rule'] or 'a cluster'}", *(r[key] for key in TOLD))
                for r in found
            ),
        ),
        "",
    ]
    return "\n".join(told)


if __name__ == "__main__":
    main()
