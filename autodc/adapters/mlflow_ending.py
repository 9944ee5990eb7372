"""What MLflow is told of the end of a study: the test set, and the end beside the obvious baselines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.adapters.mlflow_changes import STUDY, RunChange, metrics_at, milliseconds, short_tags
from autodc.review.beside import NAMES, line
from autodc.study.journal import events as ev


def measured(event: ev.TestSetMeasured) -> RunChange:
    """Start and end on the sealed test, and the obvious beside them."""
    values = {f"test.before.{name}": value for name, value in event.before.items()}
    values |= {f"test.after.{name}": value for name, value in event.after.items()}
    for name, difference in event.differences.items():
        values |= {
            f"test.{part}.{name}": difference[part] for part in ("difference", "low", "high") if part in difference
        }
    time = milliseconds(event.time)
    told = RunChange(key=STUDY, metrics=metrics_at(time, values))
    return told if event.baselines is None else told.then(_baselines(event.baselines, "test", time))


def credited(event: ev.GainCredited) -> list[RunChange]:
    """The obvious on the gate rows of validation; what the test says of them replaces it."""
    if event.baselines is None:
        return []
    return [_baselines(event.baselines, "gate", milliseconds(event.time))]


def _baselines(arms: Mapping[str, Mapping[str, Any]], rows: str, time: int) -> RunChange:
    """baseline.ROWS.ARM: its objective, and how far the end is ahead of it (up is better for the end)."""
    known = {arm: arms.get(arm, {}) for arm in NAMES}
    values: dict[str, float | None] = {f"baseline.{rows}.{arm}": one.get("objective") for arm, one in known.items()}
    for arm, one in known.items():
        values |= {f"baseline.{rows}.{arm}.{part}": one.get(part) for part in ("difference", "low", "high")}
    shown = {arm: {"objective": one.get("objective"), "mixture": arm} for arm, one in known.items()}
    return RunChange(
        key=STUDY,
        metrics=metrics_at(time, values),
        tags=short_tags({"baseline.rows": rows, "baseline.objectives": line(shown)}),
    )
