"""Weights to exact draws: properties that hold for every mixture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodc.plan.mixture import Mixture, batches, epoch_rows

weights = st.floats(0, 5, allow_nan=False).map(lambda weight: round(weight, 4))
sizes = st.integers(1, 60)


@pytest.mark.slow
@settings(deadline=None)
@given(weight=weights, size=sizes, seed=st.integers(0, 2**32 - 1))
def test_an_epoch_draws_exactly_its_share(weight: Any, size: Any, seed: Any) -> None:
    rows = epoch_rows(weight, size, np.random.default_rng(seed))
    assert len(rows) == round(weight * size)
    counts = np.bincount(rows, minlength=size)
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("weight", [0.1, 0.5, 1.0, 1.3, 2.0])
def test_every_row_comes_weight_times_on_average(weight: Any) -> None:
    rng = np.random.default_rng(0)
    counts = sum(np.bincount(epoch_rows(weight, 20, rng), minlength=20) for _ in range(2000))
    np.testing.assert_allclose(counts / 2000, weight, atol=0.05)


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(st.tuples(sizes, weights), min_size=1, max_size=5),
    batch_size=st.integers(1, 16),
    epochs=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_batches_are_whole_epochs_without_a_seam(parts: Any, batch_size: Any, epochs: Any, seed: Any) -> None:
    lengths, shares = [size for size, _ in parts], [weight for _, weight in parts]
    draws = [round(weight * size) for size, weight in parts]
    epoch = sum(draws)
    rng = np.random.default_rng(seed)
    if epoch == 0:
        with pytest.raises(ValueError, match="no rows"):
            batches(lengths, shares, batch_size, 1, rng)
        return
    steps = -(-epochs * epoch // batch_size)
    rows = batches(lengths, shares, batch_size, steps, rng)
    assert rows.shape == (steps, batch_size)
    ends = np.cumsum(lengths)
    for number in range(epochs):
        part = np.searchsorted(ends, rows.ravel()[number * epoch : (number + 1) * epoch], side="right")
        assert np.bincount(part, minlength=len(parts)).tolist() == draws


def test_the_same_seed_gives_the_same_batches() -> None:
    one, two = (batches([10, 20], [1, 0.5], 4, 9, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, batches([10, 20], [1, 0.5], 4, 9, np.random.default_rng(4)))


def test_datasets_are_mixed_within_an_epoch() -> None:
    rows = batches([500, 500], [1, 1], 50, 20, np.random.default_rng(0))
    share = (rows < 500).mean(axis=1)
    assert share.min() > 0.2
    assert share.max() < 0.8


def test_weight_zero_is_never_drawn() -> None:
    assert batches([5, 5, 5], [1, 0, 1], 10, 30, np.random.default_rng(0)).ravel().tolist().count(7) == 0
    assert "b" not in Mixture.of({"a": 1, "b": 0})


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf")])
def test_a_weight_is_a_number_from_zero_up(weight: Any) -> None:
    with pytest.raises(ValueError, match="0 up"):
        Mixture.of({"a": weight})
