"""The error level of each comparison of a study, so that the share of false keeps stays below q.

LOND (Javanmard & Montanari 2018, "Online rules for control of false discovery rate and false discovery exceedance")
with uniform weights over the planned comparisons: SAFFRON's and LORD++'s levels die out after long nights of useless
data.
"""

from __future__ import annotations

from autodc.errors import StatsError

WHOLE_SHARE = 0.6
"""Of a round's part of the error budget that the first whole spends; the others share the rest."""


def level(q: float, planned: int, keeps: int) -> float:
    """Return α_i = (q / N)·(1 + keeps), the level of the next comparison, at most q.

    q: the error budget of the study; planned: N, comparisons planned for the whole study, fixed at its start;
    keeps: datasets and bundles kept so far, counted when it starts. Raises StatsError ADC-STAT-020.
    """
    if not 0 < q < 1 or planned < 1 or keeps < 0:
        raise StatsError(
            "ADC-STAT-020", "a level needs 0 < q < 1, planned ≥ 1, keeps ≥ 0", got=f"{q}, {planned}, {keeps}"
        )
    return level_of(q, share_of(q, planned), keeps)


def share_of(q: float, planned: int, spent: float = 0.0, taken: int = 0) -> float:
    """Return β, what each comparison still planned may spend of q; 0 where none is left.

    spent, taken: what earlier comparisons spent of q, and how many they were. LOND's bound, Σβ ≤ q, holds for any β
    that is fixed before its comparison is seen: E[V/R] ≤ Σ E[1{P_i ≤ α_i}/(1 + keeps before i)] ≤ Σβ_i. So what planned
    ones never took may be spread over more of them later; what was spent may not.
    """
    return max(0.0, q - spent) / (planned - taken) if planned > taken else 0.0


def level_of(q: float, share: float, keeps: int) -> float:
    """Return α = β·(1 + keeps), at most q."""
    return min(q, share * (1 + keeps))


def first_share(q: float, planned: int, targets: int) -> float:
    """Return what each target spends of the first comparison's level: k targets and the objective share it.

    A target that stands alone is the objective, and spends all of it.
    """
    return level(q, planned, 0) / (targets + 1 if targets > 1 else 1)


def level_of_whole(q: float, rounds: int, first: bool) -> float:
    """Return what a whole that opens a round may spend, which is its level: the first whole, or one of the rest."""
    of_round = q / rounds
    return WHOLE_SHARE * of_round if first else (1 - WHOLE_SHARE) / 2 * of_round
