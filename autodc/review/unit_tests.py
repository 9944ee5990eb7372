"""Slices of a study that tell nothing, or all the same, by the trainings that its journal has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodc.diagnose.uninformative import UnitTests, unit_tests
from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome
from autodc.review.numbers import count, listed
from autodc.study.journal.state import State

Array = np.ndarray[Any, Any]


def unit_tests_of(state: State, rows: Mapping[str, Array] | None = None) -> UnitTests:
    """Find the slices on which no two models differ, and those that always move together.

    Models are the plans that were trained whole; trainings of one plan with other seeds tell its noise. rows: slice →
    its rows, where they were read.
    """
    cards = state.question.slices
    whole = [
        (one.trial, one.outcome)
        for one in state.trials
        if one.outcome is not None and one.outcome.status == "done" and one.trial.fidelity == 1 and not one.trial.forks
    ]
    values = [[_value(outcome, name, card) for name, card in cards.items()] for _, outcome in whole]
    models = [json.dumps(trial.plan.to_dict(), sort_keys=True) for trial, _ in whole]
    table = np.array(values, dtype=float).reshape(len(whole), len(cards))
    plans = [trial.plan for trial, _ in whole]
    return unit_tests(
        table,
        list(cards),
        models=np.array(models, dtype=object),
        rows=rows,
        made_of=_made_of(plans, (BASE, *state.candidates)),
    )


def unit_test_words(found: Mapping[str, Any] | None) -> list[str]:
    """One sentence for each slice, or slices. found: as JSON; None where it was not looked for."""
    if found is None:
        return []
    said = []
    for one in found["dull"]:
        if one["kind"] == "constant":
            said.append(f"{one['slice']}: {count(found['models'], 'model')} and not two that differ on it")
        else:
            said.append(f"{one['slice']}: models differ on it no more than trainings of one model do")
    for one in found["together"]:
        first, *others = one["slices"]
        why = ", for they are nearly the same rows" if one["same_rows"] else ""
        verb = "tells" if len(others) == 1 else "tell"
        pair = f"{listed(one['slices'])} always move together (correlation {one['correlation']:.2f}){why}"
        said.append(f"{pair}: {listed(others)} {verb} nothing that {first} does not")
    return said


def _made_of(plans: Sequence[Plan], datasets: Sequence[str]) -> Array:
    """Plans in numbers, shape (plans, d): weights of datasets, ranks of settings that are numbers, else flags."""
    columns: list[list[float]] = [[plan.mixture.weight(name) for plan in plans] for name in datasets]
    columns += [[float(name in plan.pretrain) for plan in plans] for name in datasets]
    settings = [{"recipe": plan.recipe, **plan.settings} for plan in plans]
    for name in sorted({name for one in settings for name in one}):
        values = [one.get(name) for one in settings]
        numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
        if len(numbers) == len(values):
            columns.append(np.unique(numbers, return_inverse=True)[1].ravel().astype(float).tolist())
        else:
            columns += [[float(str(value) == other) for value in values] for other in sorted({*map(str, values)})[1:]]
    table = np.array(columns, dtype=float).reshape(len(columns), len(plans)).T
    return table[:, np.ptp(table, axis=0) > 0] if len(plans) else table


def _value(outcome: Outcome, name: str, card: Mapping[str, Any]) -> float:
    """The metric on all rows of a slice, up is better, from those of gate and search; NaN where it is not known."""
    sides = [(outcome.slices.get(name), card.get("rows")), (outcome.explore.get(name), card.get("explore_rows"))]
    known = [(value, float(rows or 0)) for value, rows in sides if value is not None]
    weight = sum(rows for _, rows in known)
    return sum(value * rows for value, rows in known) / weight if weight else float("nan")
