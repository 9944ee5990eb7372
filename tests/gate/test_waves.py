"""The passer that advances is a function of the set of passers."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from autodc.gate.types import Look, SliceLook
from autodc.gate.waves import best_passer


def look(difference: float, reach: float) -> Look:
    objective = SliceLook(
        role="target",
        difference=difference,
        low=difference - reach,
        high=difference + reach,
        rows=100,
        pairs=1,
        standard_error=reach / 2,
        df=9.0,
        z=2.0,
        bound=2.0,
    )
    return Look(pairs=1, verdict="keep", reasons=("ADC-G001",), slices={}, objective=objective, alpha=0.01)


def test_a_sure_gain_goes_before_a_lucky_one() -> None:
    assert best_passer({"lucky": look(0.08, 0.07), "sure": look(0.05, 0.01)}) == "sure"


def test_the_order_does_not_matter_and_ties_are_settled() -> None:
    passers = {"c": look(0.5, 0.25), "a": look(0.625, 0.375), "b": look(0.625, 0.375), "d": look(0.125, 0.0625)}
    assert {best_passer(dict(order)) for order in permutations(passers.items())} == {"a"}


def test_one_passer_advances() -> None:
    one = look(0.01, 0.02)
    assert best_passer({"only": replace(one, verdict="keep")}) == "only"
