"""What methods score on the slices of a study: values with intervals, trade-offs, and one method held to another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, final

import numpy as np

from autodc.errors import InputError
from autodc.evaluation import objective
from autodc.evaluation.intervals import LEVEL, value_interval
from autodc.evaluation.own_metric import MetricError
from autodc.evaluation.scores import Keep, PairedOutputs, compare, row_scores, score, slice_value
from autodc.evaluation.slices import Slice, slice_card
from autodc.gate.limits import EXACT, weighed
from autodc.gate.regression import POWER, Contrast, contrasts, regressions
from autodc.gate.thresholds import HARM_ALPHA
from autodc.verbs.measuring import Measured
from autodc.wire.inputs import Inputs

Array = np.ndarray[Any, Any]

QUANTILES = {"p50": 50, "p95": 95, "p99": 99}
TIMINGS = 5
"""Stretches into which the calls of a method are cut, whose medians say how much its time moves."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """What a method scores."""

    name: str
    arrays: Mapping[str, Array]
    """Per row, as `evaluation.scores.score` keeps it."""
    slices: Mapping[str, dict[str, Any]]
    """Slice → value, low, high, rows."""
    oriented: Mapping[str, float]
    """Slice → value, up is better."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Everything that is said of a method, as JSON has it."""

    mine: dict[str, Any]
    """slices, objective and tradeoffs of the method."""
    plain: dict[str, Any]
    """Slice → value of the constant."""
    other: dict[str, Any] | None
    """The same as `mine` of the one it is held to."""
    contrasts: dict[str, Any] = field(default_factory=dict)
    """differences, limits, regressions, improvements, and how they were told."""
    notes: tuple[str, ...] = ()
    oriented: Mapping[str, float] = field(default_factory=dict)
    terms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """oriented, terms: values of the method and cards of the slices, for MLflow."""

    @property
    def slow(self) -> bool:
        """Whether the method seems to break a limit of time, which another load of the machine may have done."""
        return bool(self.contrasts) and any(
            one["broken"] for name, one in self.contrasts["limits"].items() if name not in EXACT
        )

    def timed_again(self, inputs: Inputs, seen: Sequence[Measured]) -> Judged:
        """The same, where a limit of time is broken only if it is by a second measurement of both as well."""
        again = _limits(inputs, seen)
        limits = {
            name: one
            if name in EXACT
            else {**one, "again": again[name]["times"], "broken": one["broken"] and again[name]["broken"]}
            for name, one in self.contrasts["limits"].items()
        }
        held = [name for name, one in limits.items() if not one["broken"]]
        regressed = [name for name in self.contrasts["regressions"] if name not in held]
        return replace(self, contrasts={**self.contrasts, "limits": limits, "regressions": regressed})


def scored(inputs: Inputs, outputs: Mapping[str, Array], name: str) -> Scored:
    """Score a method on every slice, on all rows. Raises InputError ADC-EVAL-004 where the metric cannot."""
    metric, table = inputs.metric, inputs.table
    keep = Keep(soft=False, outputs=False)
    try:
        arrays = score(table, metric, inputs.spec.task.kind, outputs, keep).arrays
        slices = {one.name: _slice(inputs, one, arrays) for one in table.slices}
    except MetricError as error:
        raise InputError("ADC-EVAL-004", f"the metric cannot score {name}", error.place, str(error)) from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        got = f"metric {metric.name} raises {type(error).__name__}: {error}"
        raise InputError("ADC-EVAL-004", f"the metric cannot score {name}", "metrics.primary", got) from error
    oriented = {n: metric.sign * one["value"] for n, one in slices.items() if one["value"] is not None}
    if odd := [n for n, value in oriented.items() if not math.isfinite(value)]:
        got = f"metric {metric.name} is not a finite number on slice {odd[0]}"
        raise InputError("ADC-EVAL-004", f"the metric cannot score {name}", "metrics.primary", got)
    return Scored(name=name, arrays=arrays, slices=slices, oriented=oriented)


def judged(inputs: Inputs, arms: Sequence[Scored], seen: Sequence[Measured], plain: Scored) -> Judged:
    """Say what the first arm is worth, and hold it to the second where there is one."""
    mine, *others = arms
    rows = inputs.spec.gate.min_rows
    small = [one.name for one in inputs.table.slices if not one.is_evidence(rows)]
    notes = [f"slice {name} has too few rows or groups to show anything" for name in small]
    notes += [
        f"{one.name} answers with labels: whatever reads scores sees 0 and 1"
        for one, cost in zip(arms, seen, strict=True)
        if cost.cost["labels"]
    ]
    told = [
        {"slices": one.slices, "objective": _objective(inputs, one), "tradeoffs": tradeoffs(cost)}
        for one, cost in zip(arms, seen, strict=True)
    ]
    return Judged(
        mine=told[0],
        plain={name: one["value"] for name, one in plain.slices.items()},
        other=told[1] if others else None,
        contrasts=_contrasts(inputs, mine, others[0], seen) if others else {},
        notes=tuple(notes),
        oriented=mine.oriented,
        terms={one.name: slice_card(one, rows) for one in inputs.table.slices},
    )


