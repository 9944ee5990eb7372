"""What a look says to the questions of evidence together."""

from __future__ import annotations

import math
from collections.abc import Iterable

from autodc.gate.questions import Answer
from autodc.gate.reasons import (
    FUTILE_GUARD,
    FUTILE_OBJECTIVE,
    FUTILE_TARGET,
    HARM_ANCHOR,
    HARM_GUARD,
    HARM_OBJECTIVE,
    OPEN_ANCHOR,
    OPEN_GUARD,
    OPEN_OBJECTIVE,
    OPEN_TARGET,
    OUT_OF_BUDGET,
    OVER_LIMIT,
)
from autodc.gate.thresholds import FAIRLY
from autodc.gate.types import Look, SliceLook

HARMS = frozenset({HARM_GUARD, HARM_ANCHOR, HARM_OBJECTIVE})
"""Reasons by which a challenger is shown to harm."""

SHOWN = HARMS | {OVER_LIMIT}
"""Reasons by which it is shown to be no good, whatever more would show."""

REFUSED = HARMS | {
    *(FUTILE_TARGET, FUTILE_OBJECTIVE, FUTILE_GUARD),
    *(OPEN_TARGET, OPEN_OBJECTIVE, OPEN_GUARD, OPEN_ANCHOR),
}
"""Reasons by which what was seen of a challenger did not suffice: no lost training, no leak, no end of a budget."""


def answered(look: Look, verdict: str | None, reasons: Iterable[str], combined: tuple[float, float] | None) -> Answer:
    """What a comparison that ended with this look showed.

    combined: mean and standard deviation of gate rows and belief together, where that was asked.
    """
    objective, codes = look.objective, tuple(reasons)
    sd = math.inf if objective.standard_error is None else objective.standard_error
    mean = objective.difference
    if combined is not None:
        mean, sd = combined
    own = [s for s in look.slices.values() if s.is_own]
    gained = objective.z is not None and objective.bound is not None and objective.z >= objective.bound
    guards = (n for n, s in look.slices.items() if s.margin is not None and s.needed is None and not s.holds)
    return Answer(
        keep=verdict == "keep",
        gained=gained or any(s.gained == "improved" for s in own),
        harmed=bool(SHOWN & {*look.reasons, *codes}),
        guards=tuple(guards),
        mean=mean,
        sd=sd if math.isfinite(sd) else math.inf,
        cut=verdict is None or OUT_OF_BUDGET in codes,
        over=OVER_LIMIT in (*look.reasons, *codes),
        misses=any(_is_worse(s) for s in own),
    )


def _is_worse(seen: SliceLook) -> bool:
    """Whether a slice got worse, 80% sure."""
    return seen.standard_error is not None and seen.difference < -FAIRLY * seen.standard_error
