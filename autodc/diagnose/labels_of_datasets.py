"""How many labels of each dataset are likely wrong, and which dataset has more of them than the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import scipy

from autodc.diagnose.chances import LEAST_OF_PAIR, LEVEL, holm, wilson
from autodc.large import distinct_values

Array = np.ndarray[Any, Any]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetLabels:
    """Likely wrong labels of one dataset."""

    name: str
    rows: int
    suspects: int
    share: float
    low: float
    high: float
    """low, high: 95%, of the share (Wilson); a group counts as one row."""
    others: float | None
    """The share in all other datasets together."""
    chance: float
    """Of so many more than in the others, were labels alike; Holm's correction over datasets."""

    @property
    def is_told(self) -> bool:
        """Whether it has more than the others."""
        return self.chance < LEVEL and self.suspects >= LEAST_OF_PAIR

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        numbers = {n: round(float(getattr(self, n)), 4) for n in ("share", "low", "high")}
        others = None if self.others is None else round(self.others, 4)
        head = {"name": self.name, "rows": self.rows, "suspects": self.suspects}
        return {**head, **numbers, "others": others, "told": self.is_told}


def of_datasets(flagged: Array, of: Array, groups: Array | None) -> tuple[DatasetLabels, ...]:
    """Count the suspects of each dataset, and say which has more than the others.

    flagged, of: shape (n,); of: names. groups: ints, shape (n,); a group of which any row is flagged counts as one.
    """
    units = np.arange(len(of)) if groups is None else np.asarray(groups)
    names, found = sorted(set(of)), []
    for name in names:
        (hits, size), (wrong, apart) = (_counted(flagged[part], units[part]) for part in (of == name, of != name))
        table = np.array([[hits, size - hits], [wrong, apart - wrong]])
        chance = float(scipy.stats.fisher_exact(table, alternative="greater").pvalue) if apart else 1.0
        found.append((name, hits / size, wilson(hits / size, size), wrong / apart if apart else None, chance))
    corrected = holm([one[-1] for one in found])
    parts = [
        DatasetLabels(
            name=name,
            rows=int((of == name).sum()),
            suspects=int(flagged[of == name].sum()),
            share=share,
            low=low,
            high=high,
            others=others,
            chance=chance,
        )
        for (name, share, (low, high), others, _), chance in zip(found, corrected, strict=True)
    ]
    return tuple(sorted(parts, key=lambda one: (-one.share, one.name)))


def _counted(flagged: Array, units: Array) -> tuple[int, int]:
    """Units with a suspect, and units."""
    return len(distinct_values(units[flagged])), len(distinct_values(units))
