"""`table`: measures of rows of columns, beside what is usual in the base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import pandas as pd

from autodc.adapters.enrichers.nearest import MOST, Neighbours
from autodc.adapters.enrichers.tabular import Usual
from autodc.data.attributes import Rows
from autodc.large import evenly

Array = np.ndarray[Any, Any]

MEASURES: Final[Mapping[str, str]] = {
    "missing": "share of the inputs that are missing",
    "unseen": "how many inputs are such as no base row has: new categories, numbers beyond its range",
    "rarity": "how unusual the values are one by one, mean over the columns, in bits",
    "rarest": "the same of the most unusual one: 5 bits are seen in one base row of 32",
    "rarest_column": "which column that is, where it is one of less than 5% of base rows",
    "distance": "mean distance to the five nearest base rows, 1 is usual; unusual combinations are far",
}
VERSION = 1
NEAREST = 5
UNUSUAL = -np.log2(0.05)


@final
@dataclass(frozen=True, slots=True)
class TableEnricher:
    """Learns what is usual in the base."""

    name: str = "table"

    @property
    def content(self) -> str:
        """What values depend on, but for base and rows."""
        return f"{VERSION}"

    def fitted(self, base: Rows, targets: Array | None) -> FittedTable:
        """Return it for a study with this base."""
        usual = Usual(base.x)
        return FittedTable(usual, Neighbours(usual.points(base.x[evenly(len(base), MOST)]), NEAREST))


@final
@dataclass(frozen=True, slots=True, eq=False)
class FittedTable:
    """Measures rows."""

    usual: Usual
    neighbours: Neighbours
    name: str = "table"

    def attributes(self, rows: Rows) -> pd.DataFrame:
        """Return n rows."""
        bits, names = self.usual.surprise(rows.x)
        there = bits.shape[1] > 0
        most = bits.max(axis=1) if there else np.zeros(len(rows))
        where = bits.argmax(axis=1) if there else np.zeros(len(rows), dtype=int)
        which = [names[at] if high > UNUSUAL else None for at, high in zip(where, most, strict=True)]
        return pd.DataFrame(
            {
                "missing": self.usual.missing(rows.x),
                "unseen": self.usual.unseen(rows.x).astype(np.int64),
                "rarity": bits.mean(axis=1) if there else np.zeros(len(rows)),
                "rarest": most,
                "rarest_column": pd.Series(which, dtype=object),
                "distance": self.neighbours.distance(self.usual.points(rows.x)),
            }
        )
