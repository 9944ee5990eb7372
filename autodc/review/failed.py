"""The trainings that failed, each with its reason."""

from __future__ import annotations

from typing import Any

from autodc.study.journal.state import State
from autodc.trial.executor import PRINTED

LENGTH = 240
"""Of a reason, its end."""


def failed(state: State) -> list[dict[str, Any]]:
    """One row a training that failed, in their order."""
    rows = []
    for one in state.trials:
        if one.outcome is None or one.outcome.status != "failed":
            continue
        lines = [line.strip() for line in one.outcome.error.partition(PRINTED)[0].splitlines() if line.strip()]
        rows.append(
            {
                "number": one.trial.number,
                "phase": one.trial.phase,
                "round": one.round,
                "with": list(one.trial.plan.mixture.added),
                "hyperparameters": dict(one.trial.plan.hyperparameters),
                "seed": one.trial.seed,
                "attempts": one.outcome.attempts,
                "took": one.outcome.took,
                "why": (lines[-1] if lines else "it gave no reason")[-LENGTH:],
            }
        )
    return rows
