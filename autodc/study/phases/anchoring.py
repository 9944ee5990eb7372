"""Trials for the obvious: everything in, and what is kept alone, each at settings of its own.

Both are what the study must never end behind, and arms of its last measurement: tuned in passing, at the settings of
other mixtures, they would be beaten for the wrong reason. So a fixed part of the search's trials holds their mixtures
and draws the settings. Of everything, few are enough, for most mixtures of the search are like it; the base alone is
like none (`docs/log.md`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np

from autodc.plan.mixture import BASE, Mixture
from autodc.search.engine import Observation
from autodc.study.phases.tools import Tools
from autodc.study.rules import obvious, pairs
from autodc.study.view import View

EVERYTHING = "everything"
"""Origin of a trial that tunes everything in."""

TUNING = "tuning"
"""Origin of a trial that tunes what is kept, or the base, without any new dataset."""

EVERY = 8
"""Of so many search trials after the opening, one is of everything and one of what is kept alone."""

WHOLE, ALONE = 1, 5
"""Which of them."""

FIRST = 4
"""What is kept alone is tuned so often in any case, then only where it is believed to be as good as the best plan …"""

CLOSE_CALL = 0.05
"""… with at least this probability."""

EVERY_UP_TO, AGAIN_AFTER = 250, 3
"""Questions about all trainings are asked of all that were seen up to so many; beyond, again when so many times as many
were seen: by then the answer is settled, and asking costs more with every training."""

MOST, SETTLED = 6_750, 6
"""In studies that were begun by these rules they are asked of no more than so many: after a resume they are asked once
more, and to encode 60,000 trainings takes many seconds."""


def anchor(view: View, tools: Tools) -> tuple[str, Mapping[str, float]] | None:
    """What the next search trial is to tune, its origin and mixture; None where it is free."""
    if not view.spec.search_space and len(view.spec.recipes) < 2:
        return None
    turn = len(view.state.suggested) % EVERY
    if turn == ALONE and _owes_tuning(view, tools):
        return TUNING, alone(view)
    full = everything(view)
    return (EVERYTHING, full) if turn == WHOLE and len(full) > len(alone(view)) else None


def alone(view: View) -> dict[str, float]:
    """What is kept, as it is kept; before anything is, the base."""
    return {BASE: 1.0, **view.incumbent.mixture.to_dict()}


def everything(view: View) -> dict[str, float]:
    """What is kept, and all that is free beside it, each once."""
    state = view.state
    free = [n for n in obvious.everything(view) if n in state.candidates and n not in state.kept]
    return alone(view) | obvious.whole(view, free)


def alone_is_close(view: View, tools: Tools, excluded: frozenset[str]) -> bool:
    """Whether tuning what is kept may well be as good as the best plan with new datasets."""
    observed, kept = tools.observed(view), frozenset(view.state.kept)
    count = asked_of(len(observed))
    if view.state.question.rules >= SETTLED:
        count = min(count, MOST)
    question = (count, kept, excluded)
    if question != tools.answered[0]:
        tools.answered = question, _is_close(tools, observed[: question[0]], kept, excluded)
    return tools.answered[1]


def asked_of(seen: int) -> int:
    """How many of the trainings that were seen a question about all of them is asked of.

    A function of their number alone, so that a study that is resumed asks the same.
    """
    count = EVERY_UP_TO
    while count * AGAIN_AFTER <= seen:
        count *= AGAIN_AFTER
    return min(count, seen)


def _owes_tuning(view: View, tools: Tools) -> bool:
    """Whether what is kept alone is owed another trial of its settings."""
    mixture = Mixture.of(alone(view))
    tried = (t for t in view.state.trials if t.origin == TUNING and t.trial.plan.mixture == mixture)
    return len(list(islice(tried, FIRST))) < FIRST or alone_is_close(view, tools, pairs.excluded(view))


def _is_close(tools: Tools, observed: Sequence[Observation], kept: frozenset[str], excluded: frozenset[str]) -> bool:
    best = tools.engine.recommend(observed, kept, excluded)
    draws = None if best.tuned is None else tools.engine.outlook(observed, [best.plan, best.tuned])
    return draws is not None and float(np.mean(draws[:, 0] <= draws[:, 1])) > CLOSE_CALL
