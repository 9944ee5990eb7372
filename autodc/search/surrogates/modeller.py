"""Which model stands for the objective, selected in the study by evidence.

Rivals: Gaussian process and ridge on the objective, and both slice by slice with aggregation after prediction; and
both on what the soft score says of the objective (`link.py`). The one whose leave-one-out predictions rank the
objective best is used; the first of those that are close.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, final

import numpy as np

from autodc.search.history import History, shares_of
from autodc.search.surrogates import link
from autodc.search.surrogates.combined import Averaged, Weighted
from autodc.search.surrogates.fitting import Fitter, forget
from autodc.search.surrogates.guards import Guards
from autodc.search.surrogates.ladder import FIRST_FIT, fitted_to
from autodc.search.surrogates.posterior import Model
from autodc.stats.rank import correlation

Array = np.ndarray[Any, Any]

GAUSSIAN_UP_TO = 600
BY_SLICE_UP_TO = 1000
"""Slices times trainings: a model for every slice costs as many times as much, and helps while trainings are few."""

CLOSE = 0.02
BELIEVED = 0.1
"""Rivals whose rank correlation is this near to the best's take part in a recommendation."""

RIVALS = ("gaussian", "ridge", "gaussian by slice", "ridge by slice", "gaussian soft", "ridge soft")


class Modeller(Protocol):
    """Makes models of a history: by evidence, with what is known before, or of several objectives at once."""

    def objective(self, history: History) -> Model:
        """The model of what is searched for."""
        ...

    def believed(self, history: History) -> Model:
        """The model that is recommended by."""
        ...

    def slice(self, name: str, history: History) -> Model:
        """The model of one slice."""
        ...

    def guards(self, history: History) -> Guards | None:
        """The guards together where they are many, None where each has a model of its own."""
        ...


@final
class SelectingModeller:
    """Selects among rivals; the choice, as the parameters, depends on the first trainings alone (see `fitting`)."""

    def __init__(
        self,
        features: Callable[[Array], Array],
        data: Array,
        targets: Mapping[str, float],
        clusters: tuple[Array, ...] = (),
        guards: Sequence[str] = (),
    ) -> None:
        self._fitter = Fitter(features, data, clusters, guards)
        self._shares = shares_of(targets, ())
        self._evidence: dict[str, dict[str, float]] = {}

    def objective(self, history: History) -> Model:
        """The model of the objective that ranks best in this study."""
        return self._build(self.choice(history), history, fitted_to(len(history)))

    def believed(self, history: History) -> Model:
        """What is recommended by: the rivals that rank nearly as well as the best, averaged."""
        ranks = self._ranks(history)
        near = [rival for rival in ranks if ranks[rival] >= max(ranks.values()) - BELIEVED]
        return Averaged([self._build(rival, history, fitted_to(len(history))) for rival in near])

    def slice(self, name: str, history: History) -> Model:
        """The model of one slice, of the same family as the objective's."""
        if (together := self.guards(history)) is not None and name in together.names:
            return together.one(name, history.slices[name])
        return self._fitter.weighted(self._family(history), {name: 1.0}, history, fitted_to(len(history)))

    def guards(self, history: History) -> Guards | None:
        """The many guards together; None where they are few, and each has a model of its own."""
        if not self._fitter.guards:
            return None
        return self._fitter.together(self._family(history), history, fitted_to(len(history)))

    def choice(self, history: History) -> str:
        """The rival chosen at the last step of the ladder: the first of those close to the best."""
        ranks = self._ranks(history)
        return next(rival for rival in RIVALS if rival in ranks and ranks[rival] >= max(ranks.values()) - CLOSE)

    def evidence(self, history: History) -> dict[str, float]:
        """Leave-one-out rank correlation of the objective, rival by rival."""
        count = len(history)
        known = link.is_known(history)
        rivals = [r for r in RIVALS if self._allowed(r, count) and (known or not r.endswith("soft"))]
        return {r: _rank(self._build(r, history, count).left_out(), history) for r in rivals}

    def _family(self, history: History) -> str:
        return self.choice(history).split()[0]

    def _ranks(self, history: History) -> dict[str, float]:
        """The evidence at the last step of the ladder; of one rival alone where there is none yet."""
        count = fitted_to(len(history))
        key = history.digest(count, soft=True)
        if key not in self._evidence:
            forget(self._evidence)
            self._evidence[key] = self._judge(history.head(count), count)
        return self._evidence[key]

    def _judge(self, history: History, count: int) -> dict[str, float]:
        if count < 2 * FIRST_FIT or float(np.ptp(history.objective)) == 0.0:
            return {RIVALS[0] if self._allowed(RIVALS[0], count) else RIVALS[1]: 0.0}
        return self.evidence(history)

    def _allowed(self, rival: str, count: int) -> bool:
        if rival.startswith("gaussian") and count > GAUSSIAN_UP_TO:
            return False
        return not rival.endswith("slice") or (len(self._shares) > 1 and len(self._shares) * count <= BY_SLICE_UP_TO)

    def _build(self, rival: str, history: History, count: int) -> Weighted:
        shares = self._shares if rival.endswith("slice") else {link.SOFT if rival.endswith("soft") else "": 1.0}
        return self._fitter.weighted(rival.split()[0], shares, history, count)


def _rank(predicted: Array, history: History) -> float:
    """Spearman's correlation, 0 where it is not defined; failures are left to the penalty."""
    equals = history.commonest
    predicted, objective = predicted[equals], history.objective[equals]
    if len(objective) < 2 or np.ptp(predicted) == 0.0 or np.ptp(objective) == 0.0:
        return 0.0
    return correlation(predicted, objective)
