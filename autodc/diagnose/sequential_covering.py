"""Rules one after another: the heaviest is taken, its rows no longer count, and so on. Ten are not one ten times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from autodc.diagnose.finder import Suspicion
from autodc.diagnose.rule import Rule
from autodc.diagnose.weight import Errors

Array = np.ndarray[Any, Any]


def in_sequence(
    masks: Array,
    errors: Errors,
    frame: pd.DataFrame,
    by: str,
    rule_of: Callable[[int, Errors], Rule],
    gone: Callable[[Rule], Rule] = lambda rule: rule,
) -> Iterator[Suspicion]:
    """Take the heaviest candidate while any weighs something.

    masks: the rows of each candidate, shape (m, n), used up by it; frame: of a view, its `columns`; by: who looks;
    rule_of: the rule that is made of a candidate, by the errors that are left; gone: of a rule that was taken the one
    whose rows no longer count. A rule may come out too light to be told: then the next is taken.
    """
    while len(masks):
        scores = errors.scores(masks)
        best = int(scores.argmax())
        if scores[best] <= 0:
            return
        rule = rule_of(best, errors)
        score = float(errors.scores(rule.mask(frame)[None])[0])
        if score > 0:
            yield Suspicion(rule=rule, score=score, by=by)
            errors = errors.without(gone(rule).mask(frame) | masks[best])
        masks[best] = False


def two_of_each(side: Array, value: Array, first: Array, second: Array, most: int) -> Array:
    """Places of the two heaviest of each side, the heaviest first, at most so many.

    side, value, first, second: shape (m,) of m pairs; first and second: what they are pairs of, which decides where
    two are level.
    """
    order = np.lexsort((second, first, -value, side))
    heads = np.ones(len(order), dtype=bool)
    heads[2:] = side[order][2:] != side[order][:-2]
    order = order[heads]
    return np.asarray(order[np.argsort(-value[order], kind="stable")][:most])
