"""Rules under which the model errs most: conjunctions of up to two conditions on attributes, one after another.

All pairs of single conditions are weighed at once by two matrix products; the best of each pair of attributes are kept.
Of these the heaviest is taken, its bounds are sharpened, the rows inside no longer count, and so on: ten rules are not
one rule ten times. Error is what the class of a row does not explain, else hard classes crowd out everything; where a
rule hurts one class and not the others it names that class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, final

import numpy as np

from autodc.diagnose.by_class import classes_of, hurt_alone
from autodc.diagnose.finder import Suspicion
from autodc.diagnose.rule import Rule
from autodc.diagnose.sequential_covering import in_sequence, two_of_each
from autodc.diagnose.sharpen import apart, opened, sharpened
from autodc.diagnose.terms import Terms, terms_of
from autodc.diagnose.view import View
from autodc.diagnose.weight import Errors, as_numbers

Array = np.ndarray[Any, Any]

WIDTH = 1000
"""Conditions that are paired with all others, the heaviest; so many are those of some 25 columns."""
PAIRS = 1 << 21
"""Pairs among which those are sought, the heaviest."""
KEPT = 4000
"""Pairs from which rules are taken."""
SHARPER = 1.1
"""A second condition has to make a rule so much heavier."""
APART = 3.5
"""And the rows that it leaves out have to err less by so many standard errors: many conditions were tried."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Beam:
    """Searches rules over attributes; there is no randomness in it."""

    name: str = "beam"

    def find(self, view: View, k: int, seed: int) -> Sequence[Suspicion]:
        """At most k rules, the first taken first. An attribute that says nothing costs nothing but time."""
        errors = Errors.of(view)
        if k < 1 or len(view) < 2 or errors.deviation == 0:
            return ()
        frame, classes = view.columns, classes_of(view, errors)
        terms = terms_of(view.attributes, errors.least)
        if not len(terms):
            return ()
        pool, masks = _pool(terms, errors)

        def rule_of(place: int, left: Errors) -> Rule:
            rule = opened(sharpened(_simplest(pool[place], terms, left), frame, left), frame, left)
            label = hurt_alone(rule, classes, frame, left)
            return rule if label is None else sharpened(Rule((*rule.conditions, label)), frame, left)

        found = in_sequence(masks, errors, frame, self.name, rule_of, gone=lambda rule: rule.classless)
        return tuple(islice(found, k))


def _pool(terms: Terms, errors: Errors) -> tuple[list[tuple[int, ...]], Array]:
    """Single conditions and pairs worth a look, and their rows: the two heaviest of each two sides of attributes."""
    own = errors.scores(terms.masks)
    first = np.sort(np.argsort(-own, kind="stable")[:WIDTH])
    masks = terms.masks[first].astype(np.float32)
    weighed = masks * errors.weights.astype(np.float32)
    costing = masks * (errors.weights * errors.excess).astype(np.float32)
    scores = np.concatenate(
        [errors.score(weighed @ part.T, costing @ part.T) for part in as_numbers(terms.masks, np.float32)], axis=1
    )
    scores[terms.attributes[first][:, None] == terms.attributes[None, :]] = 0
    taken = np.zeros(len(terms), dtype=bool)
    taken[first] = True
    scores[(first[:, None] > np.arange(len(terms))[None, :]) & taken[None, :]] = 0  # each pair once
    most = scores.size - PAIRS
    floor = max(0.0, float(np.partition(scores, most, axis=None)[most])) if most > 0 else 0.0
    one, two = np.nonzero(scores > floor)
    value = scores[one, two]
    kinds = np.sort(np.stack([terms.kinds[first[one]], terms.kinds[two]]), axis=0)
    code = kinds[0] * (terms.kinds.max() + 1) + kinds[1]
    order = two_of_each(code, value, one, two, KEPT)
    singles = [(int(i),) for i in np.flatnonzero(own > 0)]
    pairs = [(int(first[one[i]]), int(two[i])) for i in order]
    inside = np.concatenate(
        [terms.masks[[s[0] for s in singles]], terms.masks[[p[0] for p in pairs]] & terms.masks[[p[1] for p in pairs]]]
    )
    return [*singles, *pairs], inside


def _simplest(chosen: tuple[int, ...], terms: Terms, errors: Errors) -> Rule:
    """The conditions, less those that do not clearly sharpen."""
    if len(chosen) == 2:
        both = terms.masks[chosen[0]] & terms.masks[chosen[1]]
        alone = terms.masks[list(chosen)]
        best = float(errors.scores(both[None])[0])
        for place in np.argsort(-errors.scores(alone), kind="stable"):
            lighter = errors.scores(alone[place][None])[0] * SHARPER >= best
            if lighter or apart(both, alone[place] & ~both, errors) < APART:
                return Rule((terms.conditions[chosen[int(place)]],))
    return Rule(tuple(terms.conditions[i] for i in chosen))
