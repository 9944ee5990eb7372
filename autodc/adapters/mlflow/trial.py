"""What MLflow is told of one training: its parameters, its values as numbers, and its tags."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from autodc.adapters.mlflow.changes import short_name
from autodc.evaluation import objective
from autodc.study.journal import events as ev

_MOST_ZERO_WEIGHTS = 40  # candidates that are left out are named with weight 0 up to this many: charts need the zeros
VALIDATION = "validation/"
"""What the names of metrics of gate rows begin with: MLflow makes a section of charts of what stands before a slash."""
_COSTS = ("train_seconds", "predict_ms", "model_mb")


def parameters_of(trial: Mapping[str, Any], candidates: Sequence[str]) -> dict[str, str]:
    """Hyperparameters, recipe, fidelity, and the weight and stage of every dataset. No seed: it is a tag."""
    plan = trial["plan"]
    weights = dict(plan["mixture"])
    if len(candidates) <= _MOST_ZERO_WEIGHTS:
        weights = {**dict.fromkeys(candidates, 0), **weights}
    told = {
        **{("hyperparameter.seed" if name == "seed" else name): v for name, v in plan["hyperparameters"].items()},
        "recipe": plan["recipe"],
        "fidelity": trial.get("fidelity", 1.0),
        **{f"weight.{name}": f"{weight:g}" for name, weight in weights.items()},
        **{f"stage.{name}": stage for name, stage in plan["stages"].items() if stage != "main"},
    }
    return {name: str(value) for name, value in told.items()}


def description(role: str, round_number: int, trial: Mapping[str, Any], error: str) -> str:
    """A training in a sentence. error: what a failed one said."""
    plan = trial["plan"]
    data = mixture_words(plan["mixture"])
    settings = ", ".join(f"{name} {_short(value)}" for name, value in plan["hyperparameters"].items())
    told = f"{role}, round {round_number}: {data}; recipe {plan['recipe']}{f'; {settings}' if settings else ''}."
    return f"{told} Failed: {error}" if error else told


def mixture_words(mixture: Mapping[str, float]) -> str:
    """Datasets and their weights."""
    return ", ".join(f"{name} × {weight:.3g}" for name, weight in mixture.items())


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def values_of(outcome: Mapping[str, Any], terms: Mapping[str, Mapping[str, Any]], sign: float) -> dict[str, float]:
    """Slices, objective and costs of a training, those that are no number too.

    validation/SLICE is of the gate rows, explore/SLICE of the rows that the search sees, as the user knows the metric;
    soft/SLICE is the soft score on gate rows, up is better. terms: the slices of the study; sign: −1 where the metric
    is better when lower.
    """
    slices: Mapping[str, float] = outcome.get("slices", {})
    values: dict[str, Any] = {f"{VALIDATION}{name}": _times(sign, value) for name, value in slices.items()}
    values |= {f"explore/{name}": _times(sign, value) for name, value in outcome.get("explore", {}).items()}
    values |= {f"soft/{name}": value for name, value in outcome.get("soft", {}).items()}
    if outcome.get("status") == "done":
        values |= {f"cost/{name}": outcome[name] for name in _COSTS if name in outcome}
    mean = objective_of(slices, terms)
    if mean is not None:
        values["objective"] = sign * mean
    return {short_name(name): math.nan if value is None else float(value) for name, value in values.items()}


def trial_tags(planned: ev.TrialPlanned, outcome: Mapping[str, Any], values: Mapping[str, float]) -> dict[str, str]:
    """What a person filters trainings by. values: those that are no number are tags, for MLflow would bend them."""
    trial, failed = planned.trial, outcome.get("status") != "done"
    odd = {name: value for name, value in values.items() if not math.isfinite(value)}
    return {
        "autodc.phase": str(trial["phase"]),
        "autodc.round": str(planned.round),
        "autodc.trial": str(trial["number"]),
        "autodc.seed": str(trial["seed"]),
        "autodc.status": str(outcome.get("status")),
        "autodc.origin": planned.origin,
        "autodc.attempts": str(outcome.get("attempts", 1)),
        **{f"autodc.not_finite.{name}": str(value) for name, value in odd.items()},
        **({"autodc.error": str(outcome.get("error", ""))} if failed else {}),
        **({"autodc.warm_start": f"trial {trial['warm_start']}"} if trial.get("warm_start") is not None else {}),
    }


def objective_of(slices: Mapping[str, float], terms: Mapping[str, Mapping[str, Any]]) -> float | None:
    """The objective of oriented values; None where a target was not measured."""
    weights = objective.weights(terms)
    return objective.mean(slices, weights) if weights and weights.keys() <= slices.keys() else None


def _times(sign: float, value: float | None) -> float | None:
    return None if value is None else sign * value
