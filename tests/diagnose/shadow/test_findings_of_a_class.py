"""A finding that names the class, in a stream of real scans without labels: by what its failures are taken for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from autodc.diagnose.by_class import ByClass
from autodc.diagnose.diagnosis import diagnose
from autodc.diagnose.shadow.columns import Columns
from autodc.diagnose.shadow.conditions import PREDICTED, found_before, which
from autodc.diagnose.unlabelled import Unlabelled
from autodc.diagnose.view import View

Array = np.ndarray[Any, Any]
DIGITS = load_digits()


def scans(rows: Array, seed: int) -> tuple[Array, Array, pd.DataFrame]:
    """In dim light sevens lose their upper half, which the model has never seen; other digits stay readable."""
    r = np.random.default_rng(seed)
    x, y = DIGITS.images[rows].copy(), DIGITS.target[rows]
    light = r.random(len(rows))
    x[(light < 0.3) & (y == 7), :4] = 0
    return x.reshape(len(rows), -1), y, pd.DataFrame({"light": light, "hour": r.integers(0, 24, len(rows))})


def test_rows_of_a_stream_are_chosen_as_the_finding_says_and_fail() -> None:
    order = np.random.default_rng(0).permutation(len(DIGITS.target))
    model = LogisticRegression(max_iter=200).fit(DIGITS.data[order[:500]] / 16, DIGITS.target[order[:500]])
    x, y, frame = scans(np.tile(order[500:1150], 2), 1)
    said = model.predict(x / 16)
    view = View(
        ids=np.arange(len(y)),
        error=(said != y).astype(float),
        failed=said != y,
        target=y,
        prediction=said,
        attributes=frame,
        groups=np.arange(len(y)),
        classes=tuple(range(10)),
    )
    found = diagnose(view, [ByClass()], seed=1)
    first = found.confirmed[0]
    assert first.rule.endswith("target = 7")
    findings = {one.id: Unlabelled.of(one.rule, one.told) for one in found.confirmed[:1]}
    known = frame.assign(**{PREDICTED: said})
    (gathered,), left = found_before(findings, Columns.shared(frame, frame), known, view.failed)
    assert not left
    assert 7 not in gathered.predicted  # those that are taken for sevens are right

    x, y, stream = scans(order[1150:], 2)
    said = model.predict(x / 16)
    inside = which([gathered.rule], stream.assign(**{PREDICTED: said})) == 0
    np.testing.assert_array_equal(inside, findings[first.id].mask(stream, said))
    wanted = (y == 7) & (stream.light < 0.3) & (said != y)
    assert (inside & wanted).sum() / wanted.sum() > 0.7
    assert (said != y)[inside].mean() > 2 * (said != y).mean()
