"""Groups are never split, classes keep their shares, a seed decides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodc.data.dataset import Dataset
from autodc.data.split import split
from autodc.errors import DataError


def dataset(y: Any, groups: Any = None, x: Any = None) -> Any:
    x = np.arange(len(y), dtype=float)[:, None] if x is None else x
    return Dataset(name="rows", x=x, y=np.asarray(y), metadata=pd.DataFrame(index=range(len(y))), groups=groups)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    groups=st.lists(st.integers(0, 8), min_size=4, max_size=60).filter(lambda groups: len(set(groups)) > 1),
    share=st.floats(0.1, 0.9),
    seed=st.integers(0, 2**63),
    stratify=st.booleans(),
)
def test_a_group_is_never_on_both_sides(groups: Any, share: Any, seed: Any, stratify: Any) -> None:
    groups = np.array(groups)
    data = dataset(np.arange(len(groups)) % 2, groups)
    first, second = split(data, share, seed, stratify)
    assert sorted([*first, *second]) == list(range(len(groups)))
    assert len(first)
    assert len(second)
    assert not set(groups[first]) & set(groups[second])


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.8])
@pytest.mark.parametrize("grouped", [False, True])
def test_size_and_classes(share: Any, grouped: Any) -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(3, 3000, p=[0.7, 0.2, 0.1])
    first, _ = split(dataset(y, np.arange(3000) // 5 if grouped else None), share, 1)
    assert len(first) == pytest.approx(3000 * share, rel=0.05)
    np.testing.assert_allclose(np.bincount(y[first]) / len(first), [0.7, 0.2, 0.1], atol=0.03)


def test_copies_stay_together() -> None:
    x = np.repeat(np.arange(50.0), 2)[:, None]
    first, second = split(dataset(np.zeros(100), x=x), 0.5, 0)
    assert not set(x[first, 0]) & set(x[second, 0])


def test_a_seed_decides() -> None:
    data = dataset(np.arange(100) % 2)
    np.testing.assert_array_equal(split(data, 0.5, 7)[0], split(data, 0.5, 7)[0])
    assert not np.array_equal(split(data, 0.5, 7)[0], split(data, 0.5, 8)[0])


def test_rare_classes_and_decimal_targets_are_split_plainly() -> None:
    assert len(split(dataset([0] * 9 + [1]), 0.5, 0)[0]) == 5
    assert len(split(dataset(np.linspace(0, 1, 10)), 0.3, 0)[0]) == 3


def test_one_group_cannot_be_cut() -> None:
    with pytest.raises(DataError) as caught:
        split(dataset([0, 1, 0], np.array([1, 1, 1])), 0.5, 0)
    assert caught.value.code == "ADC-DATA-029"
