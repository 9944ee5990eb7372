"""Two fixed models on the same rows: what is told worse is worse, and equals are not told apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodc.evaluation.evidence import SliceEvidence
from autodc.gate.noise import OBJECTIVE
from autodc.gate.regression import contrasts, regressions

Array = np.ndarray[Any, Any]


def slice_of(moved: Array, role: str = "target", margin: float | None = None, clusters: Array | None = None) -> Any:
    return SliceEvidence(
        name="s",
        role=role,  # type: ignore[arg-type]
        weight=1.0,
        margin=margin,
        declared=False,
        differences=np.asarray(moved, dtype=float)[None, :],
        clusters=clusters,
    )


def hits(rng: np.random.Generator, rows: int, lost: float, won: float) -> Array:
    u = rng.random(rows)
    return np.where(u < lost, -1.0, np.where(u > 1 - won, 1.0, 0.0))


def false_alarms(nights: int, seed: int) -> float:
    """Share of nights in which equal models are told apart on some of six slices, small ones among them."""
    rng = np.random.default_rng(seed)
    told = 0
    for _ in range(nights):
        found = {f"s{k}": slice_of(hits(rng, rows, 0.08, 0.08)) for k, rows in enumerate((40, 60, 150, 400, 900))}
        found["loss"] = slice_of(rng.standard_t(4, 200), role="guard")
        told += bool(regressions(contrasts(found, 30)))
    return told / nights


@pytest.mark.slow(seconds=4)
def test_equal_models_are_told_apart_in_one_evaluation_of_twenty_at_most() -> None:
    assert false_alarms(400, 1) <= 0.05 + 1.645 * np.sqrt(0.05 * 0.95 / 400)


def test_a_clear_loss_is_told_and_a_clear_gain_too() -> None:
    rng = np.random.default_rng(2)
    found = contrasts(
        {
            "down": slice_of(hits(rng, 500, 0.15, 0.03)),
            "up": slice_of(hits(rng, 500, 0.03, 0.15)),
            "same": slice_of(hits(rng, 500, 0.05, 0.05)),
        },
        30,
    )
    assert {name: one.standing for name, one in found.items() if name != OBJECTIVE} == {
        "down": "worse",
        "up": "better",
        "same": "open",
    }
    assert found["down"].high < 0 < found["up"].low
    assert regressions(found) == ["down"]
    assert 0 < found["same"].shows < 0.06
    assert OBJECTIVE in found


def test_three_rows_that_differ_are_no_regression_whatever_student_says() -> None:
    moved = np.zeros(40)
    moved[:3] = -1
    (one,) = contrasts({"few": slice_of(moved)}, 30).values()
    assert one.worse == pytest.approx(0.125)
    assert one.standing == "open"


@pytest.mark.parametrize(
    ("lost", "margin", "standing"),
    [(0.12, 0.02, "worse"), (0.12, 0.30, "slipped"), (0.0, 0.05, "held"), (0.0, None, "open")],
)
def test_a_guard_is_held_to_its_margin(lost: float, margin: float | None, standing: str) -> None:
    moved = np.zeros(800)
    moved[: int(lost * 800)] = -1
    moved[-8:] = 1
    moved[-16:-8] = -1
    (one,) = contrasts({"guard": slice_of(moved, role="guard", margin=margin)}, 30).values()
    assert one.standing == standing


def test_copies_count_as_one_and_few_groups_are_no_evidence() -> None:
    moved = np.where(np.arange(12) < 9, -1.0, 0.0)
    alone = contrasts({"s": slice_of(np.repeat(moved, 50))}, 30)["s"]
    copied = contrasts({"s": slice_of(np.repeat(moved, 50), clusters=np.repeat(np.arange(12), 50))}, 30)["s"]
    assert alone.standing == "worse"
    assert copied.standing == "no evidence"
    assert copied.groups == 12


def test_the_same_method_twice_is_neither_better_nor_worse() -> None:
    (one,) = contrasts({"s": slice_of(np.zeros(100))}, 30).values()
    assert (one.standing, one.difference, one.low, one.high) == ("open", 0.0, 0.0, 0.0)
