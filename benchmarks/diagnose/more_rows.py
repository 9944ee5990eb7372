"""What more rows of a dataset would do, out of trainings of a search in which all weights and settings move at once.

    OMP_NUM_THREADS=1 python -m benchmarks.diagnose.more_rows    # writes benchmarks/results/diagnose_more_rows.md

A base of plain digits, three candidates (rows of the condition that is asked about, of another one, plain ones), and
trainings that draw the share of each and the penalty by chance, as a search does; beside them three of the start and
three of the plan with everything, as pairs of the gate. Asked for: the error of the condition
with twice the rows of its candidate, all else as in that plan. The truth is the mean of three
trainings on rows that no other training had.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from autodc.diagnose.more_rows import more_rows
from autodc.diagnose.sizes import Training
from benchmarks.diagnose.rows import digits
from benchmarks.tables import table
from benchmarks.worlds.conditions import CONDITIONS, photograph

Array = np.ndarray[Any, Any]

PAGE = Path(__file__).resolve().parents[1] / "results" / "diagnose_more_rows.md"
BASE, SIZES = 250, {"own": 120, "other": 120, "plain": 120}
COUNTS, PAIRS, REPEATS = (12, 24, 48), 3, 3


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """Trainings of one condition, and the truth."""

    known: list[Training]
    """Of the start and of the plan that is asked about, as pairs of the gate have them."""
    searched: list[Training]
    now: float
    twice: float
    noise: float
    """now, twice, noise: errors with its rows, with twice as many, and the standard error of that."""


AT = Training(rows={n: float(s) for n, s in SIZES.items()}, error=0.0, settings={"C": 1.0})


def campaign(kind: str, other: str) -> Campaign:
    images, labels = digits()
    rng = np.random.default_rng([*kind.encode()])
    order = rng.permutation(len(labels))
    cuts = np.cumsum([BASE, 2 * SIZES["own"] * 2, SIZES["other"], SIZES["plain"]])
    rows = dict(zip(("base", "own", "other", "plain", "held"), np.split(order, cuts), strict=True))
    kinds = {"base": "plain", "own": kind, "other": other, "plain": "plain", "held": kind}
    x = {n: photograph(images[r], kinds[n], rng).reshape(len(r), -1) for n, r in rows.items()}
    y = {n: labels[r] for n, r in rows.items()}

    def trained(parts: dict[str, Array], penalty: float) -> float:
        some = np.concatenate([x["base"], *(x[n][r] for n, r in parts.items())])
        truth = np.concatenate([y["base"], *(y[n][r] for n, r in parts.items())])
        model = LogisticRegression(C=penalty, max_iter=100).fit(some, truth)
        return float(np.mean(model.predict(x["held"]) != y["held"]))

    def drawn(shares: dict[str, float]) -> dict[str, Array]:
        return {n: rng.permutation(SIZES[n])[: round(s * SIZES[n])] for n, s in shares.items()}

    def seen(shares: dict[str, float], penalty: float) -> Training:
        parts = drawn(shares)
        rows = {n: float(len(r)) for n, r in parts.items()}
        return Training(rows=rows, error=trained(parts, penalty), settings={"C": penalty})

    trainings = []
    for _ in range(max(COUNTS)):
        shares = {n: float(min(1.0, 2 * rng.uniform(0.25, 1) ** 2)) * (rng.random() < 0.6) for n in SIZES}
        trainings.append(seen(shares, float(10 ** rng.uniform(-2, 1))))
    known = [seen(dict.fromkeys(SIZES, share), 1.0) for share in (0.0, 1.0) for _ in range(PAIRS)]
    whole = drawn(dict.fromkeys(SIZES, 1.0))
    fresh = range(2 * SIZES["own"], len(y["own"]))
    now = np.mean([trained({**whole, "own": rng.choice(fresh, SIZES["own"], False)}, 1.0) for _ in range(REPEATS)])
    twice = [trained({**whole, "own": rng.permutation(fresh)[: 2 * SIZES["own"]]}, 1.0) for _ in range(REPEATS)]
    spread = float(np.std(twice, ddof=1) / np.sqrt(REPEATS))
    return Campaign(known=known, searched=trainings, now=float(now), twice=float(np.mean(twice)), noise=spread)


def judged(one: Campaign) -> list[dict[str, float]]:
    found = []
    for count in COUNTS:
        told = more_rows([*one.known, *one.searched[:count]], AT, AT.rows)
        own = next(m for m in told if m.dataset == "own")
        found.append(
            {
                "count": count,
                "ours": abs(own.after.mid - one.twice),
                "no change": abs(one.now - one.twice),
                "covered": float(own.after.low - one.noise <= one.twice <= own.after.high + one.noise),
                "width": own.after.high - own.after.low,
                "first": float(told[0].dataset == "own"),
                "gain": one.now - one.twice,
                "told": own.gain.mid,
            }
        )
    return found


def main() -> None:
    start = time.perf_counter()
    names = list(CONDITIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seen = [one for k, kind in enumerate(names) for one in judged(campaign(kind, names[k - 1]))]
    keys = ("ours", "no change", "covered", "width", "first", "gain", "told")
    lines = []
    for count in COUNTS:
        some = [one for one in seen if one["count"] == count]
        lines.append((count, len(some), *(f"{np.mean([one[key] for one in some]):.3f}" for key in keys)))
    head = (
        "trainings",
        "conditions",
        "mean error of the prediction",
        "taking the error of now",
        "covered (90%)",
        "width",
        "told first of three",
        "true gain",
        "gain told",
    )
    said = [" ".join(one.split()) for one in (__doc__ or "").split("\n\n")]
    pages = [
        "# What more rows would do, from the trainings of a search",
        f"`{said[1].split('  ')[0].split(' #')[0]}`",
        said[2],
    ]
    pages += [table(head, lines), f"One core of a shared machine, {time.perf_counter() - start:.0f} s."]
    PAGE.write_text("\n\n".join(pages) + "\n")
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
