"""What probes say together: the mixture of the datasets that are believed to help, and how much each is.

A probe is taken from the mixture at hand, so that it knows what that has already: what is one too many there looks
worse than it did beside the base. The last one alone forgets why the others were taken, all of them leave; so the
changes of every probe of a round are added, each probe in units of its own spread, for a model that knows much is
changed less by everything. Measured: docs/decisions/forked-probes.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

WEIGHT = 1.0
"""The weight of a dataset that is believed to help; the search finds a better one."""


def believed(probes: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Dataset → the sum of what probes said of it. probes: dataset → change of the objective's soft score, in order."""
    found: dict[str, float] = {}
    for changes in probes:
        scale = float(np.sqrt(np.mean(np.square(list(changes.values()))))) if changes else 0.0
        for name, change in changes.items():
            found[name] = found.get(name, 0.0) + (change / scale if scale > 0 else 0.0)
    return found


def mixture(beliefs: Mapping[str, float], most: float) -> dict[str, float]:
    """Weights of the datasets that are believed to help. most: the largest weight that is allowed."""
    return {name: min(WEIGHT, most) for name, value in beliefs.items() if value > 0}
