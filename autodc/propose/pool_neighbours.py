"""What is worked out of a pool once for all wishes of a round: a pool may have a million rows."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from autodc.large import pieces_of

if TYPE_CHECKING:
    from sklearn.neighbors import NearestNeighbors
    from sklearn.preprocessing import StandardScaler

    from autodc.propose.pool import PoolView

Array = np.ndarray[Any, Any]

NEIGHBOURS = 15
BYTES_A_ROW = 1024
"""About what is in memory for a row whose nearest explore rows are looked for."""


@final
class PoolNeighbours:
    """Which rows of a pool are no doubles, and which explore rows are nearest to a row, looked for when it is asked."""

    def __init__(self, seen: PoolView) -> None:
        self._seen = seen
        self._found: Array | None = None

    @cached_property
    def first(self) -> Array:
        """Shape (N,) of booleans."""
        first = np.zeros(len(self._seen.content), dtype=bool)
        first[np.unique(self._seen.content, return_index=True)[1]] = True
        return first

    def nearest(self, rows: Array | slice) -> Array:
        """Places of the explore rows that are nearest to these rows, shape (rows, neighbours)."""
        scale, known, count = self._known
        if self._found is None:
            self._found = np.full((len(self._seen.barred), count), -1, dtype=np.int32)
        asked = np.arange(len(self._found))[rows]
        unknown = asked[self._found[asked, 0] < 0]
        for piece in pieces_of(len(unknown), BYTES_A_ROW):
            points = scale.transform(self._seen.pool_points(unknown[piece]))
            self._found[unknown[piece]] = known.kneighbors(points, return_distance=False)
        return np.asarray(self._found[asked])

    @cached_property
    def _known(self) -> tuple[StandardScaler, NearestNeighbors, int]:
        from sklearn.neighbors import NearestNeighbors
        from sklearn.preprocessing import StandardScaler

        points = self._seen.points
        scale, count = StandardScaler().fit(points), min(NEIGHBOURS, len(points))
        return scale, NearestNeighbors(n_neighbors=count).fit(scale.transform(points)), count
