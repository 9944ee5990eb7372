"""Rows of the base with a label that is surely wrong: what relabel mends and prune leaves out.

Each row is judged by models that have not seen it and did not learn from rows that are doubted (judging.py), by
confident learning (diagnose/labels.py). Sure are those that are told beyond the overlap of classes; where many labels
contradict models that are sure, those too, though no test can say whether chance or overlap made them: the gate
measures whether training is better without them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.diagnose.check import plain
from autodc.diagnose.cross_validation import cross_validated
from autodc.diagnose.labels import LEAST_OF_CLASS, Labels, Suspect, wrong_labels
from autodc.diagnose.labels import LEAST_ROWS as LEAST_OBSERVED
from autodc.diagnose.own_rows import told
from autodc.diagnose.wrong_numbers import wrong_numbers
from autodc.large import distinct_values, evenly, taken
from autodc.propose.base_edits import Space, codes_of, nothing, units_of
from autodc.propose.label_votes import judged
from autodc.trial.call import CallPart

Array = np.ndarray[Any, Any]

MOST = 100_000
"""Of more rows so many are looked at, evenly; the others stay as they are."""
SURE = 0.9
"""One minus the probability that a model gives the label of a row, from which it contradicts it surely."""
LEAST_SHARE, LEAST_ROWS = 0.05, 5
"""Share of the rows that are contradicted surely below which these may all be hard rows; wrong rows below which nothing
is mended."""
LISTED = 10
"""Pairs of classes that are told in the facts."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WrongLabels:
    """Rows with a wrong label."""

    rows: Array
    """Their positions, rising, shape (k,)."""
    likely: Array
    """What their targets should be, as the dataset holds them: codes or numbers, shape (k,)."""
    facts: Mapping[str, Any]
    """How many of them are told beyond overlap, of how many rows, and the pairs."""


def wrong_rows(part: CallPart, arguments: Mapping[str, Any], space: Space, place: str) -> WrongLabels:
    """Find the rows whose label is surely wrong. arguments: as `BaseKnown.proposal` makes them.

    Raises CallError ADC-PROP-030 where there are none, or it cannot be told.
    """
    looked = evenly(len(part.x), MOST)
    units = units_of(part, str(arguments.get("group", "")))[looked]
    at, seed = space(taken(part.x, looked)), int(arguments.get("seed", 0))
    is_number = part.y is not None and np.asarray(part.y).dtype.kind == "f"
    found = (
        _numbers(part, looked, at, units, seed) if is_number else _classes(part, looked, at, units, arguments, place)
    )
    if found.status == "not_applicable":
        nothing(place, found.reason or "it cannot be told")
    chosen = _chosen(found)
    if len(chosen) < LEAST_ROWS:
        nothing(place, f"{len(chosen)} of {len(looked)} labels are surely wrong")
    chosen.sort(key=lambda one: one.row)
    names = [str(plain(one)) for one in arguments.get("classes", ())]
    likely = [one.likely if is_number else names.index(str(one.likely)) for one in chosen]
    pairs = Counter((str(one.given), str(one.likely)) for one in chosen) if not is_number else Counter[Any]()
    return WrongLabels(
        rows=looked[[one.row for one in chosen]],
        likely=np.asarray(likely, dtype=np.asarray(part.y).dtype),
        facts={
            "looked": len(looked),
            "wrong": len(chosen),
            "told": sum(one.sure for one in chosen),
            "pairs": [[*pair, count] for pair, count in pairs.most_common(LISTED)],
        },
    )


def leavable(part: CallPart, wrong: WrongLabels) -> Array:
    """Positions of the rows that can be left out: no class loses so many that it has fewer than LEAST_OF_CLASS."""
    y = np.asarray(part.y)
    if y.dtype.kind == "f":
        return wrong.rows
    left, size = np.bincount(y[wrong.rows], minlength=int(y.max()) + 1), np.bincount(y)
    stays = np.flatnonzero(size - left < LEAST_OF_CLASS)
    return wrong.rows[~np.isin(y[wrong.rows], stays)]


def _chosen(found: Labels) -> list[Suspect]:
    sure = [one for one in found.suspects if one.sure]
    contradicted = [one for one in found.suspects if not one.sure and one.score >= SURE]
    return sure + (contradicted if len(contradicted) >= LEAST_SHARE * found.rows else [])


def _classes(
    part: CallPart, looked: Array, at: Array, units: Array, arguments: Mapping[str, Any], place: str
) -> Labels:
    codes, seed = codes_of(part, place)[looked], int(arguments.get("seed", 0))
    names: Sequence[Any] = arguments["classes"]
    if len(distinct_values(units)) < LEAST_OBSERVED:
        return Labels(status="not_applicable", rows=len(codes), reason="there are too few rows")
    shares = judged(at, codes, units, len(names), seed)
    return told(wrong_labels(np.array(names, dtype=object)[codes], shares, names, groups=units))


def _numbers(part: CallPart, looked: Array, at: Array, units: Array, seed: int) -> Labels:
    y = np.asarray(part.y, dtype=float)[looked]
    if y.ndim != 1:
        return Labels(status="not_applicable", rows=len(y), reason="targets are no single numbers")
    if len(distinct_values(units)) < LEAST_OBSERVED:
        return Labels(status="not_applicable", rows=len(y), reason="there are too few rows")
    return wrong_numbers(y, cross_validated(at, y, units, seed), groups=units)
