"""Edge cases, labels of several annotators and wrong numbers, of real rows, as `autodc diagnose` looks at them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.neighbors import KNeighborsClassifier

import autodc
from autodc.report.diagnosis import write_diagnosis
from autodc.report.findings import nothing
from autodc.review.edges import edge_words
from autodc.review.labels import label_words
from autodc.wire.checks import labels_seen
from autodc.wire.explored import explored, known_of
from autodc.wire.inputs import Inputs, read_inputs

IMAGES, Y = load_digits(return_X_y=True)
IMAGES = (IMAGES / 16).astype(np.float32).reshape(-1, 8, 8)
ORDER = np.random.default_rng(0).permutation(len(Y))
BASE, HELD, OTHER = ORDER[:700], ORDER[700:1300], ORDER[1300:]
UPSIDE_DOWN = 15
"""Of the first rows of validation dark and bright are exchanged."""


def written(folder: Path, kind: str, base: dict[str, Any], held: dict[str, Any], estimator: str) -> Inputs:
    np.savez(folder / "base.npz", **base)
    np.savez(folder / "validation.npz", **held)
    content = {
        "schema_version": 1,
        "name": "beside",
        "task": {"kind": kind, "trainer": "sklearn", "options": {"estimator": estimator}},
        "data": {"base": {"source": "base.npz"}, "validation": {"source": "validation.npz"}, "explore_share": 0.6},
        "metrics": {"primary": "accuracy" if kind == "classification" else "mae"},
        "slices": [{"name": "overall", "role": "target"}],
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(content))
    return read_inputs(autodc.load(folder / "study.yaml"))


def annotators() -> dict[str, np.ndarray]:
    """Three that know the digits from ten to two hundred other scans, and each labels most of the rows."""
    rng = np.random.default_rng(3)
    found = {}
    for name, known in (("annotator_good", 200), ("annotator_fair", 60), ("annotator_poor", 12)):
        model = KNeighborsClassifier(1).fit(IMAGES[OTHER[:known]].reshape(-1, 64), Y[OTHER[:known]])
        labels = np.array([f"d{k}" for k in model.predict(IMAGES[HELD].reshape(-1, 64))], dtype=object)
        labels[rng.random(len(labels)) < 0.2] = ""
        found[name] = labels.astype(str)
    return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, dict[str, Any]]:
    """Digits of which some are turned upside down in brightness, with three annotators; a constant model."""
    folder = tmp_path_factory.mktemp("digits")
    names = np.array([f"d{k}" for k in range(10)])
    x = IMAGES[HELD].copy()
    x[:UPSIDE_DOWN] = 1 - x[:UPSIDE_DOWN]
    base = {"x": IMAGES[BASE], "y": names[Y[BASE]], "number": BASE}
    inputs = written(
        folder,
        "classification",
        base,
        {"x": x, "y": names[Y[HELD]], "number": HELD, **annotators()},
        "LogisticRegression",
    )
    outputs = {"validation": np.eye(10)[np.zeros(len(HELD), dtype=int)]}
    rows = explored(inputs, outputs, known_of(inputs))
    assert not [name for name in rows.attributes if name.startswith("annotator")], "no condition names them"
    checks = labels_seen(inputs, rows, False, lambda words: None, lambda: False)
    assert checks.notes == []
    page = write_diagnosis(
        folder / "index.html",
        study="digits",
        model="constant",
        rows=len(rows),
        views=(),
        notes=(),
        exhibits=nothing,
        nearest={},
        labels=checks.labels,
        unit_tests=None,
        edges=checks.edges,
        more_rows={"slices": {}, "offers": []},
        shown=checks.shown,
        folder=None,
    ).read_text()
    return inputs, {"labels": checks.labels, "edges": checks.edges, "page": page}


@pytest.mark.slow
def test_rows_of_another_kind_are_edge_cases(told: Any) -> None:
    inputs, seen = told
    edges = seen["edges"]
    planted = {int(n) for n in inputs.separation.explore if n < UPSIDE_DOWN}
    rows = [one["row"] for one in edges["cases"]]
    assert edges["status"] == "found"
    assert len(planted & set(rows)) >= 0.8 * len(planted)
    assert len(set(rows) - planted) <= 0.25 * len(rows)
    assert edges["error"]["inside_interval"][0] < edges["error"]["inside"]
    assert f"{edges['count']} of {edges['rows']} explore rows lie further out" in edge_words(edges)
    assert "Rows that are edge cases" in seen["page"]


@pytest.mark.slow
def test_annotators_are_ranked_and_disputes_named(told: Any) -> None:
    _, seen = told
    (one,) = seen["labels"]["annotators"]
    assert one["name"] == "validation"
    assert [a["name"] for a in one["annotators"]] == ["annotator_poor", "annotator_fair", "annotator_good"]
    right = [Y[HELD[d["row"]]] == int(d["consensus"][1:]) for d in one["disputed"]]
    assert one["disputes"] >= 5
    assert np.mean(right) < 0.9, "what is disputed is more often wrong"
    words = next(w for w in label_words(seen["labels"]) if w.startswith("3 annotators of validation"))
    assert "the least reliable is annotator_poor" in words
    assert "annotator_poor" in seen["page"]
    json.dumps(seen["labels"], allow_nan=False)


@pytest.mark.slow
def test_wrong_numbers_are_named_by_row(tmp_path: Path) -> None:
    x, y = load_diabetes(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    base, held = order[:200], order[200:]
    wrong = y[held].astype(float)
    wrong[:12] *= 10
    parts = (
        {"x": x[r].astype(np.float32), "y": t, "number": r} for r, t in ((base, y[base].astype(float)), (held, wrong))
    )
    inputs = written(tmp_path, "regression", *parts, "Ridge")
    rows = explored(inputs, {"validation": np.full(len(held), 150.0)}, known_of(inputs))
    checks = labels_seen(inputs, rows, False, lambda words: None, lambda: False)
    assert checks.notes == []
    seen = checks.labels["validation"]
    planted = {int(n) for n in inputs.separation.explore if n < 12}
    assert seen["status"] == "found"
    assert {one["row"] for one in seen["suspects"]} == planted
    assert checks.labels["training"]["status"] == "passed", "nothing is planted in the base"
    assert checks.labels["conventions"]["status"] == "not_applicable"
    (words,) = label_words(checks.labels)
    assert words.startswith(
        f"validation: {len(planted)} numbers of {seen['rows']} lie far from those of like rows; first row"
    )
