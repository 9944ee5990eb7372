"""Surrogates fitted to a growing history, their parameters remembered.

Parameters depend on the first n trainings alone, with n on a geometric ladder, so that whoever starts in the middle of
a study fits the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np

from autodc.search.history import History
from autodc.search.surrogates.combined import Weighted
from autodc.search.surrogates.full_budget import AtFull
from autodc.search.surrogates.gaussian import GaussianProcess, Sample, tune
from autodc.search.surrogates.guards import FEW, Guards
from autodc.search.surrogates.link import SOFT, linked
from autodc.search.surrogates.posterior import Surrogate
from autodc.search.surrogates.ridge import BLOCK, Design, Ridge, tune_ridge

Array = np.ndarray[Any, Any]

MEMORY = 64

_TOGETHER = "\0guards"
"""Stands for the guards together where parameters are remembered by slice."""

_TUNE: dict[str, Callable[[Sample], Array]] = {"ridge": tune_ridge, "gaussian": tune}


@final
class Fitter:
    """Fits models of either family, `ridge` or `gaussian`, in one space."""

    def __init__(
        self,
        features: Callable[[Array], Array],
        data: Array,
        clusters: tuple[Array, ...] = (),
        guards: Sequence[str] = (),
    ) -> None:
        """Take the space that models are fitted in.

        features: rows → what a surrogate sees; data: which of it are strengths; clusters: summed features, by band;
        guards: slices that are modelled together where they are many.
        """
        self.guards = tuple(guards) if len(guards) > FEW else ()
        self._features, self._data, self._clusters = _Features(features), data, clusters
        self._parameters: dict[tuple[str, str, str], Array] = {}
        self._sums: dict[int, tuple[int, str, Array]] = {}
        """Width of a basis → so many trainings, which they are, and their products."""

    def weighted(self, family: str, shares: Mapping[str, float], history: History, count: int) -> Weighted:
        """The model of a weighted sum of slices, the same one where this history was asked for it before.

        shares: slice → share, `` for the objective as a whole; count: parameters are fitted to so many trainings.
        """
        key = (self, family, tuple(shares), count)
        if key not in history.memo:
            history.memo[key] = Weighted([self._part(family, n, s, history, count) for n, s in shares.items()])
        known: Weighted = history.memo[key]
        return known

    def together(self, family: str, history: History, count: int) -> Guards:
        """The guards together, the same ones where this history was asked for them before."""
        key = (self, family, _TOGETHER)
        if key not in history.memo:
            target, centres, scales = _standardised(history.table(self.guards))
            surrogate = self._surrogate(family, _TOGETHER, target, history, count)
            history.memo[key] = Guards(self.guards, centres, scales, surrogate)
        known: Guards = history.memo[key]
        return known

    def _part(
        self, family: str, name: str, share: float, history: History, count: int
    ) -> tuple[float, float, float, Surrogate]:
        values = _values(name, history)
        centre, scale = float(values.mean()), float(values.std()) or 1.0
        return share, centre, scale, self._surrogate(family, name, (values - centre) / scale, history, count)

    def _surrogate(self, family: str, name: str, target: Array, history: History, count: int) -> Surrogate:
        """The surrogate of a standardised target, asked about full trainings."""
        features, data = self._inputs(history)
        sample = history.sample(features, data, target, self._summed(len(data)))
        theta = self._tuned(family, name, history, count, len(data))
        if family == "ridge":
            surrogate: Surrogate = Ridge(sample, theta, self._design(history, sample))
        else:
            surrogate = GaussianProcess(sample, theta)
        return surrogate if len(data) == len(self._data) else AtFull(surrogate)

    def _design(self, history: History, sample: Sample) -> Design:
        """What a history is to every target of a ridge; only the trainings since the last one are added up."""
        key = (self, Design)
        if key not in history.memo:
            width = sample.features.shape[1]
            count, which, known = self._sums.get(width, (0, "", None))
            if known is not None and (count > len(history) or history.digest(count) != which):
                count, known = 0, None
            design = Design.of(sample, count, known)
            whole = len(history) // BLOCK * BLOCK
            self._sums[width] = (whole, history.digest(whole), design.whole)
            history.memo[key] = design
        found: Design = history.memo[key]
        return found

    def _inputs(self, history: History) -> tuple[Array, Array]:
        """Features (n, F) and which are strengths; where some trainings were cheap, what they lack is a feature."""
        if self not in history.memo:
            features = self._features(history.rows)
            whole = bool((history.fidelity == 1.0).all())
            history.memo[self] = (features, self._data) if whole else _with_lack(features, self._data, history)
        known: tuple[Array, Array] = history.memo[self]
        return known

    def _summed(self, width: int) -> tuple[Array, ...]:
        """The clusters at `width` features: what a cheap training lacks is in none."""
        return tuple(np.pad(band, ((0, width - len(band)), (0, 0))) for band in self._clusters)

    def _tuned(self, family: str, name: str, history: History, count: int, width: int) -> Array:
        """Parameters fitted to the first `count` trainings alone, at `width` features."""
        key = (family, name, f"{width} {history.digest(count, soft=name.startswith(SOFT))}")
        if key not in self._parameters:
            forget(self._parameters)
            self._parameters[key] = _TUNE[family](self._first(name, history.head(count), width))
        return self._parameters[key]

    def _first(self, name: str, head: History, width: int) -> Sample:
        """What parameters are fitted to."""
        if name == _TOGETHER:
            target = _standardised(head.table(self.guards))[0]
        else:
            values = _values(name, head)
            target = (values - values.mean()) / (float(values.std()) or 1.0)
        features, data = self._inputs(head)
        if len(data) < width:
            features, data = _with_lack(features, data, head)
        return head.sample(features, data, target, self._summed(width))


@final
class _Features:
    """The features of rows that grow in number, those of each worked out once."""

    def __init__(self, features: Callable[[Array], Array]) -> None:
        self._features = features
        self._rows: Array | None = None
        self._found: Array = np.zeros(0)

    def __call__(self, rows: Array) -> Array:
        known = 0 if self._rows is None else min(len(self._rows), len(rows))
        if self._rows is None or not np.array_equal(self._rows[:known], rows[:known]):
            self._rows, self._found = rows, self._features(rows)
        elif len(rows) > known:
            self._rows, self._found = rows, np.vstack([self._found, self._features(rows[known:])])
        return self._found[: len(rows)]


def forget(remembered: dict[Any, Any]) -> None:
    """Drop the oldest entry of a memory that is full."""
    if len(remembered) >= MEMORY:
        del remembered[next(iter(remembered))]


def _values(name: str, history: History) -> Array:
    if name.startswith(SOFT):
        return linked(history, name.removeprefix(SOFT))
    return history.slices[name] if name else history.objective


def _with_lack(features: Array, data: Array, history: History) -> tuple[Array, Array]:
    """The features with what every training lacks of the full budget beside them."""
    return np.column_stack([features, 1.0 - history.fidelity]), np.append(data, False)


def _standardised(table: Array) -> tuple[Array, Array, Array]:
    """Values of slices, shape (names, n), as targets (n, names), with their centres and scales."""
    centres, scales = table.mean(axis=1), table.std(axis=1)
    scales = np.where(scales > 0, scales, 1.0)
    return ((table - centres[:, None]) / scales[:, None]).T, centres, scales
