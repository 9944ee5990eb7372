"""A challenger gives up the member that costs the guards at fault most, and nothing where guards are not why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from autodc.gate import reasons
from autodc.gate.retreat import costliest
from autodc.gate.types import Look, SliceLook


def seen(difference: float, step: str = "holds") -> SliceLook:
    return SliceLook(
        role="guard",
        difference=difference,
        low=difference - 0.01,
        high=difference + 0.01,
        rows=400,
        pairs=3,
        standard_error=0.01,
        df=9.0,
        z=0.0,
        bound=0.8,
        margin=0.03,
        step=step,
    )


def look(day: SliceLook, near: SliceLook, codes: tuple[str, ...] = (), verdict: str = "keep") -> Look:
    objective = replace(day, role="target", margin=None)
    return Look(
        pairs=3, verdict=verdict, reasons=codes, slices={"day": day, "near": near}, objective=objective, alpha=0.01
    )


MEMBERS = {
    "a": look(seen(-0.01), seen(-0.02)),
    "b": look(seen(-0.02), seen(0.0)),
    "c": look(seen(0.01), seen(0.01)),
}


@pytest.mark.parametrize(
    ("day", "near", "name"), [("harmed", "holds", "b"), ("holds", "not_settled", "a"), ("harmed", "harmed", "a")]
)
def test_the_member_that_costs_the_guards_at_fault_most_leaves(day: Any, near: Any, name: Any) -> None:
    failed = look(seen(-0.04, day), seen(-0.04, near), (reasons.HARM_GUARD,), "drop")
    assert costliest(failed, MEMBERS) == name
    assert costliest(failed, dict(reversed(MEMBERS.items()))) == name


@pytest.mark.parametrize("code", [reasons.FUTILE_TARGET, reasons.HARM_OBJECTIVE, reasons.LOST_PAIR, reasons.TOO_GOOD])
def test_nobody_leaves_where_guards_are_not_the_only_reason(code: Any) -> None:
    failed = look(seen(-0.04, "harmed"), seen(0.0), (reasons.HARM_GUARD, code), "drop")
    assert costliest(failed, MEMBERS) is None


def test_nobody_leaves_where_nobody_is_seen_to_cost_anything() -> None:
    failed = look(seen(-0.04, "harmed"), seen(0.0), (reasons.OPEN_GUARD, reasons.AT_CAP), "undecided")
    assert costliest(failed, {"c": MEMBERS["c"]}) is None
    assert costliest(failed, {}) is None


def test_nobody_leaves_a_challenger_that_is_kept() -> None:
    assert costliest(look(seen(-0.04, "harmed"), seen(0.0), (reasons.HARM_GUARD,)), MEMBERS) is None
