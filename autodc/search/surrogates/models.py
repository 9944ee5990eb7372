"""Which model speaks for the objective, chosen in the study by evidence, and its parameters remembered.

Rivals: Gaussian process and ridge on the objective, and both slice by slice with aggregation after prediction. The one
whose leave-one-out predictions rank the objective best is used; the first of those that are close.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, final

import numpy as np
from scipy import stats

from autodc.search.history import History
from autodc.search.surrogates.gaussian import GaussianProcess, Sample, tune
from autodc.search.surrogates.ridge import Ridge, tune_ridge

Array = np.ndarray[Any, Any]

FIRST_FIT = 6
GROWTH = 1.25
GAUSSIAN_UP_TO = 600
BY_SLICE_UP_TO = 1000
"""Slices times trainings: a model for every slice costs as many times as much, and helps while trainings are few."""

CLOSE = 0.02
BELIEVED = 0.1
"""Rivals whose rank correlation is this near to the best's take part in a recommendation."""

FEW = 16
"""More guards than this have one kernel and one factor together: what they cost grows with the trainings alone."""

MEMORY = 64
Function = Callable[[Array], Array]
GUARDS = "\0guards"
"""Stands for the guards together where parameters are remembered by slice."""

RIVALS = ("gaussian", "ridge", "gaussian by slice", "ridge by slice")


class Model(Protocol):
    """A posterior over the noiseless objective in its own units."""

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Posterior mean and sd, each of shape (m,)."""
        ...

    def mean(self) -> Function:
        """The posterior mean as a function, features (m, F) → (m,)."""
        ...

    def sampled(self, rng: np.random.Generator) -> Function:
        """One draw as a function."""
        ...

    def draws(self, rng: np.random.Generator, features: Array, count: int) -> Array:
        """The values at these rows of as many draws as `sampled` would give one by one, shape (count, m)."""
        ...

    def difference(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Mean and sd of objective(left) − objective(right), row by row."""
        ...

    def left_out(self) -> Array:
        """Prediction of every training from all others, shape (n,)."""
        ...


class Surrogate(Protocol):
    """A posterior over one standardised objective."""

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Posterior mean and sd, each of shape (m,)."""
        ...

    def mean(self) -> Function:
        """The posterior mean as a function, features (m, F) → (m,)."""
        ...

    def sampled(self, rng: np.random.Generator) -> Function:
        """One draw as a function."""
        ...

    def drawing(self, features: Array) -> Drawing:
        """Many draws at these rows."""
        ...

    def difference(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Mean and sd of objective(left) − objective(right), row by row."""
        ...

    def left_out(self) -> Array:
        """Prediction of every training from all others, shape (n,)."""
        ...

    def means(self, features: Array) -> Array:
        """Posterior means where it was given several targets, shape (m, targets)."""
        ...

    def told(self, target: Array) -> Surrogate:
        """The same posterior given another target."""
        ...


class Drawing(Protocol):
    """Many draws of a surrogate at the same rows: what is random one by one, what costs much together."""

    def draw(self, rng: np.random.Generator) -> None:
        """Take from `rng` what one draw takes."""
        ...

    def values(self) -> Array:
        """The values of all draws, shape (count, m)."""
        ...


@final
class Weighted:
    """A weighted sum of standardised surrogates, taken to be independent."""

    def __init__(self, parts: list[tuple[float, float, float, Surrogate]]) -> None:
        """parts: (share, centre, scale, surrogate of the standardised values)."""
        self._parts = parts

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Posterior mean and sd, each of shape (m,)."""
        found = [(share, centre, scale, *part.predict(features)) for share, centre, scale, part in self._parts]
        mean = sum(share * (centre + scale * m) for share, centre, scale, m, _ in found)
        return np.asarray(mean), np.sqrt(sum((share * scale * s) ** 2 for share, _, scale, _, s in found))

    def mean(self) -> Function:
        """The posterior mean as a function, features (m, F) → (m,)."""
        return self._sum([part.mean() for *_, part in self._parts])

    def sampled(self, rng: np.random.Generator) -> Function:
        """One draw as a function."""
        return self._sum([part.sampled(rng) for *_, part in self._parts])

    def draws(self, rng: np.random.Generator, features: Array, count: int) -> Array:
        """The values at these rows of as many draws as `sampled` would give one by one, shape (count, m)."""
        drawings = [part.drawing(features) for *_, part in self._parts]
        for _ in range(count):
            for drawing in drawings:
                drawing.draw(rng)
        parts = zip(self._parts, drawings, strict=True)
        return np.asarray(sum(share * (centre + scale * d.values()) for (share, centre, scale, _), d in parts))

    def _sum(self, functions: list[Function]) -> Function:
        def value(features: Array) -> Array:
            parts = zip(self._parts, functions, strict=True)
            return np.asarray(sum(share * (centre + scale * f(features)) for (share, centre, scale, _), f in parts))

        return value

    def difference(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Mean and sd of objective(left) − objective(right), row by row."""
        found = [(share * scale, *part.difference(left, right)) for share, _, scale, part in self._parts]
        return np.asarray(sum(f * m for f, m, _ in found)), np.sqrt(sum((f * s) ** 2 for f, _, s in found))

    def left_out(self) -> Array:
        """Prediction of every training from all others, shape (n,)."""
        return np.asarray(sum(share * (centre + scale * part.left_out()) for share, centre, scale, part in self._parts))


