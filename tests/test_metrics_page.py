"""The metrics that the guide shows do what it says of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine

from autodc import values
from autodc.evaluation.metrics import find_metric
from autodc.studyfile import load
from autodc.verbs.check import preflight

PAGE = Path(__file__).resolve().parents[1] / "docs" / "guide" / "metrics.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
POINTS = np.array([[0.0, 1.0], [2.0, 2.0]])
LABELS = values.encoded([[{"label": "cat"}], [{"label": "dog"}], []])

CASES = {
    "Pinball": ("regression", np.array([1.0, 3.0]), np.array([2.0, 2.0]), [0.9, 0.1], -1),
    "Hit": ("regression", POINTS + 0.1, POINTS + np.array([[0, 0], [0, 1]]), [1.0, 0.0], 1),
    "Found": ("custom", values.encoded([[{"label": "cat"}], [], []]), LABELS, [1.0, 0.0, 1.0], 1),
}


@pytest.mark.parametrize("name", CASES)
def test_an_example_of_the_page_is_a_metric(name: str, tmp_path: Path) -> None:
    (code,) = [example for example in EXAMPLES if f"class {name}" in example]
    (tmp_path / "mine.py").write_text(code)
    kind, outputs, targets, rows, sign = CASES[name]
    metric: Any = find_metric(f"mine.py:{name}", kind, str(tmp_path))
    np.testing.assert_allclose(metric.rows(outputs, targets), sign * np.array(rows))
    assert metric.value(outputs, targets) == pytest.approx(sign * np.mean(rows))


def test_a_metric_of_the_page_that_is_no_mean_is_worth_what_the_rows_are(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(EXAMPLES[0])
    metric: Any = find_metric("mine.py:Kappa", "classification", str(tmp_path))
    truth, said = np.array([0, 0, 1, 1, 2, 2]), np.eye(3)[[0, 0, 1, 2, 2, 2]]
    assert metric.value(said, truth) == pytest.approx(0.75)
    assert np.mean(metric.rows(said, truth)) == pytest.approx(0.75)


def test_every_example_is_tried() -> None:
    assert {name for code in EXAMPLES for name in re.findall(r"^class (\w+)", code, re.MULTILINE)} == {*CASES, "Kappa"}


STUDY = """
schema_version: 1
name: mine
task: {kind: KIND, trainer: sklearn, options: {estimator: ESTIMATOR}}
data:
  base: {source: base.csv}
  validation: {source: validation.csv}
METRICS
slices: [{name: all, role: target}]
"""


@pytest.mark.parametrize(
    ("name", "reads", "estimator"),
    [("Pinball", load_diabetes, "HistGradientBoostingRegressor"), ("Kappa", load_wine, "RandomForestClassifier")],
)
def test_check_lets_a_study_in_that_is_measured_by_it(name: str, reads: Any, estimator: str, tmp_path: Path) -> None:
    (tmp_path / "pinball.py").write_text(EXAMPLES[0])
    (line,) = re.findall(r"`(metrics: \{primary: pinball.py:Pinball\})`", PAGE.read_text(encoding="utf-8"))
    kind = "regression" if "Regressor" in estimator else "classification"
    study = STUDY.replace("KIND", kind).replace("ESTIMATOR", estimator)
    (tmp_path / "study.yaml").write_text(study.replace("METRICS", line.replace("Pinball", name)))
    rows = reads(as_frame=True).frame.sample(frac=1, random_state=0)
    rows[:90].to_csv(tmp_path / "base.csv", index=False)
    rows[90:].to_csv(tmp_path / "validation.csv", index=False)
    found = preflight(load(str(tmp_path / "study.yaml")))
    assert [one["name"] for one in found["slices"]] == ["all"]
