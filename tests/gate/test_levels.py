"""LOND's levels when a study is extended: what was spent stays spent, and the share of false keeps stays below q."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodc.gate.levels import level, level_of, share_of

Q, PLANNED, TAKEN, LATER = 0.1, 30, 20, 90


def test_without_an_extension_the_levels_are_those_of_the_plan() -> None:
    for keeps in range(5):
        assert level_of(Q, share_of(Q, PLANNED), keeps) == level(Q, PLANNED, keeps)


def test_what_is_left_is_shared_and_never_more() -> None:
    spent = TAKEN * share_of(Q, PLANNED)
    later = share_of(Q, LATER, spent, TAKEN)
    assert spent + (LATER - TAKEN) * later == pytest.approx(Q)
    assert share_of(Q, LATER, Q, PLANNED) == 0.0
    assert share_of(Q, PLANNED, Q, PLANNED) == 0.0


@pytest.mark.parametrize("helpful", [0.0, 0.2])
def test_the_share_of_false_keeps_stays_below_q_when_disappointed_users_extend(helpful: Any) -> None:
    """The worst user: extends exactly those studies that have kept nothing yet. 3,000 nights."""
    rng = np.random.default_rng(7)
    wrong = []
    for _ in range(3000):
        useless = rng.random(LATER) >= helpful
        p = np.where(useless, rng.random(LATER), rng.random(LATER) ** 4 * 0.1)
        keeps = false = 0
        spent, taken, planned = 0.0, 0, PLANNED
        beta = share_of(Q, planned)
        while taken < planned:
            spent += beta
            if p[taken] <= level_of(Q, beta, keeps):
                keeps += 1
                false += bool(useless[taken])
            taken += 1
            if taken == TAKEN and keeps == 0:
                planned = LATER
                beta = share_of(Q, planned, spent, taken)
        wrong.append(false / max(1, keeps))
        assert spent <= Q + 1e-12
    error = float(np.std(wrong) / np.sqrt(len(wrong)))
    assert np.mean(wrong) <= Q + 2 * error
