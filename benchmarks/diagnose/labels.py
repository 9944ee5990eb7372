"""Wrong labels that are planted: which are found, and whether the pair of classes and the dataset are named.

    OMP_NUM_THREADS=1 python -m benchmarks.diagnose.labels    # writes benchmarks/results/diagnose_labels.md

Rows are real; labels are planted wrong as each setting says. Training rows are judged by a simple model over pixels or
columns, cross-validated on the labels as they stand; validation rows by a model that learned from other rows.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from autodc.diagnose.class_pairs import ClassPair
from autodc.diagnose.conventions import label_conventions
from autodc.diagnose.cross_validation import cross_validated
from autodc.diagnose.labels import Labels, wrong_labels
from autodc.diagnose.matching_rows import Labelled
from benchmarks.clothes import clothes
from benchmarks.diagnose.rows import census, coordinates, digits, reviews
from benchmarks.tables import table

Array = np.ndarray[Any, Any]

PAGE = Path(__file__).resolve().parents[1] / "results" / "diagnose_labels.md"
SEEDS, ROWS = 10, 2000
KINDS = ("nothing", "pair 10%", "pair 25%", "by chance 10%", "one dataset 30%")


@cache
def supply() -> dict[str, tuple[Array, Array]]:
    (images, kinds), (scans, numbers) = clothes(), digits()
    people = census()
    return {
        "Fashion-MNIST": (images.reshape(len(images), -1)[:20_000], kinds[:20_000]),
        "digits": (scans.reshape(len(scans), -1), numbers),
        "census": (coordinates(people), (people.income == "over").to_numpy(int)),
        "reviews": reviews(),
    }


def planted(kind: str, y: Array, parts: Array, rng: np.random.Generator) -> tuple[Array, tuple[int, int]]:
    """Labels with some of them wrong, and the pair (as it stands, as it should be)."""
    classes = int(y.max()) + 1
    right, wrong = (int(one) for one in rng.choice(classes, 2, replace=False))
    labels = y.copy()
    if kind.startswith("pair"):
        rows = rng.permutation(np.flatnonzero(y == right))
        labels[rows[: len(rows) * int(kind.split()[1][:-1]) // 100]] = wrong
    elif kind != "nothing":
        among = np.flatnonzero(parts == "third") if kind.startswith("one") else np.arange(len(y))
        rows = rng.choice(among, len(among) * int(kind.split()[2][:-1]) // 100, replace=False)
        labels[rows] = (y[rows] + rng.integers(1, classes, len(rows))) % classes
    return labels, (wrong, right)


def told(found: Labels, wrong: Array, pair: tuple[int, int], shares: Array, labels: Array) -> dict[str, float]:
    every = np.array([one.row for one in found.suspects], int)
    sure = np.array([one.row for one in found.suspects if one.sure], int)
    count = int(wrong.sum())
    order = np.argsort(shares[np.arange(len(labels)), labels], kind="stable")
    first = found.pairs[0] if found.pairs else None
    of = {one.name: one for one in found.datasets}
    return {
        "found": float(found.status == "found"),
        "suspects": len(every),
        "precision": float(wrong[every].mean()) if count and len(every) else np.nan,
        "recall": float(wrong[every].sum() / count) if count else np.nan,
        "sure": len(sure),
        "sure precision": float(wrong[sure].mean()) if count and len(sure) else np.nan,
        "sure recall": float(wrong[sure].sum() / count) if count else np.nan,
        "top": float(wrong[every[:count]].sum() / count) if count else np.nan,
        "confidence": float(wrong[order[:count]].mean()) if count else np.nan,
        "unfit": float(found.status == "not_applicable"),
        "pair": float(is_pair(first, pair)),
        "count": float(is_pair(max(found.pairs, key=lambda one: one.rows, default=None), pair)),
        "dataset": float(bool(found.datasets) and found.datasets[0].name == "third" and of["third"].is_told),
        "others": float(any(one.is_told for name, one in of.items() if name != "third")),
    }


def is_pair(one: ClassPair | None, pair: tuple[int, int]) -> bool:
    return one is not None and (one.given, one.likely) == pair


def campaign(
    judge: Callable[[Array, Array, tuple[Array, Array], int], Array], learned: bool
) -> dict[tuple[str, str], list[dict[str, float]]]:
    results = defaultdict(list)
    for name, (x, y) in supply().items():
        for kind in KINDS:
            for seed in range(SEEDS):
                rng = np.random.default_rng([seed, *name.encode(), *kind.encode()])
                order = rng.permutation(len(y))
                rows, other = order[:ROWS], order[ROWS : 2 * ROWS]
                if len(other) < 500:
                    rows, other = order[: len(order) * 2 // 3], order[len(order) * 2 // 3 :]
                parts = np.array(["first", "second", "third"])[np.arange(len(rows)) % 3]
                labels, pair = planted(kind, y[rows], parts, rng)
                shares = judge(x[rows], labels, (x[other], y[other]), seed)
                found = wrong_labels(labels, shares, range(int(y.max()) + 1), datasets=parts, learned=learned)
                results[name, kind].append(told(found, labels != y[rows], pair, shares, labels))
    return results


def by_other_rows(x: Array, labels: Array, other: tuple[Array, Array], seed: int) -> Array:
    """What a model says that learned from other rows, labelled right: as of validation."""
    model = LogisticRegression(C=0.1, max_iter=300).fit(*other)
    return np.asarray(model.predict_proba(x))


def share(rows: list[dict[str, float]], key: str) -> str:
    values = np.array([one[key] for one in rows])
    values = values[np.isfinite(values)]
    return f"{values.mean():.2f}" if len(values) else "–"


def labels_table(results: dict[tuple[str, str], list[dict[str, float]]]) -> str:
    head: tuple[str, ...] = (
        "rows",
        "planted",
        "not applicable",
        "told",
        "suspects",
        "precision",
        "recall",
        "sure",
        "precision of the sure",
    )
    head += (
        "recall of the sure",
        "found among the first k",
        "by confidence alone",
        "its pair first",
        "by count",
        "its dataset told",
    )
    lines: list[tuple[str, ...]] = []
    for (name, kind), rows in results.items():
        pair = share(rows, "pair") if kind.startswith("pair") else "–"
        dataset = share(rows, "dataset") if kind.startswith("one") else f"another {share(rows, 'others')}"
        count = share(rows, "count") if kind.startswith("pair") else "–"
        keys = (
            "unfit",
            "found",
            "suspects",
            "precision",
            "recall",
            "sure",
            "sure precision",
            "sure recall",
            "top",
            "confidence",
        )
        lines.append((name, kind, *(share(rows, key) for key in keys), pair, count, dataset))
    return table(head, lines)


def conventions() -> str:
    """Two datasets of 1,200 rows each; the second renames, swaps, merges, or is careless."""
    lines = []
    for name, (x, y) in supply().items():
        counts: dict[str, list[float]] = defaultdict(list)
        for seed in range(2 * SEEDS):
            rng = np.random.default_rng([seed, 7, *name.encode()])
            order = rng.permutation(len(y))[:2400]
            half = len(order) // 2
            a, b = order[:half], order[half:]
            one, two = (int(k) for k in rng.choice(int(y.max()) + 1, 2, replace=False))
            swapped = np.where(y[b] == one, two, np.where(y[b] == two, one, y[b]))
            labels = {
                "nothing": y[b],
                "swapped": swapped,
                "merged": np.where(y[b] == one, two, y[b]),
                "careless": np.where(rng.random(len(b)) < 0.4, rng.permutation(y[b]), y[b]),
            }
            right = {"swapped": ("other", {one: two, two: one}), "merged": ("base", {one: two})}
            for kind, other in labels.items():
                base = Labelled(name="base", target=y[a], embedding=x[a])
                found = label_conventions([base, Labelled(name="other", target=other, embedding=x[b])]).found
                counts[f"{kind}: told"].append(bool(found))
                counts[f"{kind}: a map"].append(any(len(c.labels) > 0 for c in found))
                if kind in right:
                    maps = [(c.of, dict(c.labels)) for c in found]
                    counts[f"{kind}: right map"].append(right[kind] in maps)
        lines.append((name, *(f"{np.mean(values):.2f}" for values in counts.values())))
        head = ("rows", *counts)
    return table(head, lines)


def main() -> None:
    start = time.perf_counter()
    crossed = campaign(lambda x, labels, _, seed: cross_validated(x, labels, None, seed), learned=True)
    held = campaign(by_other_rows, learned=False)
    pages = [
        "# Wrong labels",
        "`OMP_NUM_THREADS=1 python -m benchmarks.diagnose.labels`: real rows, some labels planted wrong, "
        f"{SEEDS} seeds a line, {ROWS:,} rows or what there is. *told*: how often the finding ADC-D010 was made. "
        "*suspects*: what confident learning (cleanlab) would look at again. *sure*: those that overlap of classes "
        "does not explain. *first k*: as many suspects as labels are wrong, in our order; beside it the k rows of "
        "least confidence in the label. *its pair first*: the planted pair heads the list; beside it how often it has "
        "the most suspects, the sure ones not told apart (cleanlab's count). Where the model agrees with the labels "
        "too little (Cohen's kappa below .35) nothing is told: *not applicable*.",
        "## Training rows, cross-validated on the labels as they stand",
        labels_table(crossed),
        "## Validation rows, by a model of other rows",
        labels_table(held),
        "## Conventions",
        f"Two datasets, {2 * SEEDS} seeds a line; the second swaps two classes, calls one class another (then the map "
        "is for the first), or has four in ten labels by chance. Pixels, columns or 50 text coordinates as they are.",
        conventions(),
        f"One core of a shared machine, {time.perf_counter() - start:.0f} s.",
    ]
    PAGE.write_text("\n\n".join(pages) + "\n")
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
