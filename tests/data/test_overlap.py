"""Copies between datasets, exact and near, and what counts as one row."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_digits

from autodc.data.dataset import Dataset
from autodc.data.overlap import clusters, exact, near, row_hashes

SCANS = load_digits().images
TABLE = load_breast_cancer().data


def dataset(x):
    return Dataset(name="d", x=x, y=None, metadata=pd.DataFrame(index=range(len(x))))


def test_exact_copies_are_found_wherever_they_lie():
    mask = exact(row_hashes(SCANS[:100]), row_hashes(SCANS[90:200][::-1]))
    assert np.flatnonzero(mask).tolist() == list(range(90, 100))


def test_a_hash_depends_on_values_alone():
    x = np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, 2.0]])
    one, same, other = row_hashes(x)
    assert one == same != other
    np.testing.assert_array_equal(row_hashes(np.asfortranarray(SCANS)), row_hashes(SCANS))


def test_real_images_are_not_near_each_other():
    assert len(near(dataset(SCANS[:900]), dataset(SCANS[900:])).held) == 0


@pytest.mark.parametrize(
    "change", [lambda x: x, lambda x: x * 0.7 + 1, lambda x: x + np.random.default_rng(0).normal(0, 0.05, x.shape)]
)
def test_changed_copies_of_images_are_near(change):
    held = np.concatenate([SCANS[900:], change(SCANS[10:30])])
    found = near(dataset(SCANS[:900]), dataset(held))
    assert found.held.tolist() == list(range(897, 917))
    assert found.training.tolist() == list(range(10, 30))
    assert found.share == pytest.approx(20 / 917)


def test_channels_may_come_first_or_last():
    colour = np.stack([SCANS[:60], SCANS[:60], SCANS[:60]], axis=3)
    for x in (colour, colour.transpose(0, 3, 1, 2)):
        assert near(dataset(x[:50]), dataset(x[40:])).held.tolist() == list(range(10))


def test_rounded_rows_of_a_table_are_near_and_others_are_not():
    held = np.concatenate([TABLE[300:], TABLE[5:15] * (1 + 1e-6)])
    found = near(dataset(TABLE[:300]), dataset(held))
    assert found.held.tolist() == list(range(269, 279))
    assert found.training.tolist() == list(range(5, 15))


def test_clusters_join_groups_and_copies():
    x = np.array([[1], [2], [3], [1], [4], [5]])
    assert clusters(x, None)[0] == clusters(x, None)[3]
    groups = np.array(["a", "b", "b", "c", "c", "d"])
    found = clusters(x, groups)
    assert found[0] == found[3] == found[4]
    assert found[1] == found[2]
    assert len(set(found)) == 3
    assert clusters(x[:3], None) is None
    assert clusters(x[:3], np.array([1, 2, 3])) is None


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=30))
def test_rows_of_one_group_or_one_input_always_share_a_cluster(values):
    x = np.array([[value] for value, _ in values])
    groups = np.array([group for _, group in values])
    found = clusters(x, groups)
    labels = np.arange(len(x)) if found is None else found
    for key in (x[:, 0], groups):
        assert all(len(set(labels[key == value])) == 1 for value in key)
    assert set(labels) == set(range(len(set(labels))))
