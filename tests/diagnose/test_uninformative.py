"""Unit tests that tell nothing, seen by models that were really trained."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from autodc.diagnose.uninformative import unit_tests
from autodc.errors import DataError

X, Y = load_digits(return_X_y=True)
TRAIN, HELD = np.arange(900), np.arange(900, 1797)
SLICES = {
    "overall": np.arange(len(HELD)),
    "zeros": np.flatnonzero(Y[HELD] == 0)[:20],
    "eights": np.flatnonzero(Y[HELD] == 8),
    "ones": np.flatnonzero(Y[HELD] == 1),
    "eights again": np.flatnonzero(Y[HELD] == 8)[:-2],
}


@cache
def trained(models: int = 24) -> np.ndarray:
    """Trainings × slices: models that differ in how many eights and ones they learn from."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(models):
        dropped = (Y[TRAIN] == 8) & (rng.random(900) > rng.uniform(0.03, 1)) | (Y[TRAIN] == 1) & (
            rng.random(900) > rng.uniform(0.03, 1)
        )
        model = LogisticRegression(C=0.01, max_iter=30, tol=1e-2).fit(X[TRAIN][~dropped] / 16, Y[TRAIN][~dropped])
        right = model.predict(X[HELD] / 16) == Y[HELD]
        found.append([right[rows].mean() for rows in SLICES.values()])
    return np.array(found)


def test_slices_that_never_differ_and_slices_of_the_same_rows_are_named() -> None:
    values = trained().copy()
    assert np.ptp(values[:, 2]) > 0.2
    values[:, 1] = 1.0
    found = unit_tests(values, list(SLICES), rows=SLICES)
    assert [(one.name, one.kind, one.rows) for one in found.dull] == [("zeros", "constant", 20)]
    (group,) = [one for one in found.together if "eights" in one.names]
    assert group.names == ("eights", "eights again")
    assert group.same_rows
    assert not any({"eights", "ones"} <= set(one.names) for one in found.together)
    told = found.to_dict()
    assert told["dull"][0]["code"] == "ADC-D020"
    assert told["together"][0]["code"] == "ADC-D021"


def test_few_models_tell_nothing_of_slices() -> None:
    few = trained()[:11]
    assert unit_tests(few, list(SLICES)).reason == "there are too few trainings"
    seeds = np.repeat(np.arange(6), 4)
    assert unit_tests(trained(), list(SLICES), models=seeds).reason == "there are too few trainings"
    assert unit_tests(trained()[:15], list(SLICES)).together == ()
    assert unit_tests(np.zeros((30, 0)), []).reason == "there are too few slices"


def test_a_slice_on_which_models_differ_no_more_than_their_seeds_is_noise() -> None:
    rng = np.random.default_rng(1)
    models = np.repeat(np.arange(60), 4)
    moving, noise = rng.normal(size=60)[models] * 0.05, rng.normal(size=(2, 240)) * 0.02
    values = np.c_[0.8 + moving + noise[0], 0.7 + noise[1]]
    found = unit_tests(values, ["moves", "still"], models=models)
    assert [(one.name, one.kind) for one in found.dull] == [("still", "noise")]
    assert found.dull[0].between < 0.2
    assert unit_tests(values, ["moves", "still"]).dull == ()


@pytest.mark.slow
def test_independent_slices_do_not_move_together() -> None:
    rng = np.random.default_rng(2)
    told = 0
    for _ in range(50):
        common = rng.normal(size=(40, 1))
        values = common + 0.5 * rng.normal(size=(40, 8))
        told += bool(unit_tests(values, [f"s{k}" for k in range(8)]).together)
    assert told == 0


def test_a_slice_that_one_dataset_cures_beyond_the_others_tells_something() -> None:
    """All slices rise and fall with the settings; one of them also with a dataset, by a fifth of what they move."""
    rng = np.random.default_rng(3)
    told = {"the same": 0, "cured": 0}
    for _ in range(20):
        made_of = rng.normal(size=(120, 4))
        common = made_of[:, 0]
        night, dusk = common + rng.normal(0, 0.1, 120), common + rng.normal(0, 0.1, 120)
        cured = common + 0.2 * made_of[:, 1] + rng.normal(0, 0.1, 120)
        assert np.corrcoef(night, cured)[0, 1] > 0.95
        told["the same"] += bool(unit_tests(np.c_[night, dusk], ["night", "dusk"], made_of=made_of).together)
        told["cured"] += bool(unit_tests(np.c_[night, cured], ["night", "cured"], made_of=made_of).together)
        assert not unit_tests(np.c_[night, dusk], ["night", "dusk"]).together, "nobody said what they are made of"
    assert told == {"the same": 20, "cured": 0}


def test_slices_that_are_not_scored_in_some_trainings_are_judged_on_the_others() -> None:
    values = trained().copy()
    values[:4, 4] = np.nan
    groups = unit_tests(values, list(SLICES)).together
    assert ("eights", "eights again") in {one.names for one in groups}
    values[:20, 4] = np.nan
    assert all("eights again" not in one.names for one in unit_tests(values, list(SLICES)).together)


def test_a_table_that_does_not_fit_its_names_is_refused() -> None:
    with pytest.raises(DataError, match="ADC-DIAG-054"):
        unit_tests(np.zeros((30, 3)), ["a", "b"])
    with pytest.raises(DataError, match="ADC-DIAG-054"):
        unit_tests(np.zeros((30, 2)), ["a", "a"])
    with pytest.raises(DataError, match="ADC-DIAG-054"):
        unit_tests(np.zeros((30, 2)), ["a", "b"], models=np.zeros(3))
