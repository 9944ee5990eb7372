"""Any Optuna sampler as an engine: the study is rebuilt from what was observed, the sampler is seeded per trial."""

from __future__ import annotations

import importlib.util
import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState

from autodc import seeds
from autodc.errors import SpecError
from autodc.plan.plan import Plan, Value, thawed
from autodc.search.answers import AnsweringEngine
from autodc.search.engine import Observation, SearchProblem, Suggestion
from autodc.search.proposal import free, unseen
from autodc.search.space import Dimension, Space

Array = np.ndarray[Any, Any]

STATEFUL = ("CmaEsSampler", "NSGAIISampler", "NSGAIIISampler", "QMCSampler")
NEEDS = {"CmaEsSampler": "cmaes", "GPSampler": "torch", "QMCSampler": "scipy"}


def sampler_names() -> tuple[str, ...]:
    """The Optuna samplers that need nothing but a seed."""
    names = []
    for name, kind in inspect.getmembers(optuna.samplers, inspect.isclass):
        if issubclass(kind, optuna.samplers.BaseSampler) and not inspect.isabstract(kind):
            needed = [p for p in inspect.signature(kind).parameters.values() if p.default is inspect.Parameter.empty]
            if not [p for p in needed if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]:
                names.append(name)
    return tuple(sorted(names))


def distribution(dimension: Dimension) -> BaseDistribution:
    """A dimension in Optuna's words; a weight is searched as its u in [0, 1]."""
    if dimension.kind == "choice":
        return CategoricalDistribution([_outside(choice) for choice in dimension.choices])
    if dimension.kind == "weight":
        return FloatDistribution(0.0, 1.0)
    if dimension.integer:
        step = int(dimension.step) if dimension.step and not dimension.log else 1
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log, step=step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log, step=dimension.step)


@final
class OptunaEngine(AnsweringEngine):
    """Asks one Optuna sampler. One with a state of its own sees all trials replayed at every ask, which costs it.

    options: arguments of the sampler's own beside its seed, such as multivariate=True for TPE.
    Raises SpecError ADC-SRCH-002 where the sampler needs a package that is not there.
    """

    def __init__(
        self, sampler: str, problem: SearchProblem, seed: int, options: Mapping[str, Any] | None = None
    ) -> None:
        if (package := NEEDS.get(sampler)) and importlib.util.find_spec(package) is None:
            hint = f"pip install {package}"
            raise SpecError("ADC-SRCH-002", f"{sampler} needs the package {package}", "search.sampler", sampler, hint)
        super().__init__(problem, seed)
        self._name, self._options = sampler, dict(options or {})
        self._bridge = Bridge(self._book.space, sampler, seed, self._options)

    def suggest(
        self,
        number: int,
        observed: Sequence[Observation],
        running: Sequence[Plan],
        excluded: frozenset[str] = frozenset(),
        mixture: Mapping[str, float] | None = None,
        recipe: str | None = None,
        pretrain: frozenset[str] | None = None,
    ) -> Suggestion:
        """Propose the plan of search trial `number`; see `SearchEngine`."""
        fixed = self._book.fixed(mixture, recipe, excluded, pretrain)
        pending = [self._book.encoding.row(plan) for plan in running]
        if number == 0:
            row = self._book.start
        else:
            history = self._book.history(observed)
            if self._name in STATEFUL:
                self._bridge = Bridge(self._book.space, self._name, self._seed, self._options)
            row = self._bridge.ask(number, history.rows, told(history.raw, history.shares), pending)
        row = self._book.space.hold(row[None], fixed, clip=number > 0 and mixture is None)[0]
        if not len(unseen(row[None], pending)):
            rng = seeds.generator(self._seed, "search", "optuna", number, "free")
            row = free(self._book.space, pending, fixed, rng)
        return Suggestion(plan=self._book.plan(row, mixture), seed_key=f"trial-{number}", origin=self._name)

    def opens(self, number: int, observed: Sequence[Observation]) -> bool:
        """Never: there is no opening; see `TellsOpening`."""
        return False


