"""Labels of whole studies as `autodc diagnose` judges them: what was planted in their candidates, and in validation.

    OMP_NUM_THREADS=1 python -m benchmarks.diagnose.labels_of_studies    # writes the page of that name

Their base lacks kinds of rows that candidates and validation have, so that hard rows and wrong labels meet.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import autodc
from autodc.adapters.enrichers import embeddings_of
from autodc.diagnose.cross_validation import cross_validated
from autodc.diagnose.labels import wrong_labels
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.labels import Rows, conventions_of, training_rows, wrong_in
from benchmarks.diagnose.labels import share
from benchmarks.tables import table

Array = np.ndarray[Any, Any]

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "benchmarks/results/diagnose_labels_of_studies.md"
STUDIES = ("digits", "fashion", "census", "tabular", "reviews")
KINDS = ("nothing", "pair 25%", "by chance 20%")
SEEDS = 5


def training(name: str, inputs: Inputs) -> tuple[str, ...]:
    """One line: what is told of base and candidates, each by its own rows, and what pooling them would tell."""
    start = time.perf_counter()
    rows = training_rows(inputs)
    seen, differing = wrong_in(inputs, rows), conventions_of(inputs, rows)
    seconds = time.perf_counter() - start
    truth = yaml.safe_load((ROOT / f"configs/{name}/truth.yaml").read_text())
    wrong = [*truth.get("mislabelled", ()), *truth.get("off_domain", ())]
    by_chance = [one for one in seen.judged if one.is_by_chance]
    others = [one.name for one in seen.judged if one.is_told and not one.is_by_chance]
    fair = [one.known.auc for one in seen.judged if one.known is not None and one.name not in wrong]
    return (
        name,
        f"{len(seen.rows)} of {seen.of}",
        said(wrong),
        said([f"{one.name} ({one.known.auc:.2f})" for one in by_chance if one.known]),
        f"{min(fair):.2f} to {max(fair):.2f}",
        said(others),
        said(sorted(pooled(inputs, rows, [*wrong, *truth.get("tradeoffs", ())]))),
        said([one.ours for one in differing.found]),
        f"{seconds:.1f}",
    )


def pooled(inputs: Inputs, rows: Rows, left_out: list[str]) -> list[str]:
    """The sound datasets that one model of the rows of all of them would say have more wrong labels than the others."""
    kept = [k for k, one in enumerate(rows.datasets) if one.name not in left_out]
    datasets = [rows.datasets[k] for k in kept]
    rows = replace(rows, datasets=tuple(datasets), units=tuple(rows.units[k] for k in kept))
    rows = replace(rows, embedding=Rows.of_datasets(datasets, [], 0).embedding)
    classes = tuple(inputs.catalogue.classes or ())
    codes = np.concatenate([np.asarray(one.y) for one in rows.datasets])
    names = np.concatenate([np.full(len(one), one.name, dtype=object) for one in rows.datasets])
    units = np.concatenate(rows.units)
    shares = np.zeros((len(codes), len(classes)))
    shares[:, np.unique(codes)] = cross_validated(np.concatenate(rows.embedding), codes, units, 0)
    found = wrong_labels(np.asarray(classes)[codes], shares, classes, datasets=names, groups=units, learned=True)
    return [str(one.name) for one in found.datasets if one.is_told]


def validation(inputs: Inputs) -> dict[tuple[str, str], list[dict[str, float]]]:
    """(planted, judge) → what was told of the explore rows, seed by seed."""
    catalogue, explore = inputs.catalogue, inputs.separation.explore
    data, base = catalogue.validation.take(explore, "validation"), catalogue.base
    classes = tuple(catalogue.classes or ())
    (known,) = embeddings_of(base.x, base.x, networks=False).values()
    (asked,) = embeddings_of(base.x, data.x, networks=False).values()
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(known, base.y)
    shares = np.zeros((len(data), len(classes)))
    shares[:, model[-1].classes_] = model.predict_proba(asked)
    results = defaultdict(list)
    for kind in KINDS:
        for seed in range(SEEDS if kind != "nothing" else 1):
            codes, wrong = planted(
                kind, np.asarray(data.y), len(classes), np.random.default_rng([seed, *kind.encode()])
            )
            rows = Rows.of_datasets([replace(data, y=codes, fingerprint="")], [explore], len(explore))
            labels, units = np.asarray(classes)[codes], rows.units[0]
            by_model = wrong_labels(labels, shares, classes, groups=units)
            says = dict(zip(explore.tolist(), np.asarray(classes)[shares.argmax(axis=1)].tolist(), strict=True))
            own = wrong_in(inputs, rows, says).judged[0].labels
            for judge, found in (("the model", by_model), ("rows like it", own)):
                sure = [one.row for one in found.suspects if one.sure]
                results[kind, judge].append(
                    {
                        "told": float(found.status == "found"),
                        "sure": len(sure),
                        "right": float(wrong[sure].mean()) if sure else np.nan,
                        "found": len(set(sure) & set(np.flatnonzero(wrong).tolist())) / max(1, wrong.sum()),
                    }
                )
    return results


def planted(kind: str, codes: Array, classes: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Labels, and which of them are wrong."""
    labels = codes.copy()
    if kind.startswith("pair"):
        right, wrong = rng.choice(classes, 2, replace=False)
        rows = rng.permutation(np.flatnonzero(codes == right))
        labels[rows[: len(rows) // 4]] = wrong
    elif kind != "nothing":
        rows = rng.choice(len(codes), len(codes) // 5, replace=False)
        labels[rows] = (labels[rows] + rng.integers(1, classes, len(rows))) % classes
    return labels, labels != codes


def said(names: list[str]) -> str:
    return ", ".join(names) or "–"


def main() -> None:
    first, second, start = [], [], time.perf_counter()
    for name in STUDIES:
        inputs = read_inputs(autodc.load(ROOT / f"configs/{name}/study.yaml"))
        first.append(training(name, inputs))
        for (kind, judge), rows in validation(inputs).items():
            second.append((name, kind, judge, *(share(rows, key) for key in ("told", "sure", "right", "found"))))
    head = ("study", "rows", "wrong, as planted", "told: labels by chance (AUC)", "AUC of the others")
    head += (
        "told: wrong otherwise",
        "sound, but told by one model of all sound rows",
        "told: another convention",
        "seconds",
    )
    words = {
        "intro": __doc__.split("\n\n")[2] if __doc__ else "",
        "training": "Each dataset is judged by a model of its own rows, as the verb does. Beside it: which sound "
        "datasets one model of the rows of all would accuse of more wrong labels than the "
        "others; they are merely harder.",
        "validation": "Judged by the model that is diagnosed, here a logistic regression of the base, and by a "
        f"model of the explore rows that has not seen the row, as the verb does. {SEEDS} seeds a line, of "
        "nothing planted one. "
        "*sure*: suspects that overlap does not explain; *right*: share of them that are wrong; *found*: share of the "
        "wrong labels that are among them.",
    }
    second_head = ("study", "planted", "judge", "told", "sure", "right", "found")
    PAGE.write_text(
        "# Labels of whole studies\n\n`OMP_NUM_THREADS=1 python -m benchmarks.diagnose.labels_of_studies`\n\n"
        f"{words['intro'].strip()}\n\n## Training rows\n\n{words['training']}\n\n{table(head, first)}\n\n"
        f"## Explore rows of validation\n\n{words['validation']}\n\n{table(second_head, second)}\n\n"
        f"One core of a shared machine, {time.perf_counter() - start:.0f} s.\n"
    )


if __name__ == "__main__":
    main()
