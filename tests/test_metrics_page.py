"""The metrics that the guide shows do what it says of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc import values
from autodc.evaluation.metrics import find_metric

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


def test_every_example_is_tried() -> None:
    assert len(EXAMPLES) == len(CASES)
