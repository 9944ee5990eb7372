"""Rules about one class: a condition that hurts it and not the others, `brightness < 0.18 AND target = 'cat'`.

Error is what the class does not explain, so a class alone is nothing, and a condition that hurts all classes is a rule
of the beam. All conditions are weighed with all classes at once; the heaviest pair is taken, its rows no longer count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.diagnose.finder import Suspicion
from autodc.diagnose.rule import TARGET, Among, Rule
from autodc.diagnose.sequential_covering import in_sequence, two_of_each
from autodc.diagnose.sharpen import apart, opened, sharpened
from autodc.diagnose.terms import MOST_CATEGORIES, Terms, terms_of
from autodc.diagnose.view import View
from autodc.diagnose.weight import Errors, as_numbers

Array = np.ndarray[Any, Any]

APART = 3.5
"""Rows of the class err more than those of others under the same condition by so many standard errors: of all
conditions and classes the luckiest pair is taken."""
ELSEWHERE = 0.3
"""Other classes err there more than usual by at most so much of what the class does."""
KEPT = 1000
"""Pairs from which rules are taken."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ByClass:
    """Searches rules that name the class of a row; there is no randomness in it."""

    name: str = "classes"

    def find(self, view: View, k: int, seed: int) -> Sequence[Suspicion]:
        """At most k rules, the first taken first; none where rows have no class, or all are of one."""
        errors = Errors.of(view)
        if k < 1 or view.labels is None or len(view) < 2 or errors.deviation == 0:
            return ()
        frame, classes = view.columns, classes_of(view, errors)
        terms = terms_of(view.attributes, errors.least)
        if not len(terms) or not classes:
            return ()
        of_class = np.array([one.mask(frame) for one in classes])
        pool = _pool(terms, of_class, errors)
        masks = np.array([terms.masks[i] & of_class[c] for i, c in pool], dtype=bool).reshape(len(pool), len(view))

        def rule_of(place: int, left: Errors) -> Rule:
            term, label = pool[place]
            rule = Rule((terms.conditions[term], classes[label]))
            return opened(sharpened(rule, frame, left), frame, left)

        return tuple(islice(in_sequence(masks, errors, frame, self.name, rule_of), k))


def hurt_alone(rule: Rule, classes: Sequence[Among], frame: pd.DataFrame, errors: Errors) -> Among | None:
    """The class that is the only one that a rule hurts, where one is. frame: of a view, its `columns`."""
    inside = rule.mask(frame)
    for one in classes:
        mine, others = inside & one.mask(frame), inside & ~one.mask(frame)
        if errors.weights[mine].sum() < errors.least:
            continue
        lifts = [
            errors.weights[rows] @ errors.excess[rows] / max(errors.weights[rows].sum(), 1e-9)
            for rows in (mine, others)
        ]
        is_least = lifts[1] - errors.mean <= ELSEWHERE * (lifts[0] - errors.mean)
        if is_least and apart(mine, others, errors) >= APART:
            return one
    return None


def classes_of(view: View, errors: Errors) -> list[Among]:
    """Classes of so many rows that some of them could be a suspicion, the most frequent first."""
    if view.labels is None:
        return []
    known = pd.Series(np.asarray(view.target, dtype=object)).value_counts()
    if len(known) < 2:
        return []
    frequent = known.index[:MOST_CATEGORIES][known.to_numpy()[:MOST_CATEGORIES] >= 2 * errors.least]
    return [Among(attribute=TARGET, values=(v.item() if isinstance(v, np.generic) else v,)) for v in frequent]


def _pool(terms: Terms, of_class: Array, errors: Errors) -> list[tuple[int, int]]:
    """Condition and class, where it hurts that class alone: the heaviest of each side of an attribute and class."""
    weights = of_class * errors.weights
    costs = weights * errors.excess
    every = np.stack([errors.weights, errors.weights * errors.excess])
    parts = [(part @ weights.T, part @ costs.T, part @ every.T) for part in as_numbers(terms.masks, np.float64)]
    count, total, both = (np.concatenate([one[i] for one in parts]) for i in range(3))
    rest = np.maximum(both[:, :1] - count, 1e-9)
    mine = total / np.maximum(count, 1e-9) - errors.mean
    others = (both[:, 1:] - total) / rest - errors.mean
    spread = errors.deviation * np.sqrt(1 / np.maximum(count, 1e-9) + 1 / rest)
    alone = (others <= ELSEWHERE * mine) & (mine - others >= APART * spread)
    scores = np.where(alone, errors.score(count, total), 0.0)
    term, label = np.nonzero(scores > 0)
    value = scores[term, label]
    side = terms.kinds[term] * len(of_class) + label
    return [(int(term[i]), int(label[i])) for i in two_of_each(side, value, term, label, KEPT)]
