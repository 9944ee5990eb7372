"""What somebody wrote as a label becomes a target of the study, is left open, or is refused with what was meant."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autodc.errors import InputError
from autodc.propose.labels import Wanted, understood

DIGITS = Wanted(form="classes", classes=tuple(range(10)))
WORDS = Wanted(form="classes", classes=("No", "Yes", "3.0"))
TRUTH = Wanted(form="classes", classes=(False, True))
PRICE = Wanted(form="numbers")
POINT = Wanted(form="numbers", shape=(2,), dtype="float32")
COUNT = Wanted(form="numbers", shape=(1,), dtype="uint8")


@pytest.mark.parametrize(
    ("wanted", "label", "target"),
    [
        (DIGITS, 7, 7),
        (DIGITS, np.int64(7), 7),
        (DIGITS, "7", 7),
        (DIGITS, " 7.0 ", 7),  # as spreadsheets write it
        (WORDS, "Yes", 1),
        (WORDS, "3.0", 2),
        (TRUTH, "TRUE", 1),
        (TRUTH, np.bool_(False), 0),
        (PRICE, "12.5", 12.5),
        (POINT, ["1", "2"], [1.0, 2.0]),
        (DIGITS, None, None),
        (PRICE, " ? ", None),
        (POINT, ["?", " ? "], None),
        (POINT, [None, None], None),
        (Wanted(form="values"), [None], [None]),
        (COUNT, "12", [12.0]),
        (COUNT, [255], [255.0]),
    ],
)
def test_a_label_is_a_target_or_open(wanted: Wanted, label: Any, target: Any) -> None:
    assert understood([label], ["r"], wanted, "here") == [target]
    assert Wanted.of(wanted.to_dict()) == wanted


@pytest.mark.parametrize(
    ("wanted", "label"),
    [
        (DIGITS, 10),
        (DIGITS, 1.5),
        (DIGITS, math.nan),
        (DIGITS, [1]),
        (WORDS, "yes"),
        (WORDS, ""),
        (PRICE, "dear"),
        (PRICE, math.nan),
        (PRICE, True),
        (POINT, [1.0]),
        (POINT, ["?", 1.0]),
        (COUNT, 2.7),
        (COUNT, 256),
        (COUNT, -1),
        (Wanted(form="values"), {"box": math.inf}),
    ],
)
def test_what_is_no_label_of_the_study_is_refused_by_row(wanted: Wanted, label: Any) -> None:
    with pytest.raises(InputError) as told:
        understood([None, label], ["a", "b"], wanted, "here")
    assert told.value.code == "ADC-PROP-074"
    assert "row b" in told.value.got
    assert "nobody can tell" in told.value.hint


def test_targets_have_the_form_of_the_base() -> None:
    assert DIGITS.array([3, 1]).tolist() == [3, 1]
    made = POINT.array([[1.0, 2.0], [3.0, 4.0]])
    assert (made.shape, made.dtype) == ((2, 2), np.float32)
    assert POINT.array([]).shape == (0, 2)
    assert (POINT.columns, DIGITS.columns, Wanted(form="values").columns) == (("label_1", "label_2"), ("label",), ())
