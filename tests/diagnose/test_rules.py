"""A rule means the same rows as a mask and as a slice's `where`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autodc.data.where import select
from autodc.diagnose.rule import Among, Missing, Range, Rule
from autodc.diagnose.view import View, failed_rows

FRAME = pd.DataFrame(
    {
        "brightness": [0.1, np.nan, 0.5, 0.18, -3.0],
        "weather of day": ["rain", "it's fog", None, "sun", "rain"],
        "night": [True, False, True, True, False],
        "hour": [1, 2, 3, 4, 5],
    }
)
RULES = [
    Rule((Range(attribute="brightness", high=0.18),)),
    Rule((Range(attribute="brightness", low=0.1, high=0.5), Among(attribute="night", values=(True,)))),
    Rule((Among(attribute="weather of day", values=("it's fog", "sun")),)),
    Rule((Missing(attribute="weather of day"),)),
    Rule((Missing(attribute="brightness"), Range(attribute="hour", low=2))),
    Rule((Among(attribute="hour", values=(np.int64(3),)),)),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.sql)
def test_a_rule_means_the_same_rows_in_sql(rule: Rule) -> None:
    assert rule.mask(FRAME).any()
    assert rule.mask(FRAME).tolist() == select(rule.sql, FRAME, None, place="rule").tolist()


def view(groups: np.ndarray, failed: np.ndarray) -> View:
    n = len(groups)
    label = np.array(["a", "b"], dtype=object)[np.arange(n) % 2]
    return View(
        ids=np.arange(n),
        error=failed.astype(float),
        failed=failed,
        target=label,
        prediction=label,
        attributes=pd.DataFrame({"hour": np.arange(n)}),
        groups=groups,
        classes=("a", "b"),
    )


def test_halves_keep_groups_whole_and_share_out_the_failures() -> None:
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 150, 600)
    seen = view(groups, np.isin(groups, np.arange(30)))
    first, second = seen.halves(np.random.default_rng(0))
    assert sorted([*first, *second]) == list(range(600))
    assert not set(groups[first]) & set(groups[second])
    assert abs(len(set(groups[first][seen.failed[first]])) - len(set(groups[second][seen.failed[second]]))) <= 1


def test_excess_takes_out_what_a_hard_class_explains() -> None:
    failed = np.arange(400) % 2 == 0  # all of class a, none of b
    assert np.abs(view(np.arange(400), failed).excess).max() < 0.02


def test_outside_classification_the_fifth_of_largest_error_failed() -> None:
    assert failed_rows(np.arange(100.0), is_classification=False).sum() == 20
    assert not failed_rows(np.zeros(50), is_classification=False).any()
