"""The levels and limits of the gate that no study file sets: they were measured together (docs/guide/gate.md)."""

from __future__ import annotations

from typing import Final

from autodc.studyfile.names import METRICS

OBJECTIVE_ALPHA: Final = 0.2
"""One-sided level at which the objective must improve."""
GUARD_ALPHA: Final = 0.2
"""One-sided level at which a guard must hold its margin."""
HARM_ALPHA: Final = 0.05
"""One-sided level at which harm is shown."""
OWN_SHARE: Final = 0.5
"""Of a comparison's level that slices of findings share, where what is compared was made for findings; the other half
is for what is asked of everything: declared targets and the objective."""
FUTILITY_TARGET: Final = 0.25
"""Predictive power below which a gain is given up, where it is so for every target."""
FUTILITY_REST: Final = 0.05
"""The same for the objective and for a guard."""
ANCHOR_FACTOR: Final = 1.5
"""What a guard may lose since the start of the study, in margins."""
SURE: Final = 1.645
"""Standard errors of a one-sided bound at 95%, where the spread is known."""
FAIRLY: Final = 0.84
"""The same at 80%."""
MATTERS: Final = 0.002
"""A loss below this matters to nobody: of a metric in shares, else as a share of the objective of the start."""


def matters(metric: str, start: float | None) -> float:
    """Return the loss below which nothing is lost, in units of a metric. start: the objective of the start."""
    known = METRICS.get(metric)
    return MATTERS if known is not None and known.share else MATTERS * abs(start or 0.0)
