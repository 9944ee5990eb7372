"""Which member a challenger gives up where it failed as a whole on a guard alone (DESIGN §11.7).

Each member was compared, with it against without it, so its own loss on a guard is known; losses within the margin add
up to more than the margin. Rather than lose all members, the one that costs the guard most leaves, and the rest is
compared.
"""

from __future__ import annotations

from collections.abc import Mapping

from autodc.gate import reasons
from autodc.gate.types import Look

_GUARDS = frozenset(
    {
        reasons.HARM_GUARD,
        reasons.HARM_ANCHOR,
        reasons.FUTILE_GUARD,
        reasons.OPEN_GUARD,
        reasons.OPEN_ANCHOR,
        reasons.AT_CAP,
        reasons.SATURATED,
    }
)
"""What may be said of a comparison that failed for its guards; any other reason is a failure of another kind."""


def costliest(failed: Look, members: Mapping[str, Look]) -> str | None:
    """Return the member that costs the guards at fault most, or None where nothing is to be gained by a retreat.

    failed: last look at the whole challenger; members: name → last look at it alone inside the challenger,
    with it against without it. The guards at fault are those that are not shown to hold. None where it failed for
    another reason than its guards, or where no member is seen to cost them anything.
    """
    if failed.verdict == "keep" or not set(failed.reasons) <= _GUARDS:
        return None
    at_fault = [n for n, s in failed.slices.items() if s.margin is not None and s.needed is None and not s.holds]
    if not at_fault or not members:
        return None
    cost = {m: sum(look.slices[n].difference for n in at_fault if n in look.slices) for m, look in members.items()}
    name = min(cost, key=lambda m: (cost[m], m))
    return name if cost[name] < 0 else None
