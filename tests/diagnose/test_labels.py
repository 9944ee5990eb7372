"""Wrong labels that were planted are found, and right ones are left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_digits

from autodc.diagnose.annotators import several_annotators
from autodc.diagnose.cross_validation import cross_validated
from autodc.diagnose.labels import wrong_labels
from autodc.diagnose.wrong_numbers import wrong_numbers
from autodc.errors import DataError

X, Y = load_digits(return_X_y=True)
NAMES = np.array([f"digit {k}" for k in range(10)], dtype=object)


def swapped(share: float, of: int, to: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which a share of one class is called another, and which rows that are."""
    rng = np.random.default_rng(3)
    rows = rng.permutation(np.flatnonzero(of == Y))
    labels = Y.copy()
    labels[rows[: int(share * len(rows))]] = to
    return labels, labels != Y


def test_the_planted_pair_comes_first_and_its_rows_are_the_wrong_ones() -> None:
    labels, wrong = swapped(0.2, of=7, to=2)
    found = wrong_labels(NAMES[labels], cross_validated(X, labels, None, 0), list(NAMES), learned=True)
    assert found.status == "found"
    assert found.code == "ADC-D010"
    assert (found.pairs[0].given, found.pairs[0].likely) == ("digit 2", "digit 7")
    assert found.pairs[0].is_told
    sure = [one.row for one in found.suspects if one.sure]
    assert wrong[sure].mean() > 0.9
    assert wrong[sure].sum() > 0.6 * wrong.sum()
    assert all(one.likely == "digit 7" for one in found.suspects if one.sure)
    assert found.to_dict()["pairs"][0]["told"] is True


@pytest.mark.parametrize("learned", [False, True])
def test_right_labels_pass(learned: bool) -> None:
    found = wrong_labels(Y, cross_validated(X, Y, None, 0), range(10), learned=learned)
    assert found.status == "passed"
    assert found.code is None
    assert len(found.suspects) < 0.01 * len(Y)


def test_the_planted_pair_of_validation_comes_first() -> None:
    labels, wrong = swapped(0.2, of=7, to=2)
    found = wrong_labels(labels, cross_validated(X, Y, None, 0), range(10))
    assert (found.pairs[0].given, found.pairs[0].likely) == (2, 7)
    assert [one.is_told for one in found.pairs[:2]] in ([True], [True, False])
    assert wrong[[one.row for one in found.suspects if one.sure]].mean() > 0.95


def test_a_model_that_tells_too_little_is_not_believed() -> None:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(10), len(Y))
    assert wrong_labels(Y, shares, range(10)).reason == "the model tells too little of the classes"


def test_labels_by_chance_are_counted() -> None:
    rng = np.random.default_rng(1)
    labels = Y.copy()
    rows = rng.choice(len(Y), 180, replace=False)
    labels[rows] = (Y[rows] + rng.integers(1, 10, 180)) % 10
    found = wrong_labels(labels, cross_validated(X, labels, None, 0), range(10), learned=True)
    assert found.status == "found"
    assert 90 < found.scattered < 270
    best = [one.row for one in found.suspects[:60]]
    assert (labels != Y)[best].mean() > 0.9


def test_the_dataset_with_wrong_labels_is_named() -> None:
    names = np.where(np.arange(len(Y)) % 4 == 0, "careless", "base")
    labels = np.where((names == "careless") & (np.arange(len(Y)) % 3 == 0), np.roll(Y, 1), Y)
    found = wrong_labels(labels, cross_validated(X, labels, None, 0), range(10), datasets=names, learned=True)
    first, second = found.datasets
    assert (first.name, first.is_told, second.is_told) == ("careless", True, False)
    assert first.low > second.high
    assert {one.dataset for one in found.suspects[:20]} == {"careless"}


def test_copies_of_one_row_count_once_for_a_dataset() -> None:
    labels, _ = swapped(0.2, of=7, to=2)
    names = np.where(np.arange(len(Y)) % 2 == 0, "a", "b")
    shares = cross_validated(X, labels, None, 0)
    alone = wrong_labels(labels, shares, range(10), datasets=names)
    groups = np.arange(len(Y)) // 50
    together = wrong_labels(labels, shares, range(10), datasets=names, groups=groups)
    width = {name: one.high - one.low for name, one in (("alone", alone.datasets[0]), ("groups", together.datasets[0]))}
    assert width["groups"] > 2 * width["alone"]


@pytest.mark.parametrize(
    ("target", "probabilities", "classes", "reason"),
    [
        (np.linspace(0, 1, 80), None, (), "targets are no classes"),
        (np.arange(80) % 2, None, (0, 1), "there are no probabilities"),
        (np.arange(20) % 2, np.full((20, 2), 0.5), (0, 1), "there are too few rows"),
        (np.zeros(80, int), np.full((80, 2), 0.5), (0, 1), "there is only one class"),
        (np.arange(80) == 3, np.full((80, 2), 0.5), (False, True), "there are too few rows of a class"),
    ],
)
def test_not_applicable_says_why(target: Any, probabilities: Any, classes: Any, reason: str) -> None:
    found = wrong_labels(target, probabilities, classes)
    assert (found.status, found.reason) == ("not_applicable", reason)
    assert found.to_dict()["reason"] == reason


