"""What a diagnosis looks at beside findings and labels of classes: wrong numbers, annotators, edge cases of studies.

    OMP_NUM_THREADS=1 python -m benchmarks.diagnose.beside    # writes benchmarks/results/diagnose_beside.md

Rows are real; numbers are planted wrong as each line says, and annotators are models of a few other rows each.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import autodc
from autodc.adapters.enrichers import embeddings_of
from autodc.diagnose.annotators import several_annotators
from autodc.diagnose.cross_validation import cross_validated
from autodc.diagnose.wrong_numbers import wrong_numbers
from autodc.wire.edges import edges_in
from autodc.wire.explored import explored, known_of
from autodc.wire.inputs import read_inputs
from benchmarks.clothes import clothes
from benchmarks.diagnose.rows import census, coordinates, digits
from benchmarks.tables import table

Array = np.ndarray[Any, Any]

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "benchmarks/results/diagnose_beside.md"
STUDIES = ("digits", "fashion", "census", "tabular", "reviews")
SEEDS, SHARE, MOST = 5, 0.03, 1500
KINDS = ("nothing", "ten times", "a tenth", "another row's", "digits exchanged")


def numbers() -> Iterator[tuple[str, Array, Array]]:
    """Name, coordinates, target."""
    x, y = load_diabetes(return_X_y=True)
    yield "diabetes", np.asarray(x), np.asarray(y, dtype=float)
    people = census()
    for name in ("age", "weeks"):
        rows = people.dropna(subset=[name]).sample(MOST, random_state=0)
        yield f"census, {name}", coordinates(rows.drop(columns=name)), rows[name].to_numpy(float)
    images, _ = clothes()
    some, half = images[:MOST].astype(float) / images.max() * 255, images.shape[1] // 2
    yield (
        "Fashion-MNIST, mean of the lower half",
        some[:, :half].reshape(len(some), -1),
        some[:, half:].mean(axis=(1, 2)),
    )


def planted(kind: str, y: Array, rng: np.random.Generator) -> Array:
    found, rows = y.copy(), rng.choice(len(y), int(SHARE * len(y)), replace=False)
    if kind == "ten times":
        found[rows] *= 10
    elif kind == "a tenth":
        found[rows] /= 10
    elif kind == "another row's":
        found[rows] = rng.permutation(y)[rows]
    elif kind == "digits exchanged":
        found[rows] = [float(str(int(abs(v)))[::-1]) for v in y[rows]]
    return found


def wrong(name: str, x: Array, y: Array) -> Iterator[tuple[object, ...]]:
    for kind in KINDS:
        results = []
        for seed in range(SEEDS):
            labels = planted(kind, y, np.random.default_rng([seed, *kind.encode()]))
            truth = np.abs(labels - y) > 1e-9
            found = [one.row for one in wrong_numbers(labels, cross_validated(x, labels, None, seed)).suspects]
            right = float(truth[found].mean()) if found else np.nan
            results.append((float(bool(found)), len(found), right, truth[found].sum() / max(1, truth.sum())))
        told, count, right, share = np.nanmean(np.array(results, dtype=float), axis=0)
        found_of = "–" if kind == "nothing" else f"{share:.2f}"
        yield name, kind, f"{told:.2f}", f"{count:.1f}", said(right), found_of


def said(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "–"


def people(name: str, x: Array, y: Array) -> tuple[object, ...]:
    """Five annotators of falling skill, each labels six rows in ten."""
    results = []
    for seed in range(SEEDS):
        rng = np.random.default_rng([seed, 5])
        order = rng.permutation(len(y))
        rows, other = order[:800], order[800:]
        skills = (400, 150, 60, 30, 15)
        votes: dict[str, Array] = {}
        for known in skills:
            some = rng.choice(other, known, replace=False)
            labels = KNeighborsClassifier(1).fit(x[some], y[some]).predict(x[rows]).astype(object)
            labels[rng.random(len(rows)) < 0.4] = None
            votes[f"{known}"] = labels
        frame = pd.DataFrame(votes)
        classes = range(int(y.max()) + 1)
        majority = np.array([_majority(row) for row in frame.to_numpy()])
        shares = np.zeros((len(rows), len(classes)))
        shares[:, np.unique(majority)] = cross_validated(x[rows], majority, None, seed)
        found = several_annotators(frame, shares, classes)
        settled = np.array([-1 if one is None else one for one in found.consensus])
        known_rows = settled >= 0
        order_found = [one.name for one in found.annotators]
        right_order = np.mean(
            [order_found.index(str(a)) < order_found.index(str(b)) for a, b in zip(skills[1:], skills, strict=False)]
        )
        disputed = np.isin(np.arange(len(rows)), found.disputed)
        wrong_rows = settled != y[rows]
        results.append(
            (
                (majority == y[rows])[known_rows].mean(),
                (~wrong_rows)[known_rows].mean(),
                right_order,
                disputed.mean(),
                wrong_rows[disputed].mean() if disputed.any() else np.nan,
                wrong_rows[known_rows & ~disputed].mean(),
            )
        )
    return name, *(f"{v:.2f}" for v in np.nanmean(np.array(results), axis=0))


def _majority(row: Array) -> int:
    known = [int(one) for one in row if one is not None]
    return int(np.bincount(known).argmax()) if known else 0


def edges(name: str) -> tuple[object, ...]:
    inputs = read_inputs(autodc.load(ROOT / f"configs/{name}/study.yaml"))
    base, held = inputs.catalogue.base, inputs.catalogue.validation
    (known,) = embeddings_of(base.x, base.x, networks=False).values()
    (asked,) = embeddings_of(base.x, held.x, networks=False).values()
    model = LogisticRegression(max_iter=300).fit(known / known.std(), base.y)
    outputs = np.zeros((len(held), len(inputs.catalogue.classes or ())))
    outputs[:, model.classes_] = model.predict_proba(asked / known.std())
    rows = explored(inputs, {"validation": outputs}, known_of(inputs))
    start = time.perf_counter()
    found = edges_in(inputs, rows).to_dict()
    seconds = time.perf_counter() - start
    error = found["error"] or {"inside": np.nan, "outside": np.nan}
    return name, found["rows"], found["count"], said(error["inside"]), said(error["outside"]), f"{seconds:.1f}"


def main() -> None:
    start = time.perf_counter()
    head = ("rows", "planted in 3%", "told", "numbers named", "of these wrong", "of the wrong named")
    pages = [
        "# Beside findings",
        "`OMP_NUM_THREADS=1 python -m benchmarks.diagnose.beside`",
        "## Wrong numbers",
        f"A ridge over coordinates, cross-validated on the numbers as they stand, judges each; {SEEDS} seeds a line.",
        table(head, [line for one in numbers() for line in wrong(*one)]),
        "## Several annotators",
        f"Five annotators, models of 400 to 15 other rows, label six rows in ten of 800; {SEEDS} seeds. *in order*: "
        "share of neighbours in skill that are ranked right. *disputed*: share of rows; beside it how many of them, "
        "and of the others, are settled wrong.",
        table(
            (
                "rows",
                "majority right",
                "settled right",
                "in order",
                "disputed",
                "of these wrong",
                "of the others wrong",
            ),
            [
                people("digits", digits()[0].reshape(1797, -1), digits()[1]),
                people("Fashion-MNIST", clothes()[0][:4000].reshape(4000, -1), clothes()[1][:4000]),
            ],
        ),
        "## Edge cases of the studies",
        "Explore rows further out than rows of the base, and the error of a logistic regression of the base there and "
        "elsewhere.",
        table(
            ("study", "explore rows", "edge cases", "error there", "error elsewhere", "seconds"), map(edges, STUDIES)
        ),
        f"One core of a shared machine, {time.perf_counter() - start:.0f} s.",
    ]
    PAGE.write_text("\n\n".join(pages) + "\n")
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