@final
class Averaged:
    """Several posteriors of one objective, each as likely as the others; they saw the same trainings."""

    def __init__(self, models: list[Weighted]) -> None:
        self._models = models

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Mean and sd of the mixture of posteriors, each of shape (m,)."""
        return _mixed([model.predict(features) for model in self._models])

    def mean(self) -> Function:
        """The mean of the posterior means as a function."""
        means = [model.mean() for model in self._models]
        return lambda features: np.asarray(np.mean([mean(features) for mean in means], axis=0))

    def sampled(self, rng: np.random.Generator) -> Function:
        """One draw of one of them as a function."""
        return self._models[int(rng.integers(len(self._models)))].sampled(rng)

    def draws(self, rng: np.random.Generator, features: Array, count: int) -> Array:
        """The values at these rows of as many draws as `sampled` would give one by one, shape (count, m)."""
        return one_by_one(self, rng, features, count)

    def difference(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Mean and sd of objective(left) − objective(right), row by row."""
        return _mixed([model.difference(left, right) for model in self._models])

    def left_out(self) -> Array:
        """Prediction of every training from all others, shape (n,)."""
        return np.asarray(np.mean([model.left_out() for model in self._models], axis=0))


@final
class AtFull:
    """A surrogate whose last feature is what a training lacks of the full budget, asked about full trainings."""

    def __init__(self, model: Surrogate) -> None:
        self._model = model

    def means(self, features: Array) -> Array:
        """Posterior means of several targets, shape (m, targets)."""
        return self._model.means(_at_full(features))

    def told(self, target: Array) -> AtFull:
        """The same posterior given another target."""
        return AtFull(self._model.told(target))

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Posterior mean and sd, each of shape (m,)."""
        return self._model.predict(_at_full(features))

    def mean(self) -> Function:
        """The posterior mean as a function, features (m, F) → (m,)."""
        mean = self._model.mean()
        return lambda features: mean(_at_full(features))

    def sampled(self, rng: np.random.Generator) -> Function:
        """One draw as a function."""
        drawn = self._model.sampled(rng)
        return lambda features: drawn(_at_full(features))

    def drawing(self, features: Array) -> Drawing:
        """Many draws at these rows."""
        return self._model.drawing(_at_full(features))

    def difference(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Mean and sd of objective(left) − objective(right), row by row."""
        return self._model.difference(_at_full(left), _at_full(right))

    def left_out(self) -> Array:
        """Prediction of every training, at its own fidelity, from all others, shape (n,)."""
        return self._model.left_out()


@final
class Guards:
    """The posterior means of many slices that share a kernel; names: in the order of what they give."""

    def __init__(self, names: tuple[str, ...], centres: Array, scales: Array, model: Surrogate, full: bool) -> None:
        """full: False where the last feature of the model is what a training lacks of the full budget."""
        self.names, self.scales = names, scales
        self._centres, self._model, self._full = centres, model, full
        self._tilt: Array | None = None

    def means(self, features: Array) -> Array:
        """The posterior means, shape (m, names)."""
        asked = features if self._full else _at_full(features)
        found = self._centres + self.scales * self._model.means(asked)
        return np.asarray(found if self._tilt is None else found + features @ self._tilt)

    def tilted(self, tilt: Array) -> Guards:
        """The same plus a linear function. tilt: shape (F, names)."""
        other = Guards(self.names, self._centres, self.scales, self._model, self._full)
        other._tilt = tilt
        return other

    def one(self, name: str, target: Array) -> Weighted:
        """The model of one of them alone. target: what was observed of it."""
        i = self.names.index(name)
        centre, scale = float(self._centres[i]), float(self.scales[i])
        model = self._model.told((target - centre) / scale)
        return Weighted([(1.0, centre, scale, model if self._full else AtFull(model))])


