"""Numbers of another type than the base's: cast where nothing is lost, refused where something would be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.data.agreement import agreed
from autodc.data.dataset import Dataset

ROWS = 4


def dataset(x: Any, **metadata: Any) -> Any:
    x = np.asarray(x)
    return Dataset(name="night", x=x, y=np.arange(len(x)) % 2, metadata=pd.DataFrame(metadata, index=range(len(x))))


def images(values: Any, dtype: Any) -> Any:
    return dataset(np.resize(np.asarray(values, dtype=dtype), (ROWS, 2, 2)))


@pytest.mark.parametrize(
    ("values", "own", "base", "at", "value"),
    [
        ([0, 255, 256, 4080], np.uint16, np.uint8, "(1, 0)", "256"),
        ([0, 1, 2, 65536], np.int64, np.uint16, "(1, 1)", "65536"),
        ([5, 128, 0, 0], np.int64, np.int8, "(0, 1)", "128"),
        ([5, -129, 0, 0], np.int16, np.int8, "(0, 1)", "-129"),
        ([5, -1, 0, 0], np.int8, np.uint8, "(0, 1)", "-1"),
        ([5, 2**63, 0, 0], np.uint64, np.int64, "(0, 1)", "9223372036854775808"),
        ([5, 70000, 0, 0], np.float64, np.float16, "(0, 1)", "70000.0"),
        ([5, -1e39, 0, 0], np.float64, np.float32, "(0, 1)", "-1e+39"),
    ],
)
def test_what_the_bases_type_cannot_hold_is_refused_with_its_place(
    values: Any, own: Any, base: Any, at: Any, value: Any
) -> None:
    data, (problem,) = agreed(images(values, own), images([0, 1, 2, 3], base), "study.yaml: data.validation")
    assert problem.code == "ADC-DATA-021"
    assert problem.got.startswith(f"row 0, position {at}: {value};")
    assert np.dtype(own).name in problem.got
    assert np.dtype(base).name in problem.got
    assert "scale" in problem.hint
    assert data.x.dtype == own


@pytest.mark.parametrize(
    ("values", "own", "base"),
    [
        ([0, 17, 254, 255], np.uint16, np.uint8),
        ([0, 17, 254, 255], np.int64, np.uint8),
        ([-128, 0, 5, 127], np.int64, np.int8),
        ([0, 17, 254, 255], np.uint8, np.int64),
        ([0, 2**63 - 1, 5, 6], np.uint64, np.int64),
        ([0.5, -2.25, 65504, 0], np.float64, np.float16),
        ([0.5, -2.25, 1e30, 0], np.float32, np.float64),
    ],
)
def test_what_it_can_hold_is_cast(values: Any, own: Any, base: Any) -> None:
    data, problems = agreed(images(values, own), images([0, 1, 2, 3], base), "")
    assert problems == []
    assert data.x.dtype == base
    np.testing.assert_array_equal(data.x[0].ravel(), np.asarray(values, dtype=own).astype(np.float64))


@pytest.mark.parametrize(
    ("own", "base"),
    [
        (np.float64, np.uint8),
        (np.uint8, np.float32),
        (np.bool_, np.uint8),
        (np.float32, np.int64),
    ],
)
def test_numbers_of_another_kind_are_refused(own: Any, base: Any) -> None:
    _, (problem,) = agreed(images([0, 1, 0, 1], own), images([0, 1, 1, 0], base), "")
    assert problem.code == "ADC-DATA-021"


def test_the_fingerprint_is_that_of_the_cast_rows() -> None:
    cast, _ = agreed(images([1, 2, 3, 4], np.int64), images([0, 1, 2, 3], np.uint8), "")
    assert cast.fingerprint == images([1, 2, 3, 4], np.uint8).fingerprint
