"""What MLflow is told of the end of a study: the test set, the credit, and the end beside the obvious baselines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.adapters.mlflow.changes import STUDY, RunChange, milliseconds, stepped
from autodc.adapters.mlflow.trial import objective_of
from autodc.review.beside import NAMES, line
from autodc.review.simple import called
from autodc.study.journal import events as ev
from autodc.study.rules.last import START

TEST = "test/"
"""What the names of metrics of the sealed test begin with; step 0 is the start, step 1 the end."""


def measured(event: ev.TestSetMeasured) -> RunChange:
    """Start and end on the sealed test, and the obvious beside them."""
    time = milliseconds(event.time)
    gains = {f"test_gain/{name}": one.get("difference") for name, one in event.differences.items()}
    history = {
        **stepped(time, 0, {f"{TEST}{name}": value for name, value in event.before.items()}),
        **stepped(time, 1, {f"{TEST}{name}": value for name, value in event.after.items()}),
        **stepped(time, 1, gains),
    }
    told = RunChange(key=STUDY, history=history)
    return told if event.baselines is None else told.then(_baselines(event.baselines, "test", time))


def credited(event: ev.GainCredited) -> list[RunChange]:
    """What the gain is made of; and the obvious on the gate rows of validation, which the test's replaces."""
    time, changes = milliseconds(event.time), []
    if event.credit is not None:
        parts = {f"credit/{part}": event.credit[part]["difference"] for part in _PARTS}
        datasets = event.credit.get("datasets") or {}
        parts |= {f"credit.dataset/{name}": one["difference"] for name, one in datasets.items()}
        words = ", ".join(f"{part} {event.credit[part]['difference']:+.4g}" for part in _PARTS)
        changes.append(RunChange(key=STUDY, history=stepped(time, 0, parts), tags={"autodc.credit": words}))
    if event.baselines is not None:
        changes.append(_baselines(event.baselines, "gate", time))
    return changes


_PARTS = ("total", "data", "hyperparameters", "interaction")


def simple(event: ev.BaselineMeasured, sign: float, terms: Mapping[str, Mapping[str, Any]]) -> RunChange:
    """baseline.gate/METHOD: the objective of a simple baseline; why it failed, where it did.

    sign: 1, or −1 where the metric is better when lower; terms: the slices of the study.
    """
    value = objective_of(event.outcome.get("slices", {}), terms)
    failed = {f"baseline.failed/{called(event.name)}": str(event.outcome.get("error", ""))} if value is None else {}
    values = {f"baseline.gate/{called(event.name)}": None if value is None else sign * value}
    return RunChange(key=STUDY, history=stepped(milliseconds(event.time), 0, values), tags=failed)


def baselines_line(arms: Mapping[str, Mapping[str, Any]]) -> str:
    """End and the obvious beside each other, in a line."""
    return line({arm: {"objective": arms.get(arm, {}).get("objective"), "mixture": arm} for arm in NAMES})


def _baselines(arms: Mapping[str, Mapping[str, Any]], rows: str, time: int) -> RunChange:
    """baseline.ROWS/ARM: its objective; baseline.ROWS.ahead/ARM: how far the end is ahead of it, up is better."""
    every = {arm: called(arm) for arm in (*NAMES, *arms) if arm != START}
    values = {f"baseline.{rows}/{name}": arms.get(arm, {}).get("objective") for arm, name in every.items()}
    values |= {f"baseline.{rows}.ahead/{name}": arms.get(arm, {}).get("difference") for arm, name in every.items()}
    tags = {"baseline.rows": rows, "baseline.objectives": baselines_line(arms)}
    return RunChange(key=STUDY, history=stepped(time, 0, values), tags=tags)
