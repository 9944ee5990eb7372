"""Tables of a page of results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def mean(values: Iterable[float | None]) -> str:
    """The mean of what is known, with its standard error."""
    known = np.array([v for v in values if v is not None and np.isfinite(v)], dtype=float)
    if not len(known):
        return "–"
    if len(known) < 2 or float(np.ptp(known)) == 0.0:
        return f"{known.mean():.2f}"
    return f"{known.mean():.2f} ± {known.std(ddof=1) / np.sqrt(len(known)):.2f}"
