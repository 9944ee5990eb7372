"""A class that the base does not have is told with the one that was meant."""

from __future__ import annotations

from autodc.data.renaming import renaming


def test_the_class_that_was_meant_is_named_with_the_option() -> None:
    told = renaming(["Dog", "catt", "zebra"], ("cat", "dog"))
    assert told.startswith("did you mean options: {map: {Dog: dog, catt: cat}}?")


def test_where_none_is_near_all_that_are_known_are_told() -> None:
    told = renaming(["zebra"], tuple(range(100, 140)))
    assert "the base has 100, 101" in told
    assert "and 20 more" in told
    assert "`labels` of a candidate" in told
