"""Warnings that say the same of several places are told once, with the places."""

from __future__ import annotations

from autodc.review.folding import folded

NAMES = ["base", "march", "april", "may", "overall", "may_2"]


def near(name: str, count: int) -> str:
    return f"{count} of 500 rows of validation ({count / 5:.1f}%) are near copies of rows in {name}: take them out"


def test_alike_warnings_are_one_that_lists_the_places() -> None:
    told = folded([near("march", 12), near("april", 31), "slice overall is small", near("may", 7)], NAMES)
    assert told == [f"{near('march', 12)} (the same of april, may)", "slice overall is small"]


def test_names_in_backticks_are_places_too() -> None:
    told = folded([f"column `{name}` is left out" for name in ("a", "b", "c")], NAMES)
    assert told == ["column `a` is left out (the same of b, c)"]


def test_what_says_something_else_stands_alone() -> None:
    words = ["slice overall: too few rows", "slice overall: too many rows", "march has no targets"]
    assert folded(words, NAMES) == words


def test_a_name_within_another_is_not_taken_for_it() -> None:
    assert folded(["may_2 is near", "may is near"], NAMES) == ["may_2 is near (the same of may)"]


def test_numbers_tell_apart_where_nothing_else_does() -> None:
    assert folded(["row 3 is odd", "row 5 is odd"], NAMES) == ["row 3 is odd (the same of 5)"]


def test_many_places_are_counted() -> None:
    names = [f"d{i}" for i in range(40)]
    (told,) = folded([f"{name} is empty" for name in names], names)
    assert told.endswith("and 27 more)")
