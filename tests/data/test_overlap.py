"""Copies between datasets, exact and near, and what counts as one row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_digits

from autodc.data.chance import copied
from autodc.data.dataset import Dataset
from autodc.data.hashing import among, numbered, row_hashes
from autodc.data.near import near
from autodc.data.overlap import clusters, joint_clusters

SCANS = load_digits().images
TABLE = load_breast_cancer().data


def dataset(x: Any) -> Any:
    return Dataset(name="d", x=x, y=None, metadata=pd.DataFrame(index=range(len(x))))


def test_exact_copies_are_found_wherever_they_lie() -> None:
    mask = among(row_hashes(SCANS[:100]), row_hashes(SCANS[90:200][::-1]))
    assert np.flatnonzero(mask).tolist() == list(range(90, 100))


def test_a_hash_depends_on_values_alone() -> None:
    x = np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, 2.0]])
    one, same, other = row_hashes(x)
    assert one == same != other
    np.testing.assert_array_equal(row_hashes(np.asfortranarray(SCANS)), row_hashes(SCANS))


def test_real_images_are_not_near_each_other() -> None:
    assert len(near(dataset(SCANS[:900]), dataset(SCANS[900:])).held) == 0


@pytest.mark.parametrize(
    "change", [lambda x: x, lambda x: x * 0.7 + 1, lambda x: x + np.random.default_rng(0).normal(0, 0.05, x.shape)]
)
def test_changed_copies_of_images_are_near(change: Any) -> None:
    held = np.concatenate([SCANS[900:], change(SCANS[10:30])])
    found = near(dataset(SCANS[:900]), dataset(held))
    assert found.held.tolist() == list(range(897, 917))
    assert found.training.tolist() == list(range(10, 30))
    assert found.share == pytest.approx(20 / 917)


def test_channels_may_come_first_or_last() -> None:
    colour = np.stack([SCANS[:60], SCANS[:60], SCANS[:60]], axis=3)
    for x in (colour, colour.transpose(0, 3, 1, 2)):
        assert near(dataset(x[:50]), dataset(x[40:])).held.tolist() == list(range(10))


def test_rounded_rows_of_a_table_are_near_and_others_are_not() -> None:
    held = np.concatenate([TABLE[300:], TABLE[5:15] * (1 + 1e-6)])
    found = near(dataset(TABLE[:300]), dataset(held))
    assert found.held.tolist() == list(range(269, 279))
    assert found.training.tolist() == list(range(5, 15))


def test_clusters_join_groups_and_copies() -> None:
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
def test_rows_of_one_group_or_one_fine_input_always_share_a_cluster(values: Any) -> None:
    x = np.random.default_rng(0).normal(size=(7, 3))[[value for value, _ in values]]
    groups = np.array([group for _, group in values])
    found = clusters(x, groups)
    labels = np.arange(len(x)) if found is None else found
    for key in (x[:, 0], groups):
        assert all(len(set(labels[key == value])) == 1 for value in key)
    assert set(labels) == set(range(len(set(labels))))


def table(x: Any, y: Any = None, **metadata: Any) -> Any:
    x = np.asarray(x, dtype=float)
    return Dataset(name="t", x=x, y=y, metadata=pd.DataFrame(metadata, index=range(len(x))))


def small(rows: Any, seed: Any, columns: Any = 4, values: Any = 4) -> Any:
    return np.random.default_rng(seed).integers(0, values, (rows, columns))


def copies(training: Any, held: Any) -> Any:
    return int(copied(training, held, *numbered([row_hashes(training.x), row_hashes(held.x)])).sum())


def answers(rows: Any, seed: Any) -> Any:
    """Ten answers from 1 to 5 that hang together: many say 3 to everything, or 5."""
    rng = np.random.default_rng(seed)
    mood = rng.normal(size=(rows, 1))
    return np.clip(np.round(3 + 1.3 * (0.85 * mood + 0.53 * rng.normal(size=(rows, 10)))), 1, 5)


def one_hot(codes: Any) -> Any:
    return np.eye(4)[codes].reshape(len(codes), -1)


INDEPENDENT = {
    "four answers of four": (small(400, 0), small(1500, 1)),
    "one column": (small(300, 0, 1, 7), small(200, 1, 1, 7)),
    "two switches": (small(300, 0, 2, 2), small(200, 1, 2, 2)),
    "rare switches": (small(400, 0, 10, 10) == 0, small(1000, 1, 10, 10) == 0),
    "one-hot": (one_hot(small(400, 0)), one_hot(small(1500, 1))),
    "a survey": (answers(2000, 0), answers(1000, 1)),
    "few held rows": (small(400, 0), small(30, 1)),
    "another population": (small(2000, 0)[small(2000, 0)[:, 0] == 0], small(1500, 1)),
}


@pytest.mark.parametrize("case", INDEPENDENT)
def test_chance_explains_equal_rows_of_independent_people(case: Any) -> None:
    training, held = INDEPENDENT[case]
    assert among(row_hashes(np.asarray(training, float)), row_hashes(np.asarray(held, float))).sum() > 10
    assert copies(table(training), table(held)) == 0


def test_copies_beyond_chance_are_found_among_equal_rows() -> None:
    held = answers(1000, 5)
    assert 270 <= copies(table(np.concatenate([answers(1700, 6), held[:300]])), table(held)) <= 320


@pytest.mark.parametrize("repeats", [1, 2, 5])
def test_rows_that_a_set_repeats_do_not_excuse_copies_of_fine_rows(repeats: Any) -> None:
    """Every image stands several times in both sets: that is no chance."""
    flat = SCANS.reshape(len(SCANS), -1)
    training = np.concatenate([np.tile(flat[:100], (repeats, 1)), flat[900:930]])
    assert copies(table(training), table(np.tile(flat[900:1000], (repeats, 1)))) == 30


def test_a_fine_metadata_column_tells_copies_from_equals() -> None:
    x, brightness = small(2000, 8), np.random.default_rng(0).normal(size=2000)
    both = np.r_[0:450, 600:650]
    training = table(x[both], brightness=brightness[both])
    assert copies(training, table(x[500:], brightness=brightness[500:])) == 50
    assert copies(training, table(x[500:], brightness=brightness[500:] + 1)) == 0


def test_a_sealed_target_is_not_looked_at() -> None:
    x, y = small(800, 2), np.random.default_rng(1).normal(size=800)
    training = table(x[:400], y[:400])
    held = table(np.concatenate([x[400:], x[:50]]), np.concatenate([y[400:], y[:50]]))
    assert copies(training, held) == 50
    assert copies(training, table(held.x)) == 0


def test_validation_rows_of_a_coarse_table_count_each_and_copies_of_one_row_as_one() -> None:
    assert len(np.unique(joint_clusters([table(small(1500, 1))])[0])) == 1500
    assert len(np.unique(joint_clusters([table(np.tile(TABLE[0], (40, 1))), table(TABLE[5:50])])[0])) == 1
    x, brightness = small(520, 3), np.random.default_rng(0).normal(size=520)
    x[500:], brightness[500:] = x[:20], brightness[:20]
    (found,) = joint_clusters([table(x, brightness=brightness)])
    np.testing.assert_array_equal(found[500:], found[:20])
    assert len(np.unique(found)) == 500


def test_a_slice_file_that_repeats_coarse_validation_rows_shares_their_numbers() -> None:
    validation = small(1000, 1, 6)
    one, two = joint_clusters([table(validation), table(validation[:200])])
    assert len(np.unique(one)) == 1000
    assert len(np.unique(two)) == 200
    assert np.isin(two, one).all()
    one, two = joint_clusters([table(validation), table(small(200, 9, 6))])
    assert not np.isin(two, one).any()


def test_near_rows_of_many_columns_and_batches_are_those_of_every_pair() -> None:
    rng = np.random.default_rng(0)
    known = rng.normal(size=(9000, 12)).astype(np.float32)
    held = np.concatenate([rng.normal(size=(5000, 12)), known[8000:8040] + 1e-4]).astype(np.float32)
    found = near(dataset(known), dataset(held))
    assert found.held.tolist() == list(range(5000, 5040))
    assert found.training.tolist() == list(range(8000, 8040))
    scale = known.astype(float).std(axis=0)
    truth = np.sqrt((((held[5000:].astype(float) - known[8000:8040]) / scale) ** 2).mean(axis=1))
    np.testing.assert_allclose(found.distances, truth, rtol=1e-6)
