"""SliceLine as a finder: conjunctions of quantile bins and categories, by sparse linear algebra.

Source: Sagadeeva and Boehm, SliceLine: fast, linear-algebra-based slice finding for ML model debugging, SIGMOD 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.diagnose.finder import Suspicion
from autodc.diagnose.rule import Among, Condition, Missing, Range, Rule
from autodc.diagnose.terms import cuts, is_category, numbers
from autodc.diagnose.view import View
from autodc.diagnose.weight import Errors
from autodc.errors import InputError

Array = np.ndarray[Any, Any]

BINS = 8
"""Quantile bins of a column of numbers."""
CATEGORIES = 20
GAP, ELSE, FIRST = 1, 2, 3
"""Codes of what is missing, of what is in no bin, and of the first bin."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SliceLine:
    """Searches with the library of that name; rows of one group count as rows."""

    name: str = "sliceline"
    alpha: float = 0.95
    """How much error weighs against size, of 1."""
    deepest: int = 2
    """Conditions of a rule."""

    def find(self, view: View, k: int, seed: int) -> Sequence[Suspicion]:
        """At most k rules; there is no randomness in it.

        It minds errors that are at least 0: what is worse than the class of the row explains.
        Raises InputError ADC-DIAG-023 where the library is not installed.
        """
        self.refuse_missing()
        from sliceline.slicefinder import Slicefinder

        errors = Errors.of(view)
        cost = np.maximum(errors.excess, 0.0)
        if k < 1 or len(view) < errors.least or not cost.any():
            return ()
        columns = [_coded(view.attributes, str(name)) for name in view.attributes.columns]
        used = [(codes, meanings) for codes, meanings in columns if len(np.unique(codes)) > 1]
        if not used:
            return ()
        table = np.column_stack([codes for codes, _ in used])
        model = Slicefinder(
            alpha=self.alpha, k=4 * k, max_l=min(self.deepest, len(used)), min_sup=round(errors.least), verbose=False
        )
        model.fit(table, cost)
        found: list[Suspicion] = []
        for chosen, known in zip(model.top_slices_, model.top_slices_statistics_, strict=True):
            parts = [
                used[place][1].get(int(code)) for place, code in enumerate(chosen) if code is not None and code == code
            ]
            conditions = tuple(part for part in parts if part is not None)
            if conditions and len(conditions) == len(parts):
                score = float(known["slice_score"])
                found.append(Suspicion(rule=Rule(conditions), score=score, by=self.name))
        return tuple(found[:k])

    def refuse_missing(self) -> None:
        """Raise InputError ADC-DIAG-023 where the library is not installed."""
        try:
            import sliceline.slicefinder  # noqa: F401
        except ImportError as error:
            raise InputError(
                "ADC-DIAG-023",
                "the finder sliceline needs a library that is not installed",
                got=str(error),
                hint="pip install 'autodc-optimizer[sliceline]'",
            ) from None


def _coded(frame: pd.DataFrame, name: str) -> tuple[Array, dict[int, Condition]]:
    """A column as positive codes, shape (n,), and what each code means; a code without a meaning is in no rule."""
    column = frame[name]
    meanings: dict[int, Condition] = {}
    values = numbers(column)
    if values is not None:
        known = np.sort(values[np.isfinite(values)])
        edges = cuts(known, [i / BINS for i in range(1, BINS)]) if len(known) > 1 else []
        bounds = [None, *edges, None]
        for low, high in pairwise(bounds) if edges else ():
            meanings[len(meanings) + FIRST] = Range(attribute=name, low=low, high=high)
    elif is_category(column):
        for value in column.astype(object).dropna().value_counts().index[:CATEGORIES]:
            meanings[len(meanings) + FIRST] = Among(attribute=name, values=(value,))
    if column.isna().any():
        meanings[GAP] = Missing(attribute=name)
    codes = np.full(len(frame), ELSE)
    for code, condition in meanings.items():
        codes[condition.mask(frame)] = code
    return codes, meanings
