"""What a study may lose without anybody minding: of the objective, where data cure a finding instead of raising it."""

from __future__ import annotations

import numpy as np

from autodc.evaluation import objective
from autodc.gate.thresholds import matters
from autodc.study.rules.latest_scores import freshest
from autodc.study.view import View


def unminded(view: View) -> float:
    """The loss of the objective below which nothing is lost, in metric units."""
    weights = objective.weights(view.state.question.slices)
    seen = [objective.mean(values, weights) for values in freshest(view, view.start)]
    known = [abs(value) for value in seen if value is not None]
    return matters(view.spec.metrics.primary, float(np.mean(known)) if known else None)


def tolerated(view: View) -> float:
    """What the objective may lose where the slice of a finding gains: the margins of its targets, weighted as they are.

    A target without a margin may lose what matters to nobody.
    """
    cards, least = view.state.question.slices, unminded(view)
    margins = {n: float(cards[n]["margin"]) if cards[n].get("margin") is not None else least for n in cards}
    found = objective.mean(margins, objective.weights(cards))
    return least if found is None else found
