"""Targets of every kind of task, from what sources find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodc.data.source import SourceRequest
from autodc.data.targets import target_values
from autodc.errors import DataError
from autodc.values import decoded


def request(kind: Any, **options: Any) -> SourceRequest:
    return SourceRequest(name="base", path="/data/base.npz", place="data.base", kind=kind, options=options)


def boxed(values: list[Any]) -> Any:
    found = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        found[i] = value
    return found


@pytest.mark.parametrize(
    ("y", "shape"),
    [
        (np.ones(4), (4,)),
        (np.ones((4, 1)), (4,)),
        (np.ones((4, 3), int), (4, 3)),
        (boxed([[1, 2], [3, 4.5]]), (2, 2)),
        (boxed([np.ones(2), np.zeros(2)]), (2, 2)),
    ],
)
def test_regression_takes_one_number_a_row_or_several(y: Any, shape: Any) -> None:
    found = target_values(request("regression"), y)
    assert found.shape == shape
    assert found.dtype == np.float64


@pytest.mark.parametrize(
    "y", [np.ones((4, 2, 2)), np.ones((4, 0)), boxed([[1], [1, 2]]), np.array([[1.0, np.nan], [1.0, 2.0]])]
)
def test_what_is_no_row_of_numbers_is_refused_with_a_way_on(y: Any) -> None:
    with pytest.raises(DataError) as caught:
        target_values(request("regression"), y)
    assert caught.value.code in ("ADC-DATA-011", "ADC-DATA-008")
    assert caught.value.got


@pytest.mark.parametrize("y", [np.arange(3), np.ones((3, 2, 2), np.float32), np.array([True, False])])
def test_numbers_of_a_custom_task_are_kept_as_they_are(y: Any) -> None:
    found = target_values(request("custom"), y)
    assert found.dtype == y.dtype
    np.testing.assert_array_equal(found, y)


@pytest.mark.parametrize(
    ("y", "wanted"),
    [
        (np.array(["a cat", "ä"]), ["a cat", "ä"]),
        (np.array([b"a", b"b"]), ["a", "b"]),
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        (boxed([np.ones(2), None, {"label": np.int64(3)}]), [[1.0, 1.0], None, {"label": 3}]),
    ],
)
def test_anything_else_of_a_custom_task_is_json(y: Any, wanted: Any) -> None:
    assert decoded(target_values(request("custom"), y)) == wanted


@pytest.mark.parametrize(
    ("y", "options"),
    [
        (np.array(["2026-11-26"], dtype="datetime64[D]"), {}),
        (boxed([1, {2}]), {}),
        (np.array([1.0, np.inf]), {}),
        (np.array(["a", "b"]), {"map": {"a": "b"}}),
    ],
)
def test_what_is_no_target_of_a_custom_task_is_refused(y: Any, options: Any) -> None:
    with pytest.raises(DataError) as caught:
        target_values(request("custom", **options), y)
    assert caught.value.code in ("ADC-DATA-008", "ADC-DATA-011", "ADC-DATA-026")
