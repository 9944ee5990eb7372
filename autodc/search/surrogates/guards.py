"""Many guards with one kernel together, so that what they cost grows with the trainings alone."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from autodc.search.surrogates.combined import Weighted
from autodc.search.surrogates.posterior import Surrogate

Array = np.ndarray[Any, Any]

FEW = 16
"""More guards than this have one kernel and one factor together."""


@final
class Guards:
    """The posterior means of many slices that share a kernel; names: in the order of what they give."""

    def __init__(self, names: tuple[str, ...], centres: Array, scales: Array, surrogate: Surrogate) -> None:
        """surrogate: of the standardised values of all slices; centres, scales: those they were standardised by."""
        self.names, self.scales = names, scales
        self._centres, self._surrogate = centres, surrogate
        self._tilt: Array | None = None

    def means(self, features: Array) -> Array:
        """The posterior means, shape (m, names)."""
        means = self._centres + self.scales * self._surrogate.means(features)
        return np.asarray(means if self._tilt is None else means + features @ self._tilt)

    def tilted(self, tilt: Array) -> Guards:
        """The same plus a linear function. tilt: shape (F, names)."""
        other = Guards(self.names, self._centres, self.scales, self._surrogate)
        other._tilt = tilt
        return other

    def one(self, name: str, target: Array) -> Weighted:
        """The model of one of them alone. target: what was observed of it."""
        i = self.names.index(name)
        centre, scale = float(self._centres[i]), float(self.scales[i])
        return Weighted([(1.0, centre, scale, self._surrogate.told((target - centre) / scale))])
