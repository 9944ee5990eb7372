"""The error level of each test of a campaign, so that the share of false keeps stays below q.

LOND (Javanmard & Montanari 2018, "Online rules for control of false discovery rate and false discovery exceedance")
with uniform weights over the planned tests: SAFFRON's and LORD++'s levels die out after long nights of useless data.
"""

from __future__ import annotations

from autodc.errors import StatsError


def level(q: float, planned: int, keeps: int) -> float:
    """Return α_i = (q / N)·(1 + keeps), the level of the next test, at most q.

    q: the error budget of the study; planned: N, tests planned for the whole study, fixed at its start;
    keeps: datasets and bundles kept so far, counted when the test starts. Raises StatsError ADC-STAT-020.
    """
    if not 0 < q < 1 or planned < 1 or keeps < 0:
        raise StatsError(
            "ADC-STAT-020", "a level needs 0 < q < 1, planned ≥ 1, keeps ≥ 0", got=f"{q}, {planned}, {keeps}"
        )
    return min(q, q / planned * (1 + keeps))