def tradeoffs(seen: Measured) -> dict[str, Any]:
    """What a method costs: milliseconds, and sizes in 10**6 bytes; null where it is not known."""
    cost = seen.cost
    size = max((rows for rows, _ in cost["batches"]), default=0)
    first, *others = cost["batches"] or [(0, 0.0)]
    alike = [seconds for rows, seconds in (*others, *cost["again"]) if rows == size]
    alone = len(others) + len(cost["again"]) == 0
    batch = {"rows": size, **_quantiles(alike or [first[1]]), "cold": alone}
    return {
        "predict_ms": seen.predict_ms,
        "row_ms": _quantiles(cost["singles"]) if cost["singles"] else None,
        "batch_ms": batch,
        "load_seconds": round(cost["load_seconds"], 6),
        "predict_seconds": round(cost["predict_seconds"], 6),
        "timing_seconds": round(sum(seconds for _, seconds in cost["again"]) + sum(cost["singles"]), 6),
        "memory_mb": round(cost["memory_mb"], 1),
        "memory_added_mb": round(cost["memory_added_mb"], 1),
        "model_mb": cost["size_mb"],
    }


def _quantiles(seconds: Sequence[float]) -> dict[str, Any]:
    values = np.asarray(seconds, dtype=float) * 1e3
    found = {name: float(np.percentile(values, at)) for name, at in QUANTILES.items()}
    return {**found, "calls": len(values)}


def _slice(inputs: Inputs, one: Slice, arrays: Mapping[str, Array]) -> dict[str, Any]:
    """The metric of one slice with its interval; null where it is not defined."""
    metric, table = inputs.metric, inputs.table
    told = {"role": one.role, "weight": one.weight, "margin": one.margin, "rows": len(one.rows), "groups": one.groups}
    if not one.defined:
        return {"value": None, "low": None, "high": None, **told}
    value = metric.natural(slice_value(table, metric, one, arrays))
    rows = row_scores(table, metric, one, arrays, soft=False)
    low, high = value_interval(metric, rows, one.clusters, table.targets[one.part][one.rows])
    return {"value": value, "low": min(low, value), "high": max(high, value), **told}


def _objective(inputs: Inputs, one: Scored) -> float | None:
    """The weighted mean of the targets, in the units of the metric."""
    targets = inputs.table.objective(inputs.spec.gate.min_rows)
    mean = objective.mean(one.oriented, {target.name: target.weight for target in targets})
    return None if mean is None else inputs.metric.natural(mean)


def _contrasts(inputs: Inputs, mine: Scored, other: Scored, seen: Sequence[Measured]) -> dict[str, Any]:
    """Where the one is shown worse than the other, on the same rows."""
    pairs = PairedOutputs(challenger=[mine.arrays], incumbent=[other.arrays])
    found = contrasts(compare(inputs.table, inputs.metric, pairs), inputs.spec.gate.min_rows)
    limits = _limits(inputs, seen)
    spoken = [one for one in found.values() if one.standing != "no evidence"]
    return {
        "differences": {name: _difference(inputs, one) for name, one in found.items()},
        "limits": limits,
        "regressions": [*regressions(found), *(name for name, one in limits.items() if one["broken"])],
        "improvements": [name for name, one in found.items() if one.standing == "better"],
        "family": {"alpha": HARM_ALPHA, "slices": len(spoken), "correction": "Holm", "level": LEVEL, "power": POWER},
    }


def _difference(inputs: Inputs, one: Contrast) -> dict[str, Any]:
    """A contrast as JSON: differences up is better, whatever the metric."""
    told = {name: value for name, value in asdict(one).items() if not isinstance(value, float) or math.isfinite(value)}
    return {**dict.fromkeys(("difference", "low", "high", "shows")), **told, "better_is_up": True}


def _limits(inputs: Inputs, seen: Sequence[Measured]) -> dict[str, dict[str, Any]]:
    """The limits of the study, with the other method in the place of the start."""
    most = inputs.spec.metrics.most
    mine, other = (_costs(one) for one in seen[:2])
    return {
        name: {
            "value": cost.challenger,
            "other": cost.start,
            "times": cost.times,
            "surely": cost.surely,
            "allowed": cost.allowed,
            "broken": cost.surely > cost.allowed,
        }
        for name, cost in weighed(most, other, mine).items()
    }


def _costs(seen: Measured) -> dict[str, Sequence[float]]:
    """Trade-off → what was measured of it, several times where it moves."""
    cost = seen.cost
    size = max((rows for rows, _ in cost["batches"]), default=0)
    calls = [s / n * 1e3 for n, s in (*cost["batches"][1:], *cost["again"]) if n == size] or [seen.predict_ms]
    stretches = np.array_split(np.array(calls), min(TIMINGS, len(calls)))
    model = cost["size_mb"] or 0.0
    return {"predict_ms": [float(np.median(one)) for one in stretches], "model_mb": [model, model]}
