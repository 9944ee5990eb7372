"""Which rows of a stream a person should label: likely failures of every condition, and what was never seen before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from scipy.stats import rankdata

Array = np.ndarray[Any, Any]

Why = Literal["likely failure", "new condition"]

UNSEEN = 0.4
"""Share of the picks for conditions that validation does not have or that are far from the base."""
QUIET = 0.1
"""The same where the stream is not told apart from validation: little is new there."""
MOST_OF_ONE = 0.4
"""Share of the likely failures, at most, that one condition may have while others are waiting."""
OF_FINDINGS = 0.5
"""Share of the likely failures that the findings of the study have among them, each as much as the other."""
CONSIDERED = 20
"""So many times as many rows as are picked are looked at, those that rank highest."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """One row to label."""

    row: int
    """Position in the stream."""
    why: Why
    condition: int
    """Of the rules that were given; −1 for none of them."""


def pick(
    count: int,
    failure: Array,
    newness: Array,
    condition: Array,
    content: Array,
    predicted: Array,
    unseen: float = UNSEEN,
    findings: Sequence[int] = (),
) -> tuple[Picked, ...]:
    """Pick rows, each content once: likely failures by condition, then likely failures among what is new.

    failure: (n,) probability; newness: (n,), larger is further from what is known; condition: (n,) of integers, −1 for
    none; content: (n,) equal for equal rows; predicted: (n,) of integers, kept in balance among what is new; findings:
    the conditions that the study has found, each of which has a share of the likely failures of its own.
    """
    once = np.zeros(len(failure), dtype=bool)
    once[np.unique(content, return_index=True)[1]] = True
    rows = np.flatnonzero(once)
    count = min(count, len(rows))
    for_new = round(unseen * count)
    own = _of_findings(rows, count - for_new, failure, condition, findings)
    others = rows[~np.isin(rows, own)]
    most = others[_top(failure[others], CONSIDERED * count)]
    likely = np.concatenate([own, _likely(most, count - for_new - len(own), failure, condition)])
    likely = likely[np.argsort(-failure[likely], kind="stable")]
    left = rows[~np.isin(rows, likely)]
    new = _new(left, for_new, failure, newness, predicted)
    whys: list[tuple[Array, Why]] = [(likely, "likely failure"), (new, "new condition")]
    return tuple(Picked(row=int(row), why=why, condition=int(condition[row])) for some, why in whys for row in some)


def _of_findings(rows: Array, count: int, failure: Array, condition: Array, findings: Sequence[int]) -> Array:
    """The likeliest failures of each finding, equally many, OF_FINDINGS of all together."""
    each = int(OF_FINDINGS * count / len(findings)) if findings else 0
    found = [np.zeros(0, dtype=int)]
    for kind in findings:
        inside = rows[condition[rows] == kind]
        found.append(inside[np.argsort(-failure[inside], kind="stable")][:each])
    return np.concatenate(found)


def _likely(rows: Array, count: int, failure: Array, condition: Array) -> Array:
    """The likeliest first, no condition more than its share while others wait."""
    most, taken, found, waiting = _share_of(count), dict[int, int](), list[int](), list[int]()
    for row in rows[np.argsort(-failure[rows], kind="stable")]:
        kind = int(condition[row])
        if kind >= 0 and taken.get(kind, 0) >= most:
            waiting.append(row)
            continue
        taken[kind] = taken.get(kind, 0) + 1
        found.append(row)
        if len(found) >= count:
            break
    return np.array([*found, *waiting][:count], dtype=int)


def _new(rows: Array, count: int, failure: Array, newness: Array, predicted: Array) -> Array:
    """What is new and likely to fail: by the product of both ranks, the predictions in turn."""
    if not count or not len(rows):
        return np.zeros(0, dtype=int)
    near = rows[_top(newness[rows], max(count, len(rows) // 20))]  # the newest twentieth
    rank = rankdata(newness[near]) / len(near) + rankdata(failure[near]) / len(near)
    order = near[np.argsort(-rank, kind="stable")]
    most, taken, found, waiting = _share_of(count), dict[int, int](), list[int](), list[int]()
    for row in order:
        kind = int(predicted[row])
        (waiting if taken.get(kind, 0) >= most else found).append(row)
        taken[kind] = taken.get(kind, 0) + 1
    return np.array([*found, *waiting][:count], dtype=int)


def _share_of(count: int) -> int:
    return max(1, int(np.ceil(MOST_OF_ONE * count)))


def _top(values: Array, count: int) -> Array:
    """Positions of the highest values."""
    if count >= len(values):
        return np.arange(len(values))
    return np.argpartition(-values, count)[:count]
