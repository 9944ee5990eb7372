"""The page's tables as plain data: verdicts, slices, evidence, the recipe, what was spent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from autodc.gate.types import Kind
from autodc.report import charts
from autodc.review import views
from autodc.review.numbers import Numbers
from autodc.study.journal.state import ComparisonState, State

FINDINGS = {"keep": "kept", "drop": "dropped", "undecided": "undecided"}

RECIPES = {
    "concat": "all datasets together from the first step on",
    "pretrain_finetune": "the datasets of stage pretrain first, those of stage main after them",
    "continue": "the training goes on from the model of the incumbent",
}

PHASES = {
    "calibration": "the model of the start again and again, to learn how much luck there is",
    "search": "mixtures and settings that were tried",
    "gate": "pairs of trainings for the verdicts",
    "credit": "either the data or the settings of the end alone, to say which did it",
    "test": "start and end with fresh seeds, for the sealed test set",
}

KINDS: dict[Kind, str] = {"dataset": "dataset", "tuning": "settings alone", "bundle": "several together"}

TOGETHER = "all targets together"

_PASSWORD = re.compile(r"//[^/@\s]+@")


def verdicts(state: State) -> list[dict[str, Any]]:
    """Rows of the verdict table, kept ones first, each with the drawing of its interval."""
    order = {"keep": 0, "undecided": 1, "drop": 2}
    rows = sorted(views.verdict_rows(state), key=lambda r: order[r["verdict"]])
    scale = charts.difference_scale(rows)
    slices = state.question.slices
    for row in rows:
        margin = slices.get(row["slice"], {}).get("margin") if row["slice"] else None
        row |= {"bar": charts.bar(row, scale, margin), "tags": state.card(row["dataset"]).get("tags", ())}
    return rows


def slice_rows(state: State, result: Mapping[str, Any], sign: float) -> list[dict[str, Any]]:
    """One row a slice: validation and test before and after in natural units, the test's difference, the drawings."""
    validation, sealed = result["validation"], result["test"] or {"before": {}, "after": {}, "differences": {}}
    sides = (validation["before"], validation["after"], sealed["before"], sealed["after"])
    scale = charts.value_scale([v for side in sides for v in side.values()])
    differences = charts.difference_scale(sealed["differences"].values())
    spread = {plan: _spread(state, plan == "after", sign) for plan in ("before", "after")}
    rows = []
    for name, known in state.question.slices.items():
        seen = sealed["differences"].get(name)
        rows.append(
            {
                "name": name,
                "role": known["role"],
                "rows": known.get("rows"),
                "margin": known.get("margin"),
                "weight": known.get("weight", 1.0),
                "validation": [validation["before"].get(name), validation["after"].get(name)],
                "spread": [spread["before"].get(name), spread["after"].get(name)],
                "test": [sealed["before"].get(name), sealed["after"].get(name)],
                "difference": seen,
                "drawn": [charts.dumbbell(side[0].get(name), side[1].get(name), scale) for side in _by_two(sides)],
                "bar": None if seen is None else charts.bar(seen, differences, known.get("margin")),
                "ends": (scale.low, scale.high),
            }
        )
    return rows


def evidence(state: State) -> list[dict[str, Any]]:
    """Every candidate with its card, its paragraph and all its tests, in the order of the study file."""
    return [views.why(state, name) | {"comparisons": _compared(state, name)} for name in state.candidates]


def other_tests(state: State) -> list[dict[str, Any]]:
    """The tests that were not about one dataset alone: settings, and several datasets together."""
    return [_comparison(one) for one in state.comparisons if one.kind != "dataset"]


def recipe(state: State, result: Mapping[str, Any]) -> dict[str, Any]:
    """What the model at the end is made of."""
    plan = result["incumbent"]
    rows = []
    for name, weight in plan["mixture"].items():
        card = state.card(name)
        known = card.get("rows")
        rows.append(
            {
                "name": name,
                "rows": known,
                "weight": weight,
                "drawn": None if known is None else round(known * weight),
                "stage": plan["stages"].get(name, "main"),
                "cost": card.get("cost", 0),
            }
        )
    return {
        "mixture": sorted(rows, key=lambda r: r["name"] not in ("base",)),
        "recipe": plan["recipe"],
        "words": RECIPES.get(plan["recipe"], ""),
        "hyperparameters": dict(plan["hyperparameters"]),
        "changed": _changed(state, plan["hyperparameters"]),
    }


def reference(result: Mapping[str, Any]) -> dict[str, str] | None:
    """Where MLflow has the study, passwords in its address left out."""
    found = result.get("mlflow")
    return {k: _PASSWORD.sub("//…@", str(v)) for k, v in found.items()} if found else None


def scales(state: State, result: Mapping[str, Any]) -> Numbers:
    """The precision of the page, from the largest value of the metric on any slice."""
    sealed = result["test"] or {"before": {}, "after": {}}
    sides = (*result["validation"].values(), sealed["before"], sealed["after"])
    values = [v for side in sides for v in side.values()]
    return Numbers.for_values(values or [v for t in state.trials if t.outcome for v in t.outcome.slices.values()])


def _compared(state: State, name: str) -> list[dict[str, Any]]:
    return [
        _comparison(t) for t in state.comparisons if t.subject == name or (name in t.members and t.purpose == "whole")
    ]


def _comparison(comparison: ComparisonState) -> dict[str, Any]:
    shown = views.comparison_view(comparison)
    seen = [s for look in shown["looks"] for s in (*look["slices"].values(), look["objective"])]
    scale = charts.difference_scale(seen)
    looks = [
        {
            "pairs": look["pairs"],
            "advice": look.get("advice", ""),
            "rows": [
                {**s, "name": name, "bar": charts.bar(s, scale, s["margin"])}
                for name, s in [*look["slices"].items(), (TOGETHER, _whole(look["objective"]))]
            ],
        }
        for look in shown["looks"]
    ]
    return shown | {"looks": looks, "kind_words": KINDS.get(comparison.kind, comparison.kind)}  # type: ignore[call-overload]


def _whole(objective: Mapping[str, Any]) -> dict[str, Any]:
    """The targets together; their bound is shown only where it decides, not where a single target has passed."""
    z, bound = objective["z"], objective["bound"]
    passed = objective["gained"] == "improved" and None not in (z, bound) and z < bound
    return {**objective, "bound": None if passed else bound}


def _changed(state: State, now: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters of the start that are another now: name → value at the start."""
    start = state.start.settings if state.start else {}
    return {name: start.get(name) for name, value in now.items() if start.get(name) != value}


def _spread(state: State, after: bool, sign: float) -> dict[str, tuple[float, float, int]]:
    """Slice → least and largest score over the trainings that the mean is of, and how many there are."""
    plan = state.incumbent if after else state.start
    for phases in (("test", "credit"), ("gate", "calibration")):
        runs = [
            t.outcome.slices
            for t in state.trials
            if t.trial.plan == plan and t.trial.phase in phases and t.outcome is not None and t.outcome.slices
        ]
        if runs:
            return {name: _ends([sign * run[name] for run in runs]) for name in runs[0]}
    return {}


def _ends(values: list[float]) -> tuple[float, float, int]:
    return min(values), max(values), len(values)


def _by_two(sides: tuple[Mapping[str, float], ...]) -> list[tuple[Mapping[str, float], Mapping[str, float]]]:
    return [(sides[0], sides[1]), (sides[2], sides[3])]
