"""An interval is never narrower than repeated runs show: draws of rows, and challengers noisier than the start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodc.evaluation.evidence import SliceEvidence
from autodc.gate import reasons
from autodc.gate.judge import judge
from autodc.gate.noise import OBJECTIVE, Pools
from autodc.gate.types import Look
from autodc.stats.variance import Prior, Searched
from autodc.studyfile.study import GateSpec

GATE = GateSpec()
ROWS = 600
START_SD = 0.01
"""How much a training of the start moves with its seed."""
REPEATS = 20
NIGHTS = 60


def pools(prior: Prior, seed_variance: float | None, rng: np.random.Generator) -> Pools:
    """Calibration of five degrees of freedom, and what a search of twenty says, if it says anything."""
    names = ("dark", OBJECTIVE)
    found = {}
    if seed_variance is not None:
        found = dict.fromkeys(names, Searched(seed=seed_variance * rng.chisquare(20) / 20, df=20))
    return Pools(slices=dict.fromkeys(names, prior), searched=found)


def look_at(differences: np.ndarray, known: Pools, **how: Any) -> Look:
    dark = SliceEvidence(name="dark", role="target", weight=1.0, margin=None, declared=True, differences=differences)
    return judge({"dark": dark}, known, GATE, 0.01, **how)


def repeated(rng: np.random.Generator, gain: float, sd: float, rest: float) -> np.ndarray:
    """Twenty pairs whose mean moves by `sd` with the seed."""
    of_row = 0.3 * rng.normal(size=ROWS)
    return gain + sd * rng.normal(size=(REPEATS, 1)) + of_row - of_row.mean() + rest * rng.normal(size=(REPEATS, ROWS))


def a_draw_of_rows(rng: np.random.Generator, gain: float) -> tuple[np.ndarray, Pools, dict[str, Any]]:
    """A deterministic learner, and a weight that is no whole number."""
    silent = Prior(seed=0.0, residual=0.0, df=5)
    return repeated(rng, gain, 0.02, 0.15), pools(silent, 2 * 0.02**2, rng), {"fresh": True, "novel": True}


def a_noisier_challenger(rng: np.random.Generator, gain: float) -> tuple[np.ndarray, Pools, dict[str, Any]]:
    """It moves three times as much as the start; half of the search's trainings do so too."""
    start = Prior(seed=2 * START_SD**2 * rng.chisquare(5) / 5, residual=0.02, df=5)
    table = repeated(rng, gain, START_SD * np.sqrt(1 + 9), 0.14)
    return table, pools(start, 2 * START_SD**2 * (0.5 + 0.5 * 9), rng), {"novel": True}


@pytest.mark.slow
@pytest.mark.parametrize("world", [a_draw_of_rows, a_noisier_challenger])
@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_the_interval_of_a_few_pairs_covers_what_twenty_show(world: Any, pairs: int) -> None:
    covered = 0
    for night in range(NIGHTS):
        table, known, how = world(np.random.default_rng([night, pairs]), 0.03)
        seen = look_at(table[:pairs], known, **how).slices["dark"]
        covered += seen.low <= table.mean() <= seen.high
    assert covered / NIGHTS >= 0.87


@pytest.mark.slow
@pytest.mark.parametrize("world", [a_draw_of_rows, a_noisier_challenger])
@pytest.mark.parametrize("gain", [0.0, 0.03, 0.08])
def test_the_interval_a_night_ends_with_covers_what_twenty_pairs_show(world: Any, gain: float) -> None:
    covered = 0
    for night in range(NIGHTS):
        table, known, how = world(np.random.default_rng([night, 7]), gain)
        looks = (look_at(table[:pairs], known, **how) for pairs in GATE.looks)
        last = next(one for one in looks if one.verdict is not None or one.pairs == GATE.looks[-1])
        covered += last.slices["dark"].low <= table.mean() <= last.slices["dark"].high
    assert covered / NIGHTS >= 0.87


def test_with_the_pool_of_the_start_alone_one_pair_would_be_believed_too_sure() -> None:
    """What the search is a witness for."""
    covered = 0
    for night in range(NIGHTS):
        table, known, how = a_noisier_challenger(np.random.default_rng([night, 1]), 0.03)
        seen = look_at(table[:1], Pools(slices=known.slices), **how).slices["dark"]
        covered += seen.low <= table.mean() <= seen.high
    assert covered / NIGHTS < 0.8


def test_a_search_that_shows_less_than_the_pool_changes_nothing() -> None:
    table = repeated(np.random.default_rng(5), 0.03, START_SD, 0.1)
    prior = Prior(seed=2 * START_SD**2, residual=0.02, df=5)
    quiet = pools(prior, 1e-9, np.random.default_rng(0))
    for pairs in (1, 2, 8):
        assert look_at(table[:pairs], quiet) == look_at(table[:pairs], Pools(slices=quiet.slices))


def test_pairs_that_are_the_same_to_the_last_row_have_no_noise_the_search_could_know_better() -> None:
    once = repeated(np.random.default_rng(6), 0.1, 0.0, 0.0)[:1]
    same = np.repeat(once, 2, axis=0)
    silent = Prior(seed=0.0, residual=0.0, df=5)
    misfit = pools(silent, 0.01, np.random.default_rng(0))
    assert look_at(same, misfit) == look_at(same, Pools(slices=misfit.slices))


def test_one_pair_keeps_nothing_unlike_all_that_filled_the_pool_and_two_do() -> None:
    table = repeated(np.random.default_rng(8), 0.9, 0.001, 0.05)
    known = pools(Prior(seed=1e-5, residual=0.005, df=5), None, np.random.default_rng(0))
    assert look_at(table[:1], known).verdict == "keep"
    one = look_at(table[:1], known, novel=True)
    assert (one.verdict, one.reasons) == (None, (reasons.ONE_PAIR,))
    assert look_at(table[:2], known, novel=True).verdict == "keep"


def test_one_pair_drops_what_is_worthless_though_unlike_all_that_filled_the_pool() -> None:
    table = repeated(np.random.default_rng(9), -0.9, 0.001, 0.05)
    known = pools(Prior(seed=1e-5, residual=0.005, df=5), None, np.random.default_rng(0))
    assert look_at(table[:1], known, novel=True).verdict == "drop"


def test_pools_with_what_the_search_shows_are_the_same_after_json() -> None:
    known = pools(Prior(seed=1e-5, residual=0.005, df=5), 1e-4, np.random.default_rng(0))
    assert Pools.from_dict(known.to_dict()) == known
    assert Pools.from_dict({"slices": {}}).searched == {}
