"""Targets and outputs of custom tasks: JSON comes back as it was, numbers stay arrays, anything else is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodc import values

BOXES = [[], [[0.1, 2.5, 3.0, 4.0]], [[1, 2, 3, 4], [5, 6, 7, 8]], None, "a dog", {"a": [True]}, "ü\ud800\0", 2**70]


def test_json_values_come_back_as_they_were_whatever_rows_are_taken() -> None:
    told = values.encoded(BOXES)
    assert values.decoded(told) == BOXES
    assert values.decoded(told[[6, 1]]) == [BOXES[6], BOXES[1]]
    assert values.objects(told).tolist() == BOXES
    assert values.decoded(values.encoded([np.arange(3), (np.float32(0.5), np.bool_(True))])) == [[0, 1, 2], [0.5, True]]


def test_lists_of_one_length_stay_lists_a_row() -> None:
    pairs = values.objects(values.encoded([[1, 2], [3, 4]]))
    assert pairs.shape == (2,)
    assert pairs.tolist() == [[1, 2], [3, 4]]
    assert values.boxed([np.ones(2), np.ones(2)]).shape == (2,)


def test_numbers_stay_an_array_and_are_nobody_elses() -> None:
    numbers = np.arange(6).reshape(3, 2)
    assert values.objects(numbers) is numbers
    values.decoded(numbers)[:] = 0
    assert numbers.sum() == 15
    assert values.kept(numbers).dtype == numbers.dtype
    assert values.kept(numbers / 3).dtype == np.float32


def test_where_and_people_see_text_as_it_is_and_programs_json() -> None:
    told = values.encoded(["cat", ["a"], 3])
    assert values.texts(told).tolist() == ["cat", '["a"]', "3"]
    assert values.written(values.objects(told)).tolist() == ['"cat"', '["a"]', "3"]


@pytest.mark.parametrize("bad", [float("nan"), [np.inf], {1, 2}, b"bytes", {(1, 2): 3}, object()])
def test_what_is_no_json_is_told_with_its_row(bad: Any) -> None:
    with pytest.raises(values.NoJson, match="row 1: "):
        values.encoded([1, bad])


def test_rows_far_longer_than_the_others_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "LARGEST", 1000)
    with pytest.raises(values.NoJson, match="row 2: its JSON text has 202 bytes, and each of 9 rows takes as many"):
        values.encoded([1, 2, "x" * 200, *range(6)])


def test_outputs_of_batches_are_joined_as_they_are() -> None:
    assert values.joined([np.ones((2, 3)), np.zeros((1, 3))]).shape == (3, 3)
    assert values.joined([[[1], []], [[2, 3]]]) == [[1], [], [2, 3]]
