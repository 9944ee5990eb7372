from __future__ import annotations

import math

import pytest

from autodc.report.charts import bar, difference_scale
from autodc.review.numbers import Numbers, count, duration, listed


@pytest.mark.parametrize(
    ("values", "shown"),
    [([0.9123, 0.5], "0.912"), ([25.3149], "25.31"), ([3.12549], "3.125"), ([0.000412345], "0.000412"), ([], "–")],
)
def test_the_largest_value_sets_the_places(values: list[float], shown: str) -> None:
    assert Numbers.for_values(values).plain(values[0] if values else None) == shown


def test_a_difference_has_a_sign_and_nothing_is_minus_zero() -> None:
    numbers = Numbers(3)
    assert numbers.signed(0.0414) == "+0.041"
    assert numbers.signed(-0.0414) == "−0.041"
    assert numbers.signed(-0.0001) == numbers.signed(0.0001) == "0.000"
    assert numbers.plain(-0.0) == "0.000"
    assert numbers.signed(math.nan) == "–"
    assert numbers.span(None, None) == "not known"


def test_times_counts_and_lists_read_as_words() -> None:
    assert [duration(s) for s in (41, 98, 3599, 3700, 200_000, None)] == [
        "41 s",
        "2 min",
        "1 h 00 min",
        "1 h 02 min",
        "2 d 8 h",
        "–",
    ]
    assert (count(1, "test"), count(2, "test")) == ("1 test", "2 tests")
    assert (listed([]), listed(["a"]), listed(["a", "b", "c"])) == ("none", "a", "a, b and c")


def test_an_interval_is_drawn_where_its_numbers_lie_on_one_scale_for_all() -> None:
    rows = [{"difference": 0.2, "low": 0.1, "high": 0.3}, {"difference": -0.1, "low": -9.0, "high": 0.05}]
    scale = difference_scale(rows)
    good, wide = bar(rows[0], scale), bar(rows[1], scale)
    assert good is not None
    assert wide is not None
    assert good["zero"] < good["low"] < good["point"] < good["high"]
    assert (good["tone"], wide["tone"]) == ("good", "open")
    assert wide["cut_low"]
    assert not good["cut_low"]
    assert wide["low"] < wide["point"] < wide["zero"] < wide["high"]


def test_a_tolerated_loss_is_not_drawn_as_harm() -> None:
    row = {"difference": -0.01, "low": -0.015, "high": -0.005}
    scale = difference_scale([row])
    tones = [bar(row, scale, margin)["tone"] for margin in (None, 0.02, 0.004)]  # type: ignore[index]
    assert tones == ["bad", "open", "bad"]
