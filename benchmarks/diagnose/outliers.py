"""Tails of feature space against nearest neighbours and confidence: what each tells of rows of another kind.

    OMP_NUM_THREADS=1 python -m benchmarks.diagnose.outliers    # writes benchmarks/results/diagnose_outliers.md

A network learns plain pictures; its hidden layer is the embedding. Asked are rows of the same kind, under a condition
never seen, of classes never seen, digits among clothes, and quarters of pictures put together.
"""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.neural_network import MLPClassifier

from autodc.diagnose.outliers import Tails, boundary, edge_cases, tails
from benchmarks.clothes import clothes
from benchmarks.diagnose.rows import digits
from benchmarks.tables import table
from benchmarks.worlds.conditions import CONDITIONS, photograph, pieces

Array = np.ndarray[Any, Any]

PAGE = Path(__file__).resolve().parents[1] / "results" / "diagnose_outliers.md"
SEEDS, HIDDEN, TOP = 5, 64, 200
SCORES = ("tails", "virtual outliers", "nearest neighbour", "confidence")


def hidden(model: MLPClassifier, x: Array) -> Array:
    return np.asarray(np.maximum(x @ model.coefs_[0] + model.intercepts_[0], 0.0))


def world(name: str, seed: int) -> dict[str, list[float]]:
    rng = np.random.default_rng([seed, *name.encode()])
    (images, labels), (strange, _) = (clothes(), digits()) if name == "Fashion-MNIST" else (digits(), clothes())
    unseen = rng.choice(10, 2, replace=False)
    order = rng.permutation(len(labels))
    known, other = order[~np.isin(labels[order], unseen)], order[np.isin(labels[order], unseen)]
    cut, size = (4000, 2000) if name == "Fashion-MNIST" else (850, 200)
    train, held, pool = known[:cut], known[cut : cut + size], known[cut + size : cut + 2 * size]
    x = photograph(images[train], "plain", rng)
    model = MLPClassifier((HIDDEN,), learning_rate_init=3e-3, max_iter=40, random_state=seed).fit(x, labels[train])
    side = images.shape[1]
    odd = rng.choice(len(strange), 300)
    asked = {
        **{kind: photograph(images[held], kind, rng) for kind in CONDITIONS},
        "classes never seen": photograph(images[other[:500]], "plain", rng),
        "pictures of another kind": photograph(fitted_to(strange[odd], side), "plain", rng),
        "quarters of pictures": photograph(pieces(images[train], 300, rng), "plain", rng),
    }
    plain = photograph(images[held], "plain", rng)
    features = hidden(model, x)
    found = tails(features, labels[train], seed)
    assert isinstance(found, Tails)
    near, made = NearestNeighbors(n_neighbors=10).fit(features), boundary(found, features, seed)

    def scores(rows: Array) -> dict[str, Array]:
        own = hidden(model, rows)
        values = (
            found.distance(own),
            made.score(own),
            near.kneighbors(own)[0][:, -1],
            1 - model.predict_proba(rows).max(1),
        )
        return dict(zip(SCORES, values, strict=True))

    results: dict[str, list[float]] = {}
    usual = scores(plain)
    for kind, rows in asked.items():
        theirs, truth = scores(rows), np.repeat([0, 1], [len(plain), len(rows)])
        results[kind] = [float(roc_auc_score(truth, np.r_[usual[one], theirs[one]])) for one in SCORES]
    target = labels[held]
    mixed = np.concatenate([plain, *(asked[kind] for kind in CONDITIONS)])
    wrong = model.predict(mixed) != np.tile(target, 1 + len(CONDITIONS))
    every = scores(mixed)
    results["failures"] = [float(roc_auc_score(wrong, every[one])) for one in SCORES]
    results["share told of usual rows"] = [len(edge_cases(found, hidden(model, plain), 10**6).cases) / len(plain)]
    far = np.concatenate([plain, asked["quarters of pictures"]])
    cases = [one.row for one in edge_cases(found, hidden(model, far), 10**6).cases]
    results["false among told"] = [float(np.mean(np.array(cases) < len(plain))) if cases else 0.0]
    results["told of quarters"] = [float(np.sum(np.array(cases) >= len(plain))) / 300]
    results["pool"] = mined(model, found, images[pool], labels[pool], every, scores, rng)
    return results


def mined(model: Any, found: Tails, images: Array, y: Array, every: Any, scores: Any, rng: Any) -> list[float]:
    """Failures among the TOP of a pool of all conditions: by each score, nearest to made-up rows, and at random."""
    rows = np.concatenate([photograph(images, kind, rng) for kind in ("plain", *CONDITIONS)])
    wrong = model.predict(rows) != np.tile(y, 1 + len(CONDITIONS))
    best = [float(wrong[np.argsort(-values)[:TOP]].mean()) for values in scores(rows).values()]
    made, _ = found.synthesise(TOP, 0)
    nearest = NearestNeighbors(n_neighbors=1).fit(hidden(model, rows)).kneighbors(made)[1][:, 0]
    return [*best, float(wrong[np.unique(nearest)].mean()), float(wrong.mean())]


def fitted_to(images: Array, side: int) -> Array:
    """Cut or padded to another size."""
    own = images.shape[1]
    if own >= side:
        start = (own - side) // 2
        return images[:, start : start + side, start : start + side]
    before = (side - own) // 2
    return np.pad(images, ((0, 0), (before, side - own - before), (before, side - own - before)))


def main() -> None:
    start = time.perf_counter()
    pages = [
        "# Tails of feature space",
        "`OMP_NUM_THREADS=1 python -m benchmarks.diagnose.outliers`: a network of one hidden layer learns plain "
        f"pictures of eight classes; {SEEDS} seeds. AUROC of new plain pictures against others, by the distance to the "
        "nearest class (*tails*), by a classifier that learned made-up rows of the tails against usual ones (*virtual "
        "outliers*, as Du et al. do), by the distance to the tenth nearest training row, and by one minus the "
        "confidence. *failures*: wrong against right answers over plain pictures and all conditions together.",
    ]
    for name in ("Fashion-MNIST", "digits"):
        found: dict[str, list[list[float]]] = defaultdict(list)
        for seed in range(SEEDS):
            for kind, values in world(name, seed).items():
                found[kind].append(values)
        mean = {kind: np.mean(values, axis=0) for kind, values in found.items()}
        lines = [(kind, *(f"{v:.2f}" for v in values)) for kind, values in mean.items() if len(values) == len(SCORES)]
        pages += [f"## {name}", table(("against plain pictures", *SCORES), lines)]
        pool = mean["pool"]
        head = ("the first 200 of a pool, by", *SCORES, "nearest to made-up rows", "at random")
        pages += [table(head, [("share of failures", *(f"{v:.2f}" for v in pool))])]
        one = {
            kind: float(mean[kind][0]) for kind in ("share told of usual rows", "false among told", "told of quarters")
        }
        pages += [
            f"Edge cases (.10 of those told may be false): of plain pictures {one['share told of usual rows']:.3f} "
            f"are told; with 300 quarters put together {one['told of quarters']:.2f} of these are told, and "
            f"{one['false among told']:.2f} of all told are plain pictures."
        ]
    pages += [f"One core of a shared machine, {time.perf_counter() - start:.0f} s."]
    PAGE.write_text("\n\n".join(pages) + "\n")
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
