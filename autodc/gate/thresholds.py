"""The levels and limits of the gate that no study file sets: they were measured together (docs/guide/gate.md)."""

from __future__ import annotations

from typing import Final

OBJECTIVE_ALPHA: Final = 0.2
"""One-sided level at which the objective must improve."""
GUARD_ALPHA: Final = 0.2
"""One-sided level at which a guard must hold its margin."""
HARM_ALPHA: Final = 0.05
"""One-sided level at which harm is shown."""
FUTILITY_TARGET: Final = 0.25
"""Predictive power below which a gain is given up, where it is so for every target."""
FUTILITY_REST: Final = 0.05
"""The same for the objective and for a guard."""
ANCHOR_FACTOR: Final = 1.5
"""What a guard may lose since the start of the study, in margins."""
