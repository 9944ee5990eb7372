"""What a proposal takes of a core late in a large search."""

from __future__ import annotations

import time
from functools import partial

import numpy as np

from autodc import seeds
from autodc.search import Observation, make_engine
from autodc.testing.search_problems import problem_of, reward
from benchmarks.night.part import Figures, Part

CANDIDATES, TRIALS = 300, 2_000
ASKED = 24
"""Proposals that are timed, with an outcome more each."""


def proposals(candidates: int, trials: int, quick: bool) -> Figures:
    """Of the default sampler: the first after a resume, those that follow, and one that fits parameters anew."""
    trials = trials // 10 if quick else trials
    problem = problem_of(candidates)
    drawn, engine = make_engine("random", problem, 5), make_engine("mixture", problem, 5)
    seen = [_observed(number, drawn.suggest(number, [], []).plan) for number in range(trials)]
    took = []
    for number in range(trials, trials + ASKED):
        begun = time.process_time()
        plan = engine.suggest(number, seen, []).plan
        took.append(time.process_time() - begun)
        seen.append(_observed(number, plan))
    later = np.array(took[1:])
    return {
        "median, CPU ms": f"{1e3 * np.median(later):.0f}",
        "longest, CPU ms": f"{1e3 * later.max():.0f}",
        "goal": "150",
        "the first after a resume, CPU ms": f"{1e3 * took[0]:.0f}",
    }


def _observed(number: int, plan: object) -> Observation:
    return Observation(
        number=number,
        plan=plan,  # type: ignore[arg-type]
        seed=seeds.integer(0, "night", number),
        values=reward(number, plan),  # type: ignore[arg-type]
    )


PART = Part(
    title="Proposals",
    words=f"The default sampler, five settings, {ASKED - 1} proposals one after the other, an outcome more each. "
    "The longest fits the parameters of the models anew, which happens once in a quarter more trainings.",
    cases={
        f"{trials:,} trainings, {candidates} candidates": partial(proposals, candidates, trials)
        for candidates, trials in ((30, TRIALS), (CANDIDATES, TRIALS))
    },
)
