"""`embedding`: where rows lie among the base's in a space where alike rows are near, and which base rows are there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import pandas as pd

from autodc.adapters.enrichers.nearest import Neighbours
from autodc.adapters.enrichers.spaces import NETWORKS, VERSION, Space, is_installed, spaces_of
from autodc.data.attributes import Rows
from autodc.large import evenly, taken
from autodc.table import Inputs

Array = np.ndarray[Any, Any]

MEASURES: Final[Mapping[str, str]] = {
    "pca_1 … pca_4": "coordinates by principal components of pixels or of standardised columns",
    "svd_1 … svd_4": "of texts, by TF-IDF and its singular vectors",
    "lite0_1 … lite0_4": "of pictures instead of `pca`, with the extra `vision`: what EfficientNet-Lite0 sees",
    "e5_1 … e5_4": "of texts instead of `svd`, with the extra `text`: multilingual-e5-small",
    "embedding_distance": "mean distance to the ten nearest base rows, 1 is usual; what is new is far",
    "nearest_label": "the label that most of the ten nearest base rows have; of classes alone",
    "nearest_share": "how many of the ten have it: low between classes; of classes alone",
    "nearest_target": "mean target of the ten nearest base rows; of numbers alone",
    "nearest_spread": "standard deviation of these targets; of numbers alone",
}
NAMED = re.compile(
    r"\b(?:embedding_distance|nearest_(?:label|share|target|spread)|(?:pca|svd|lite0|e5)_\d+)\b", re.IGNORECASE
)
"""One of these columns in a condition."""
COORDINATES = 4
NEAREST = 10
CLASSES = 1000
"""More different labels than that are none."""


@final
@dataclass(frozen=True, slots=True)
class EmbeddingEnricher:
    """Learns the space, and the base rows in it with their targets; no others are ever seen."""

    networks: bool = True
    """Whether networks that are installed may be asked."""
    name: str = "embedding"

    @property
    def content(self) -> str:
        """What values depend on, but for base and rows: also which networks are installed."""
        return f"{VERSION} {[name for name in NETWORKS if self.networks and is_installed(name)]}"

    def space(self, base: Inputs) -> Space:
        """The space in which rows are placed."""
        return spaces_of(base, networks=self.networks)[-1]

    def asks_a_network(self, base: Inputs) -> bool:
        """Whether rows cost milliseconds each, and some thousand base rows come first."""
        return self.space(base).name in NETWORKS

    def known(self, base: Inputs) -> Inputs:
        """The base rows among which the nearest are looked for."""
        return taken(base, evenly(len(base), self.space(base).looked_among))

    def fitted(self, base: Rows, targets: Array | None) -> FittedEmbedding:
        """Return it for a study with this base."""
        space = self.space(base.x)
        some = evenly(len(base), space.looked_among)
        if targets is not None:
            targets = targets[some] if targets.ndim == 1 and len(targets) == len(base) else None
        return FittedEmbedding(space, Neighbours(space.of(taken(base.x, some)), NEAREST), targets)


@final
@dataclass(frozen=True, slots=True, eq=False)
class FittedEmbedding:
    """Places rows."""

    space: Space
    neighbours: Neighbours
    targets: Array | None
    name: str = "embedding"

    def attributes(self, rows: Rows) -> pd.DataFrame:
        """Return n rows."""
        points = self.space.of(rows.x)
        found: dict[str, Any] = {f"{self.space.name}_{at + 1}": points[:, at] for at in range(_shown(points))}
        distances, places = self.neighbours.near(points)
        found["embedding_distance"] = distances.mean(axis=1) / self.neighbours.usual
        return pd.DataFrame({**found, **self._targets(places)}, index=pd.RangeIndex(len(rows)))

    def _targets(self, places: Array) -> dict[str, Any]:
        if self.targets is None:
            return {}
        if self.targets.dtype.kind == "f" or (
            self.targets.dtype.kind in "iu" and len(np.unique(self.targets)) > CLASSES
        ):
            values = self.targets[places].astype(np.float64)
            return {"nearest_target": values.mean(axis=1), "nearest_spread": values.std(axis=1)}
        labels, codes = np.unique(self.targets.astype(str), return_inverse=True)
        if len(labels) > CLASSES:
            return {}
        near = codes.ravel()[places]
        counts = (near[:, :, None] == near[:, None, :]).sum(axis=2)
        first = counts.argmax(axis=1)  # of labels that are as many the nearest
        rows = np.arange(len(places))
        return {
            "nearest_label": labels[near[rows, first]].astype(object),
            "nearest_share": counts[rows, first] / near.shape[1],
        }


def _shown(points: Array) -> int:
    return min(COORDINATES, int(points.shape[1]))
