"""The tables of a result as plain data: slices before and after, what the model is made of, where MLflow has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.evaluation.evidence import FINDING
from autodc.masking import masked
from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.review.numbers import Numbers
from autodc.review.wording import of_finding
from autodc.study.direction import natural
from autodc.study.journal.state import State
from autodc.study.phases.order import view_of
from autodc.study.replacing import standing
from autodc.study.rules.latest_scores import freshest

RECIPES = {
    "concat": "all datasets together from the first step on",
    "pretrain_finetune": "the datasets of stage pretrain first, those of stage main after them",
    "continue": "the training goes on from the model of the incumbent",
    "adapt": "all together; datasets tagged synthetic are matched to the base's statistics and augmented more",
    "label_adapt": "all together; each dataset beside the base has a map of its own from the base's classes to its own",
    "curriculum": "datasets join one after the other",
}


def slice_rows(state: State, result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a slice: validation and test before and after in natural units, the test's difference.

    spread: least and largest score over the trainings that a validation mean is of, and how many there are.
    """
    validation, sealed = result["validation"], _sealed(result)
    spread = [_spread(state, plan) for plan in (state.start, state.incumbent)]
    return [
        {
            "name": name,
            "role": of_finding(name) if card["role"] == FINDING else card["role"],
            "rows": card.get("rows"),
            "margin": card.get("margin"),
            "weight": card.get("weight", 1.0),
            "validation": [validation[side].get(name) for side in ("before", "after")],
            "spread": [one.get(name) for one in spread],
            "test": [sealed[side].get(name) for side in ("before", "after")],
            "difference": sealed["differences"].get(name),
        }
        for name, card in state.question.slices.items()
    ]


def recipe(state: State, result: Mapping[str, Any]) -> dict[str, Any]:
    """What the model at the end is made of."""
    plan = result["incumbent"]
    rows = []
    for one in standing(state, Plan.from_dict(plan)):
        for name in one.of:
            card = state.card(name)
            known = card.get("rows")
            rows.append(
                {
                    "name": name,
                    "rows": known,
                    "weight": one.weight,
                    "drawn": None if known is None or len(one.of) > 1 else round(known * one.weight),
                    "stage": one.stage,
                    "cost": card.get("cost", 0),
                    "replaces": one.replaces,
                }
            )
    return {
        "mixture": sorted(rows, key=lambda r: BASE not in (r["name"], r["replaces"])),
        "recipe": plan["recipe"],
        "words": RECIPES.get(plan["recipe"], ""),
        "hyperparameters": dict(plan["hyperparameters"]),
        "changed": _changed(state, plan["hyperparameters"]),
    }


def reference(result: Mapping[str, Any]) -> dict[str, str] | None:
    """Where MLflow has the study, without secrets."""
    found = result.get("mlflow")
    return {k: masked(str(v)) for k, v in found.items()} if found else None


def scales(state: State, result: Mapping[str, Any]) -> Numbers:
    """The precision of the page, from the largest value of the metric on any slice."""
    sealed = _sealed(result)
    sides = (*result["validation"].values(), sealed["before"], sealed["after"])
    values = [v for side in sides for v in side.values()]
    return Numbers.for_values(values or [v for t in state.trials if t.outcome for v in t.outcome.slices.values()])


def _changed(state: State, now: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters of the start that are another now: name → value at the start."""
    start = state.start.settings if state.start else {}
    return {name: start.get(name) for name, value in now.items() if start.get(name) != value}


def _sealed(result: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    return result["test"] or {"before": {}, "after": {}, "differences": {}}


def _spread(state: State, plan: Plan | None) -> dict[str, tuple[float, float, int]]:
    runs = freshest(view_of(state), plan)
    each = {name: [natural(state, run[name]) for run in runs] for name in (runs[0] if runs else ())}
    return {name: (min(values), max(values), len(values)) for name, values in each.items()}