@final
class Modeller:
    """Fits models to a growing history; parameters and the choice depend on its first n trainings alone, with n on a
    geometric ladder, so that a modeller that starts in the middle says the same."""

    def __init__(
        self,
        features: Callable[[Array], Array],
        data: Array,
        targets: Mapping[str, float],
        clusters: tuple[Array, ...] = (),
        guards: Sequence[str] = (),
    ) -> None:
        self._guards = tuple(guards) if len(guards) > FEW else ()
        self._features, self._data, self._clusters = features, data, clusters
        total = sum(targets.values()) or 1.0
        self._shares = {name: weight / total for name, weight in targets.items()}
        self._parameters: dict[tuple[str, str, str], Array] = {}
        self._evidence: dict[str, dict[str, float]] = {}

    def objective(self, history: History) -> Model:
        """The model of the objective that ranks best in this study."""
        return self._build(self.choice(history), history, step(len(history)))

    def believed(self, history: History) -> Model:
        """What is recommended by: the rivals that rank nearly as well as the best, averaged."""
        found = self._ranks(history)
        near = [rival for rival in found if found[rival] >= max(found.values()) - BELIEVED]
        return Averaged([self._build(rival, history, step(len(history))) for rival in near])

    def slice(self, name: str, history: History) -> Model:
        """The model of one slice, of the same family as the objective's."""
        if (together := self.guards(history)) is not None and name in together.names:
            return together.one(name, history.slices[name])
        family = self.choice(history).split()[0]
        return self._weighted(family, {name: 1.0}, history, step(len(history)))

    def guards(self, history: History) -> Guards | None:
        """The many guards together; None where they are few, and each has a model of its own."""
        if not self._guards:
            return None
        family = self.choice(history).split()[0]
        key = (self, family, "guards")
        if key not in history.memo:
            history.memo[key] = self._together(family, history, step(len(history)))
        found: Guards = history.memo[key]
        return found

    def choice(self, history: History) -> str:
        """The rival chosen at the last step of the ladder: the first of those close to the best."""
        found = self._ranks(history)
        return next(rival for rival in RIVALS if rival in found and found[rival] >= max(found.values()) - CLOSE)

    def _ranks(self, history: History) -> dict[str, float]:
        """The evidence at the last step of the ladder; of one rival alone where there is none yet."""
        count = step(len(history))
        key = history.digest(count)
        if key not in self._evidence:
            _forget(self._evidence)
            self._evidence[key] = self._judge(history.head(count), count)
        return self._evidence[key]

    def evidence(self, history: History) -> dict[str, float]:
        """Leave-one-out rank correlation of the objective, rival by rival."""
        count = len(history)
        rivals = [r for r in RIVALS if self._allowed(r, count)]
        return {r: _rank(self._build(r, history, count).left_out(), history) for r in rivals}

    def _judge(self, history: History, count: int) -> dict[str, float]:
        if count < 2 * FIRST_FIT or float(np.ptp(history.objective)) == 0.0:
            return {RIVALS[0] if self._allowed(RIVALS[0], count) else RIVALS[1]: 0.0}
        return self.evidence(history)

    def _allowed(self, rival: str, count: int) -> bool:
        if rival.startswith("gaussian") and count > GAUSSIAN_UP_TO:
            return False
        return not rival.endswith("slice") or (len(self._shares) > 1 and len(self._shares) * count <= BY_SLICE_UP_TO)

    def _build(self, rival: str, history: History, count: int) -> Weighted:
        family = rival.split()[0]
        if rival.endswith("slice"):
            return self._weighted(family, self._shares, history, count)
        return self._weighted(family, {"": 1.0}, history, count)

    def _weighted(self, family: str, shares: Mapping[str, float], history: History, count: int) -> Weighted:
        """The model of a weighted sum of slices, the same one where this history was asked for it before."""
        key = (self, family, tuple(shares), count)
        if key not in history.memo:
            history.memo[key] = self._fitted(family, shares, history, count)
        found: Weighted = history.memo[key]
        return found

    def _fitted(self, family: str, shares: Mapping[str, float], history: History, count: int) -> Weighted:
        features, data = self._inputs(history)
        parts: list[tuple[float, float, float, Surrogate]] = []
        for name, share in shares.items():
            values = history.slices[name] if name else history.objective
            centre, scale = float(values.mean()), float(values.std()) or 1.0
            sample = history.sample(features, data, (values - centre) / scale, self._summed(len(data)))
            theta = self._tuned(family, name, history, count, len(data))
            model = _FIT[family](sample, theta)
            parts.append((share, centre, scale, model if len(data) == len(self._data) else AtFull(model)))
        return Weighted(parts)

    def _together(self, family: str, history: History, count: int) -> Guards:
        features, data = self._inputs(history)
        target, centres, scales = _standardised(history.table(self._guards))
        sample = history.sample(features, data, target, self._summed(len(data)))
        model = _FIT[family](sample, self._tuned(family, GUARDS, history, count, len(data)))
        return Guards(self._guards, centres, scales, model, len(data) == len(self._data))

    def _inputs(self, history: History) -> tuple[Array, Array]:
        """Features (n, F) and which are strengths; where some trainings were cheap, what they lack is a feature."""
        if self not in history.memo:
            features = self._features(history.rows)
            whole = bool((history.fidelity == 1.0).all())
            history.memo[self] = (
                (features, self._data)
                if whole
                else (np.column_stack([features, 1.0 - history.fidelity]), np.append(self._data, False))
            )
        found: tuple[Array, Array] = history.memo[self]
        return found

    def _summed(self, width: int) -> tuple[Array, ...]:
        """The clusters at `width` features: what a cheap training lacks is in none."""
        return tuple(np.pad(band, ((0, width - len(band)), (0, 0))) for band in self._clusters)

    def _tuned(self, family: str, name: str, history: History, count: int, width: int) -> Array:
        """Parameters fitted to the first `count` trainings alone, at `width` features."""
        key = (family, name, f"{width} {history.digest(count)}")
        if key not in self._parameters:
            _forget(self._parameters)
            head = history.head(count)
            if name == GUARDS:
                target = _standardised(head.table(self._guards))[0]
            else:
                values = head.slices[name] if name else head.objective
                target = (values - values.mean()) / (float(values.std()) or 1.0)
            features, data = self._inputs(head)
            if len(data) < width:
                features, data = np.column_stack([features, 1.0 - head.fidelity]), np.append(data, False)
            sample = head.sample(features, data, target, self._summed(width))
            self._parameters[key] = _TUNE[family](sample)
        return self._parameters[key]


