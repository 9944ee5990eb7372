"""Nothing that is made may come from what is held out: not by name, not by content, not by group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from autodc.data.catalogue import Catalogue
from autodc.data.dataset import Dataset
from autodc.data.descent import refuse_descent
from autodc.errors import DataError

DIGITS = load_digits()


def dataset(name: str, rows: Any, groups: Any = None) -> Dataset:
    metadata = pd.DataFrame({"writer": np.arange(len(rows)) if groups is None else groups})
    own = None if groups is None else np.asarray(groups)
    return Dataset(name=name, x=DIGITS.images[rows], y=DIGITS.target[rows], metadata=metadata, groups=own)


def catalogue(base: Any, validation: Any, groups: tuple[Any, Any] = (None, None), **more: Any) -> Catalogue:
    held = dataset("validation", validation, groups[1])
    return Catalogue(base=dataset("base", base, groups[0]), candidates={}, validation=held, **more)


def test_rows_of_the_base_may_be_made_of() -> None:
    found = refuse_descent("F1", ("base",), np.zeros(5, int), np.arange(5), catalogue(range(100), range(100, 200)))
    assert found.kept is None
    assert found.left_out == 0


@pytest.mark.parametrize("name", ["validation", "test", "faint"])
def test_what_is_held_out_is_no_parent(name: str) -> None:
    slices = {"faint": dataset("faint", range(300, 320))}
    known = catalogue(range(100), range(100, 200), test=dataset("test", range(200, 300)), slice_sets=slices)
    with pytest.raises(DataError) as caught:
        refuse_descent("F1", (name,), np.zeros(5, int), np.arange(5), known)
    assert caught.value.code == "ADC-PROP-063"


def test_a_copy_of_a_held_out_row_is_none_either() -> None:
    known = catalogue(range(100), range(90, 200))
    found = refuse_descent("F1", ("base",), np.zeros(3, int), np.array([5, 95, 6]), known)
    assert found.kept is not None
    assert found.kept.tolist() == [0, 2]
    assert "1 of 3 rows of `F1`" in found.warnings[0]
    with pytest.raises(DataError) as caught:
        refuse_descent("F1", ("base",), np.zeros(3, int), np.array([95, 96, 97]), known)
    assert caught.value.code == "ADC-PROP-063"


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_row_whose_group_is_held_out_is_none_either(is_stored: bool) -> None:
    known = catalogue(range(100), range(100, 200), (np.arange(100) % 10, np.repeat([7, 20], 50)))
    joined = dataset("lit", range(200, 300), np.arange(100) % 10)
    stored = Dataset(name="lit", x=joined.x, y=joined.y, metadata=joined.metadata)
    parent = "lit" if is_stored else "base"
    found = refuse_descent(
        "F1", (parent,), np.zeros(20, int), np.arange(20), known, joined={"lit": stored}.get, group="writer"
    )
    assert found.kept is not None
    assert sorted(set(range(20)) - set(found.kept.tolist())) == [7, 17]
    assert "group is held out" in found.warnings[0]


@pytest.mark.parametrize(
    ("parents", "parent", "position"),
    [
        (("nowhere",), [0, 0], [1, 2]),
        (("base",), [0, 0], [1, 100]),
        (("base",), [0, 1], [1, 2]),
        (("base",), [0, -1], [1, 2]),
        (("base",), [0, 0], [1]),
    ],
)
def test_an_origin_that_does_not_fit_is_refused(parents: Any, parent: Any, position: Any) -> None:
    with pytest.raises(DataError) as caught:
        refuse_descent("F1", parents, np.array(parent), np.array(position), catalogue(range(100), range(100, 200)))
    assert caught.value.code == "ADC-PROP-064"


def test_rows_made_of_none_stay() -> None:
    none = np.full(4, -1)
    assert refuse_descent("F1", (), none, none, catalogue(range(9), range(9, 20))).kept is None
