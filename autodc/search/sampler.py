"""The engine's search as an Optuna sampler, for any Optuna study: no study file, no gate, nothing else of autodc."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from typing import Any, final

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from autodc import seeds
from autodc.search.encoding import PlanEncoding, weight_name
from autodc.search.engine import Observation, SearchProblem
from autodc.search.mixture_engine import MixtureEngine
from autodc.search.plan import Plan, Value
from autodc.search.space import start_hyperparameters
from autodc.spec.study import ParameterSpec

PLAN = "autodc:plan"
OBJECTIVE = "objective"
PRUNED_FIDELITY = 0.25
SLICES = "slices"


@final
class MixtureSampler(optuna.samplers.BaseSampler):  # type: ignore[misc]
    """Searches dataset weights and hyperparameters together.

    space: name → distribution, the same that the objective suggests; datasets: those of its names that are weights of
    datasets, floats from 0 to their cap, where exactly 0 is proposed like any other value; targets: slice → weight in
    the objective. A trial gives its slices by `trial.set_user_attr("slices", {slice: value})`, in the direction of the
    study; their weighted mean is then what is searched for. Where a trial lacks one, its value stands for all.

    A suggestion depends on the seed, the number of the trial, and the trials of the study in the order they ended.
    Parameters that are not in `space` are drawn at random. A failed trial counts as the worst one seen.
    Raises ValueError for a dataset that is not in `space`, or whose distribution is not a float from 0 up.
    """

    def __init__(
        self,
        space: Mapping[str, BaseDistribution] | None = None,
        *,
        datasets: Sequence[str] = (),
        targets: Mapping[str, float] | None = None,
        seed: int = 0,
    ) -> None:
        self._space, self._seed = dict(space or {}), seed
        self._targets = dict(targets or {OBJECTIVE: 1.0})
        self._caps = {name: _cap(name, self._space) for name in datasets}
        specs = {name: _spec(found) for name, found in self._space.items() if name not in self._caps}
        self._problem = SearchProblem(
            datasets=tuple(self._caps),
            hyperparameters=specs,
            recipes=("concat",),
            max_weight=1.0,
            targets=self._targets,
            guards={},
            start=Plan.of({}, start_hyperparameters(specs, "concat")),
        )
        self._encoding = PlanEncoding(self._problem)
        self._engine = MixtureEngine(self._problem, seed)
        self._told: tuple[int, ...] = ()
        self._lock = threading.Lock()

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the space of the constructor, from the first trial on."""
        return dict(self._space)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Suggest values of `search_space`; what of it is not this sampler's is drawn at random."""
        self._raise_error_if_multi_objective(study)
        own = self._space
        answer: dict[str, Any] = {}
        if any(own.get(name) == distribution for name, distribution in search_space.items()):
            plan = self._suggest(study, trial)
            study._storage.set_trial_system_attr(trial._trial_id, PLAN, plan.to_dict())
            answer = self._params(plan)
        for name, distribution in search_space.items():
            if own.get(name) != distribution:
                answer[name] = self.sample_independent(study, trial, name, distribution)
        return {name: answer[name] for name in search_space}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw at random: a function of the seed, the number of the trial and the name."""
        self._raise_error_if_multi_objective(study)
        seed = seeds.integer(self._seed, "search", "sampler", trial.number, param_name)
        return optuna.samplers.RandomSampler(seed).sample_independent(study, trial, param_name, param_distribution)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def _suggest(self, study: optuna.Study, trial: FrozenTrial) -> Plan:
        trials = [t for t in study.get_trials(deepcopy=False) if t.number != trial.number]
        sign = -1.0 if study.direction == optuna.study.StudyDirection.MINIMIZE else 1.0
        ended = sorted((t for t in trials if t.state.is_finished() and self._ours(t)), key=_ending)
        running = [self._plan(t) for t in trials if t.state == TrialState.RUNNING and (self._ours(t) or _planned(t))]
        told = tuple(t.number for t in ended)
        observed = [self._observation(t, sign) for t in ended]
        with self._lock:
            if told[: len(self._told)] != self._told:
                self._engine = MixtureEngine(self._problem, self._seed)
            self._told = told
            return self._engine.suggest(trial.number, observed, running).plan

    def _observation(self, trial: FrozenTrial, sign: float) -> Observation:
        plan, fidelity, value = self._plan(trial), 1.0, math.nan
        if trial.state == TrialState.COMPLETE and trial.value is not None:
            value = float(trial.value)
        elif trial.state == TrialState.PRUNED and trial.intermediate_values:
            value, fidelity = float(trial.intermediate_values[max(trial.intermediate_values)]), PRUNED_FIDELITY
        slices = trial.user_attrs.get(SLICES, {}) if trial.state == TrialState.COMPLETE else {}
        values: dict[str, float] = {}
        if all(_number(slices.get(name)) for name in self._targets):
            values = {name: sign * float(slices[name]) for name in self._targets}
        elif math.isfinite(value):
            values = dict.fromkeys(self._targets, sign * value)
        return Observation(number=trial.number, plan=plan, seed=trial.number, values=values, fidelity=fidelity)

    def _ours(self, trial: FrozenTrial) -> bool:
        return any(name in trial.params for name in self._space)

    def _plan(self, trial: FrozenTrial) -> Plan:
        """What a trial trains on: its parameters, and what was suggested for those it has not asked for yet."""
        params: dict[str, Any] = {}
        if trial.state == TrialState.RUNNING and _planned(trial):
            params = self._params(Plan.from_dict(trial.system_attrs[PLAN]))
        params |= trial.params
        values: dict[str, Value] = {}
        for name, distribution in self._space.items():
            if name in params and name in self._caps:
                values[weight_name(name)] = float(params[name]) / self._caps[name]
            elif name in params:
                values[name] = _inside(distribution, params[name])
        return self._encoding.plan(self._encoding.space.encode(values))

    def _params(self, plan: Plan) -> dict[str, Any]:
        values = dict(plan.hyperparameters)
        return {
            name: self._caps[name] * min(plan.mixture.weight(name), 1.0)
            if name in self._caps
            else _outside(distribution, values[name])
            for name, distribution in self._space.items()
        }


def _cap(name: str, space: Mapping[str, BaseDistribution]) -> float:
    found = space.get(name)
    if found is None:
        raise ValueError(f"dataset {name!r} has no distribution in the space: it is not in it")
    if not isinstance(found, FloatDistribution) or found.low != 0.0 or found.high <= 0.0 or found.step is not None:
        raise ValueError(f"the weight of {name!r} is a float from 0 to its cap, without a step; found {found!r}")
    return float(found.high)


def _planned(trial: FrozenTrial) -> bool:
    return PLAN in trial.system_attrs


def _ending(trial: FrozenTrial) -> tuple[float, int]:
    """Trials in the order they ended, so that what is known only grows."""
    return (trial.datetime_complete.timestamp() if trial.datetime_complete else 0.0, trial.number)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _spec(distribution: BaseDistribution) -> ParameterSpec:
    """A distribution in the words of a study file; a choice is searched by its index, a single value is one choice."""
    if isinstance(distribution, CategoricalDistribution):
        return ParameterSpec(type="categorical", choices=tuple(range(len(distribution.choices))))
    if not isinstance(distribution, (FloatDistribution, IntDistribution)):
        raise ValueError(f"a float, int or categorical distribution is needed, not {distribution!r}")
    if distribution.single():
        return ParameterSpec(type="categorical", choices=(0,))
    kind = "int" if isinstance(distribution, IntDistribution) else "float"
    step = None if distribution.log else distribution.step
    return ParameterSpec.model_validate(
        {"type": kind, "low": distribution.low, "high": distribution.high, "log": distribution.log, "step": step}
    )


def _inside(distribution: BaseDistribution, value: Any) -> Value:
    """A value of a trial as the engine knows it."""
    if isinstance(distribution, CategoricalDistribution):
        return int(distribution.to_internal_repr(value))
    return 0 if distribution.single() else float(value)


def _outside(distribution: BaseDistribution, value: Value) -> Any:
    """A value of the engine as Optuna wants it."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(value)]
    if distribution.single():
        return distribution.low
    if isinstance(distribution, IntDistribution):
        return int(value)
    return float(min(max(float(value), distribution.low), distribution.high))