def _standardised(table: Array) -> tuple[Array, Array, Array]:
    """Values of slices, shape (names, n), as targets (n, names), with their centres and scales."""
    centres, scales = table.mean(axis=1), table.std(axis=1)
    scales = np.where(scales > 0, scales, 1.0)
    return ((table - centres[:, None]) / scales[:, None]).T, centres, scales


def step(count: int) -> int:
    """The largest step of the ladder that `count` trainings reach: parameters are refitted on it."""
    rung = FIRST_FIT
    while int(np.ceil(rung * GROWTH)) <= count:
        rung = int(np.ceil(rung * GROWTH))
    return min(rung, count)


def _mixed(found: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Mean and sd of a mixture of as many equal parts."""
    means, sds = (np.array(part) for part in zip(*found, strict=True))
    return means.mean(0), np.sqrt((sds**2).mean(0) + means.var(0))


def one_by_one(model: Model, rng: np.random.Generator, features: Array, count: int) -> Array:
    """Draw `count` times, shape (count, m)."""
    return np.array([model.sampled(rng)(features) for _ in range(count)])


def _forget(remembered: dict[Any, Any]) -> None:
    """Drop the oldest entry of a memory that is full."""
    if len(remembered) >= MEMORY:
        del remembered[next(iter(remembered))]


def _at_full(features: Array) -> Array:
    return np.column_stack([features, np.zeros(len(features))])


def _rank(predicted: Array, history: History) -> float:
    """Spearman's correlation, 0 where it is not defined; failures are left to the penalty."""
    equals = history.commonest
    predicted, objective = predicted[equals], history.objective[equals]
    if len(objective) < 2 or np.ptp(predicted) == 0.0 or np.ptp(objective) == 0.0:
        return 0.0
    return float(stats.spearmanr(predicted, objective).statistic)


_FIT: dict[str, Callable[[Sample, Array], Surrogate]] = {"ridge": Ridge, "gaussian": GaussianProcess}
_TUNE: dict[str, Callable[[Sample], Array]] = {"ridge": tune_ridge, "gaussian": tune}
