"""The plans that are being trained, as rows: thousands on a large cluster, of which few change between calls."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from typing import Any, final

import numpy as np

from autodc.plan.plan import Plan
from autodc.search.encoding import PlanEncoding

Array = np.ndarray[Any, Any]


@final
class Pending:
    """Encodes plans that leave at the front and join at the end, each once, for speed alone."""

    def __init__(self, encoding: PlanEncoding) -> None:
        self._encoding = encoding
        self._plans: list[Plan] = []
        self._rows: Array = np.empty((0, len(encoding.space)))

    def rows(self, plans: Sequence[Plan]) -> Array:
        """One row a plan, in their order: shape (plans, dimensions)."""
        first = next((i for i, plan in enumerate(self._plans) if plans and plan is plans[0]), len(self._plans))
        known = len(self._plans) - first
        if known > len(plans) or not all(map(is_, self._plans[first:], plans)):
            first, known = len(self._plans), 0
        new = [self._encoding.row(plan) for plan in plans[known:]]
        self._rows = np.vstack([self._rows[first:], *new]) if new else self._rows[first:]
        self._plans = list(plans)
        return self._rows