@final
class Bridge:
    """An in-memory Optuna study over a space, fed with rows. What was told once is not told again."""

    def __init__(self, space: Space, sampler: str, seed: int, options: Mapping[str, Any] | None = None) -> None:
        self._space, self._name, self._seed, self._options = space, sampler, seed, dict(options or {})
        self._distributions = {d.name: distribution(d) for d in space.dimensions}
        self._study = _quiet_study(self._sampler(0))
        self._told = 0

    def ask(self, number: int, rows: Array, values: Array, pending: Sequence[Array]) -> Array:
        """Return the row the sampler suggests after `rows` with `values` (NaN: nothing to tell), shape (D,)."""
        for i in range(self._told, len(rows)):
            self._tell(i, rows[i], float(values[i]))
        self._told = len(rows)
        held = [self._hold(row) for row in pending] if self._name not in STATEFUL else []
        self._study.sampler = self._sampler(number)
        trial = self._study.ask()
        row = self._answer(trial)
        for leftover in [trial.number, *held]:
            self._study.tell(leftover, state=TrialState.FAIL)
        return row

    def _tell(self, index: int, row: Array, value: float) -> None:
        if not np.isfinite(value):
            return
        params = self._params(row)
        if self._name in STATEFUL:
            self._study.sampler = self._sampler(index)
            self._study.enqueue_trial(params)
            trial = self._study.ask()
            self._answer(trial)
            self._study.tell(trial, value)
            return
        known = {n: self._distributions[n] for n in params}
        self._study.add_trial(optuna.create_trial(params=params, distributions=known, value=value))

    def _hold(self, row: Array) -> int:
        params = self._params(row)
        known = {n: self._distributions[n] for n in params}
        self._study.add_trial(optuna.create_trial(params=params, distributions=known, state=TrialState.RUNNING))
        return len(self._study.get_trials(deepcopy=False)) - 1

    def _answer(self, trial: optuna.Trial) -> Array:
        row = self._space.defaults.copy()
        for i, dimension in enumerate(self._space.dimensions):
            if self._space.active(row[None])[0, i]:
                value = trial._suggest(dimension.name, self._distributions[dimension.name])
                row[i] = value if dimension.kind == "weight" else dimension.unit(_inside(dimension, value))
        return np.asarray(self._space.snap(row[None])[0])

    def _params(self, row: Array) -> dict[str, Any]:
        active = self._space.active(row[None])[0]
        return {
            d.name: float(min(row[i], 1.0)) if d.kind == "weight" else _outside(d.value(float(row[i])))
            for i, d in enumerate(self._space.dimensions)
            if active[i]
        }

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        kind = getattr(optuna.samplers, self._name)
        known = inspect.signature(kind).parameters
        options: dict[str, Any] = {
            "seed": seeds.integer(self._seed, "search", "optuna", 0 if self._name == "QMCSampler" else number)
        }
        options |= {"constant_liar": True} | self._options
        return kind(**{name: value for name, value in options.items() if name in known})


def _outside(value: Value) -> str | int | float | bool | None:
    """A value as Optuna knows it, which has no lists: theirs is the text of their JSON."""
    return json.dumps(thawed(value)) if isinstance(value, tuple) else value


def _inside(dimension: Dimension, value: Any) -> Value:
    """The value of a dimension that Optuna knows as this."""
    return next((c for c in dimension.choices if _outside(c) == value), value) if dimension.kind == "choice" else value


def told(raw: Mapping[str, Array], shares: Mapping[str, float]) -> Array:
    """The objective as observed; a failure is the worst seen up to it, NaN where nothing was seen yet."""
    value = np.asarray(sum(shares[n] * v for n, v in raw.items() if shares[n]), dtype=float)
    worst = np.minimum.accumulate(np.where(np.isfinite(value), value, np.inf))
    return np.where(np.isfinite(value), value, np.where(np.isfinite(worst), worst, np.nan))


def _quiet_study(sampler: optuna.samplers.BaseSampler) -> optuna.Study:
    """A study in memory; Optuna's news of it is nobody's, and what the user wants to hear of Optuna stays as it is."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(direction="maximize", sampler=sampler)
    finally:
        optuna.logging.set_verbosity(level)
