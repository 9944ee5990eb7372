"""What MLflow is told of one training: its parameters, and its values as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from autodc.adapters.mlflow_changes import short_name, short_parameters
from autodc.evaluation import objective

_MOST_ZERO_WEIGHTS = 40  # candidates that are left out are named with weight 0 up to this many: charts need the zeros
_COSTS = ("train_seconds", "predict_ms", "model_mb")


def parameters_of(trial: Mapping[str, Any], candidates: Sequence[str]) -> dict[str, str]:
    """Hyperparameters, recipe, seed, fidelity, and the weight and stage of every dataset."""
    plan = trial["plan"]
    weights = dict(plan["mixture"])
    if len(candidates) <= _MOST_ZERO_WEIGHTS:
        weights = {**dict.fromkeys(candidates, 0), **weights}
    return short_parameters(
        {
            **plan["hyperparameters"],
            "recipe": plan["recipe"],
            "seed": trial["seed"],
            "fidelity": trial["fidelity"],
            **{f"weight.{name}": f"{weight:g}" for name, weight in weights.items()},
            **{f"stage.{name}": stage for name, stage in plan["stages"].items() if stage != "main"},
        }
    )


def values_of(outcome: Mapping[str, Any], terms: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Slices, objective and costs of a training, those that are no number too. terms: the slices of the study."""
    slices: Mapping[str, float] = outcome.get("slices", {})
    values: dict[str, Any] = {f"slice.{name}": value for name, value in slices.items()}
    values |= {f"soft.{name}": value for name, value in outcome.get("soft", {}).items()}
    if outcome.get("status") == "done":
        values |= {name: outcome[name] for name in _COSTS if name in outcome}
    weights = objective.weights(terms)
    if weights and weights.keys() <= slices.keys():
        values["objective"] = objective.mean(slices, weights)
    return {short_name(name): math.nan if value is None else float(value) for name, value in values.items()}
