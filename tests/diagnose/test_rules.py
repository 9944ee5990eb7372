"""A rule means the same rows as a mask and as a slice's `where`."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from autodc.data.where import select
from autodc.diagnose.rule import Among, Missing, Range, Rule, as_floats, rounded
from autodc.diagnose.shadow.columns import Columns
from autodc.diagnose.terms import numbers
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


COLUMNS = ["float16", "float32", "Float32", "float[pyarrow]", "halffloat[pyarrow]", "float64", "Float64"]
COLUMNS += ["double[pyarrow]", "uint8", "int16", "Int32", "int64", "int64[pyarrow]"]


def bounds_of(rng: np.random.Generator, values: np.ndarray) -> list[float]:
    """Bounds as finders write them: at values, between them, and of any size."""
    sizes = 10.0 ** rng.uniform(-7, 19, 10) * rng.choice([-1, 1], 10)
    return [rounded(float(v)) for v in [*rng.choice(values, 30), *rng.normal(scale=20, size=5), *sizes]]


@pytest.mark.slow
@pytest.mark.parametrize("kind", COLUMNS)
def test_a_range_means_the_same_rows_in_sql_whatever_the_type_of_its_column(kind: str) -> None:
    rng = np.random.default_rng(4)
    values = np.concatenate([rng.normal(scale=30, size=150), rng.random(150)]).round(2)
    if "int" in kind.lower():
        values = np.abs(values).round()
    column = pd.Series(values).astype(kind)
    if kind not in ("uint8", "int16", "int64"):
        column[::7] = None
    frame = pd.DataFrame({"value": column})
    for place, bound in enumerate(bounds_of(rng, values)):
        rule = Rule((Range(attribute="value", **{("low", "high")[place % 2]: bound}),))
        chosen = select(rule.sql, frame, None, place="rule")
        np.testing.assert_array_equal(rule.mask(frame), chosen, err_msg=rule.sql)


def test_decimals_with_gaps_are_numbers() -> None:
    prices = [Decimal(text) for text in ("0.10", "2.50", "9.99", "0.18")]
    cells = pa.chunked_array([pa.array([*prices[:2], None, *prices[2:], None], pa.decimal128(12, 2))])
    column = pd.Series(pd.arrays.ArrowExtensionArray(cells))
    np.testing.assert_array_equal(numbers(column), [0.1, 2.5, np.nan, 9.99, 0.18, np.nan])
    np.testing.assert_array_equal(as_floats(pd.Series(["1.5", "no", None])), [1.5, np.nan, np.nan])
    frame = pd.DataFrame({"price": column})
    for bound in (0.1, 0.18, 2.5, 9.99, 1e-05, 1000.0):
        for rule in (Rule((Range(attribute="price", low=bound),)), Rule((Range(attribute="price", high=bound),))):
            assert rule.mask(frame).tolist() == select(rule.sql, frame, None, place="rule").tolist()
    encoded = Columns.shared(frame, frame).encode(frame)
    np.testing.assert_array_equal(encoded[:, 0], np.float32([0.1, 2.5, np.nan, 9.99, 0.18, np.nan]))


@pytest.mark.slow
def test_columns_may_be_called_as_any_word_of_sql() -> None:
    kinds = dict(duckdb.sql("SELECT keyword_name, keyword_category FROM duckdb_keywords()").fetchall())
    assert {"order", "group", "left", "end", "limit", "offset", "default", "check", "desc", "null"} <= set(kinds)
    words = [*kinds, "rowid", "current_date", "user"]
    frame = pd.DataFrame({word: [True, None, False] for word in words}, dtype=object)
    missing = Rule(tuple(Missing(attribute=word) for word in words))
    assert select(missing.sql, frame, None, place="rule").tolist() == [False, True, False]
    odd = [word for word, kind in kinds.items() if kind != "unreserved"]
    true = Rule(tuple(Among(attribute=word, values=(True,)) for word in [*odd, *words[len(kinds) :]]))
    assert select(true.sql, frame, None, place="rule").tolist() == [True, False, False]
    loud = Rule((Range(attribute="Order", low=1.5), Missing(attribute="LIMIT")))
    seen = pd.DataFrame({"Order": [1.0, 2.0], "LIMIT": [None, None]})
    assert select(loud.sql, seen, None, place="rule").tolist() == loud.mask(seen).tolist() == [False, True]


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