def test_a_class_that_no_row_has_does_no_harm() -> None:
    shares = np.c_[cross_validated(X, Y, None, 0), np.zeros(len(Y))]
    assert wrong_labels(Y, shares, [*range(10), 99]).status == "passed"


@pytest.mark.parametrize(
    "shares",
    [np.full((60, 3), 1 / 3), np.full((60, 2), 0.9), np.full((60, 2), np.nan), np.tile([1.5, -0.5], (60, 1))],
    ids=["columns", "sums", "nan", "negative"],
)
def test_what_is_no_probability_is_refused(shares: np.ndarray) -> None:
    with pytest.raises(DataError, match="ADC-DIAG-052"):
        wrong_labels(np.arange(60) % 2, shares, (0, 1))


def test_a_label_that_is_no_class_is_refused() -> None:
    with pytest.raises(DataError, match=r"dog.*ADC-DIAG-051"):
        wrong_labels(np.array(["cat", "dog"] * 40), np.full((80, 2), 0.5), ("cat", "cow"))


def test_no_row_is_judged_by_a_model_that_has_seen_its_group() -> None:
    rng = np.random.default_rng(0)
    groups = np.arange(400) // 4
    x = rng.normal(size=(100, 3))[groups]
    y = rng.integers(0, 2, 100)[groups]
    alone, whole = (cross_validated(x, y, one, 0).argmax(1) == y for one in (None, groups))
    assert whole.mean() < 0.65
    assert cross_validated(x, y, groups, 0).tolist() == cross_validated(x, y, groups, 0).tolist()
    assert alone.mean() < 0.8


def test_embeddings_without_numbers_are_refused() -> None:
    with pytest.raises(DataError, match=r"NaN.*ADC-DIAG-050"):
        cross_validated(np.full((5, 2), np.nan), np.arange(5), None, 0)


def test_numbers_that_were_mistyped_are_found() -> None:
    x, y = load_diabetes(return_X_y=True)
    rng = np.random.default_rng(2)
    rows = rng.choice(len(y), 12, replace=False)
    typed = y.copy()
    typed[rows] *= 10
    found = wrong_numbers(typed, cross_validated(x, typed, None, 0))
    assert {one.row for one in found.suspects[:10]} <= set(rows.tolist())
    clean = wrong_numbers(y, cross_validated(x, y, None, 0))
    assert clean.status == "passed"
    assert wrong_numbers(y[:20], y[:20]).reason == "there are too few rows"
    assert wrong_numbers(np.zeros((80, 2)), np.zeros((80, 2))).reason == "targets are no single numbers"


def test_noise_that_grows_with_the_value_is_no_wrong_number() -> None:
    rng = np.random.default_rng(0)
    value = rng.uniform(1, 1000, 3000)
    found = wrong_numbers(value * (1 + 0.1 * rng.normal(size=3000)), value)
    assert len(found.suspects) <= 2


def votes(right: dict[str, float]) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    columns = {}
    for name, share in right.items():
        labels = np.where(rng.random(len(Y)) < share, Y, (Y + rng.integers(1, 10, len(Y))) % 10)
        columns[name] = pd.Series(labels, dtype=object).where(rng.random(len(Y)) < 0.6, None)
    return pd.DataFrame(columns)


def test_the_careless_annotator_is_last_and_the_consensus_is_right() -> None:
    people = votes({"ann": 0.95, "ben": 0.6, "cat": 0.9})
    found = several_annotators(people, cross_validated(X, Y, None, 0), range(10))
    assert found.annotators[0].name == "ben"
    known = people.notna().any(axis=1).to_numpy()
    right = np.array([one == y for one, y in zip(found.consensus, Y, strict=True)])
    first = people.bfill(axis=1).iloc[:, 0].to_numpy() == Y
    assert right[known].mean() > 0.97 > first[known].mean()
    assert [one for one, k in zip(found.consensus, known, strict=True) if not k] == [None] * int((~known).sum())
    assert found.to_dict()["annotators"][0]["name"] == "ben"


def test_annotators_without_rows_in_common_tell_nothing() -> None:
    shares = cross_validated(X, Y, None, 0)
    one = pd.DataFrame({"a": Y})
    assert several_annotators(one, shares, range(10)).reason == "no row has several labels"
    empty = pd.DataFrame({"a": [None] * len(Y), "b": [None] * len(Y)})
    assert several_annotators(empty, shares, range(10)).reason == "there are too few rows"
    with pytest.raises(DataError, match="ADC-DIAG-057"):
        several_annotators(pd.DataFrame(np.zeros((len(Y), 2)), columns=["a", "a"]), shares, range(10))
