"""A challenger whose members cost a guard too much together gives up the dearest, and keeps the rest."""

from __future__ import annotations

from typing import Any

import pytest

DEAR = {
    "gate__evidence": "each",
    "data__explore_share": 0,
    "seed": 2,
    "budget__trainings": 120,
    "loop__rounds": 1,
    "search__trials_per_round": 2,
    "gate__looks": [4, 6, 8],
    "gate__fdr": 0.2,
    "gate__planned_tests": 10,
    "data__candidates": [{"name": name, "source": f"data/{name}.npz"} for name in ("near_dear", "far_dear")],
}
BOTH = {"near_dear": 1.0, "far_dear": 1.0}


def slices(margin: float) -> list[dict[str, object]]:
    return [
        {"name": "bright", "where": "region = 'bright'", "role": "guard", "margin": margin},
        {"name": "dark", "where": "region = 'dark'", "role": "target"},
    ]


@pytest.fixture(scope="module")
def dear(world: Any, scripted: Any) -> Any:
    """Either member spoils a sixth of the bright rows; finished, with its journal."""

    def made(margin: Any, flight: Any = 1) -> Any:
        hand = world(**{**DEAR, "slices": slices(margin)})
        rows = []
        study = hand.open(rows, scripted(hand.inputs.start, BOTH))
        hand.finish(study, flight)
        return study, rows, hand

    return made


def wholes(study: Any) -> Any:
    return [t for t in study.state.comparisons if t.purpose == "whole"]


@pytest.mark.slow
def test_the_rest_is_tested_and_kept_where_all_together_harm_a_guard(dear: Any) -> None:
    study, _, _ = dear(0.22)
    first, second = wholes(study)
    assert [t.verdict for t in study.state.comparisons if t.purpose == "removal"][:2] == ["keep", "keep"]
    assert (first.verdict, len(first.members)) == ("drop", 2)
    assert (second.verdict, len(second.members)) == ("keep", 1)
    assert study.state.kept == second.members


@pytest.mark.slow
def test_nothing_is_given_up_where_the_guard_holds(dear: Any) -> None:
    study, _, _ = dear(0.5)
    assert [t.verdict for t in wholes(study)] == ["keep"]
    assert set(study.state.kept) == set(BOTH)


@pytest.mark.slow
def test_a_stop_after_the_retreat_changes_nothing(dear: Any, scripted: Any, essence: Any) -> None:
    study, rows, hand = dear(0.22)
    failed = next(n for n, (kind, _, text) in enumerate(rows) if kind == "VerdictReached" and "+" in text)
    for cut in (failed, failed + 1, failed + 3):
        again = hand.open(rows[:cut], scripted(hand.inputs.start, BOTH))
        hand.finish(again, 2)
        assert essence(again) == essence(study)
