"""The engine's search as an Optuna sampler, for any Optuna study: no study file, no gate, nothing else of autodc."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from typing import Any, final

import optuna
from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.search.engine import Observation
from autodc.search.mixture_engine import MixtureEngine
from autodc.search.vocabulary import OBJECTIVE, Vocabulary

PLAN = "autodc:plan"
ENQUEUED = "fixed_params"
PRUNED_FIDELITY = 0.25
SLICES = "slices"
FIDELITY = "fidelity"


@final
class MixtureSampler(optuna.samplers.BaseSampler):  # type: ignore[misc]
    """Searches dataset weights and hyperparameters together.

    space: name → distribution, the same that the objective suggests; datasets: those of its names that are weights of
    datasets, floats from 0 to their cap, where exactly 0 is proposed like any other value; targets: slice → weight in
    the objective; guards: slice → margin, the worst loss against the trial without datasets; probes: dataset → a
    number known before, larger for what is believed to help; descriptors: dataset → numbers that say what it holds, as
    many of each, heard where more than 60 datasets have them; conditions: name → {other name: the value, or list of
    values, under which it counts}; recipe and stages: the parameter that is `pretrain_finetune` where datasets have a
    stage, and dataset → its parameter, `main` or `pretrain`; seed: root of everything random.

    A trial gives its slices by `trial.set_user_attr("slices", {slice: value})`, in the direction of the study (of its
    first objective); their weighted mean is then what is searched for. Where a trial lacks one, its value stands for
    all, and its guards are not known. `trial.set_user_attr("fidelity", share)`, above 0 and at most 1, says that it
    was trained with a share of the budget: its value counts, with so much more noise. A pruned trial has 0.25.

    In a study with several directions every trial searches for one random weighting of them.

    A suggestion depends on the seed, the number of the trial (enqueued ones are not counted), and the trials of the
    study in the order they ended. Parameters that are not in `space` are drawn at random, those whose condition does
    not hold are at their default. A failed trial counts as the worst one seen.
    Raises ValueError where the arguments do not fit each other; the message says which and how.
    """

    def __init__(
        self,
        space: Mapping[str, BaseDistribution] | None = None,
        *,
        datasets: Sequence[str] = (),
        targets: Mapping[str, float] | None = None,
        guards: Mapping[str, float] | None = None,
        probes: Mapping[str, float] | None = None,
        descriptors: Mapping[str, Sequence[float]] | None = None,
        conditions: Mapping[str, Mapping[str, Any]] | None = None,
        recipe: str | None = None,
        stages: Mapping[str, str] | None = None,
        seed: int = 0,
    ) -> None:
        if targets is not None and not targets:
            raise ValueError("targets: name at least one slice; left out, the value of a trial is searched for")
        self._words = Vocabulary(
            space or {},
            datasets=datasets,
            targets={OBJECTIVE: 1.0} if targets is None else targets,
            guards=guards or {},
            probes=probes or {},
            descriptors=descriptors or {},
            conditions=conditions or {},
            recipe=recipe,
            stages=stages or {},
        )
        self._seed = seed
        self._engine: MixtureEngine | None = None
        self._directions: tuple[StudyDirection, ...] = ()
        self._told: tuple[int, ...] = ()
        self._seen: dict[int, Observation] = {}
        self._lock = threading.Lock()

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the space of the constructor, from the first trial on."""
        return dict(self._words.space.distributions)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Refuse an enqueued trial with a value that the space does not have; it has failed then.

        Raises ValueError, which says which.
        """
        try:
            self._words.space.check(trial.system_attrs.get(ENQUEUED, {}))
        except ValueError:
            study._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
            raise

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Suggest values of `search_space`; what of it is not this sampler's is drawn at random."""
        own = self._words.space.distributions
        answer: dict[str, Any] = {}
        if any(own.get(name) == distribution for name, distribution in search_space.items()):
            answer = self._words.params(self._suggest(study, trial))
        for name, distribution in search_space.items():
            if own.get(name) != distribution:
                answer[name] = self.sample_independent(study, trial, name, distribution)
        return {name: answer[name] for name in search_space}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw at random: a function of the seed, the number of the trial and the name."""
        seed = seeds.integer(self._seed, "search", "sampler", trial.number, param_name)
        return optuna.samplers.RandomSampler(seed).sample_independent(study, trial, param_name, param_distribution)

    def spent(self, study: optuna.Study) -> float:
        """What the ended trials of a study cost, in full trainings: each counts its fidelity, a failed one too."""
        return sum(_fidelity(t) for t in study.get_trials(deepcopy=False) if t.state.is_finished())

    def __getstate__(self) -> dict[str, Any]:
        return {**{n: v for n, v in self.__dict__.items() if n != "_lock"}, "_engine": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def _suggest(self, study: optuna.Study, trial: FrozenTrial) -> Plan:
        """Work out the plan of a trial and note it, before another thread looks at what is running."""
        with self._lock:
            plan = self._planned_for(study, trial)
            study._storage.set_trial_system_attr(trial._trial_id, PLAN, plan.to_dict())
        return plan

    def _planned_for(self, study: optuna.Study, trial: FrozenTrial) -> Plan:
        trials = [t for t in study.get_trials(deepcopy=False) if t.number != trial.number]
        ended = sorted((t for t in trials if t.state.is_finished() and self._ours(t)), key=_ending)
        running = [t for t in trials if t.state == TrialState.RUNNING and (self._ours(t) or _planned(t))]
        number = sum(t.number < trial.number and ENQUEUED not in t.system_attrs for t in trials)
        told = tuple(t.number for t in ended)
        if self._engine is None or self._directions != tuple(study.directions) or told[: len(self._told)] != self._told:
            self._directions, self._seen = tuple(study.directions), {}
            self._engine = MixtureEngine(self._words.problem(len(self._directions)), self._seed)
        self._told = told
        for one in ended:
            if one.number not in self._seen:
                self._seen[one.number] = self._observation(one)
        observed, plans = [self._seen[n] for n in told], [self._running_plan(t) for t in running]
        return self._engine.suggest(number, observed, plans).plan

    def _observation(self, trial: FrozenTrial) -> Observation:
        signs = [-1.0 if d == StudyDirection.MINIMIZE else 1.0 for d in self._directions]
        found = [math.nan] * len(signs)
        if trial.state == TrialState.COMPLETE:
            found = [float(v) for v in trial.values or found]
        elif trial.state == TrialState.PRUNED and trial.intermediate_values:
            found[0] = float(trial.intermediate_values[max(trial.intermediate_values)])
        slices = trial.user_attrs.get(SLICES, {}) if trial.state != TrialState.FAIL else {}
        targets, guards = self._words.targets, self._words.guards
        values: dict[str, float] = {}
        if all(_number(slices.get(name)) for name in targets):
            values = {name: signs[0] * float(slices[name]) for name in targets}
        elif math.isfinite(found[0]):
            values = dict.fromkeys(targets, signs[0] * found[0])
        if values:
            values |= {n: signs[0] * float(slices[n]) for n in guards if n not in values and _number(slices.get(n))}
        beside = zip(self._words.tradeoffs(len(signs)), signs[1:], found[1:], strict=True)
        return Observation(
            number=trial.number,
            plan=self._words.plan(trial.params),
            seed=trial.number,
            values=values,
            fidelity=_fidelity(trial),
            tradeoffs={name: sign * value for name, sign, value in beside if math.isfinite(value)},
        )

    def _ours(self, trial: FrozenTrial) -> bool:
        return any(name in trial.params for name in self._words.space.distributions)

    def _running_plan(self, trial: FrozenTrial) -> Plan:
        """What a trial trains on: its parameters, and for those it has not asked for yet what it will be given."""
        params: dict[str, Any] = {}
        if _planned(trial):
            params = self._words.params(Plan.from_dict(trial.system_attrs[PLAN]))
        return self._words.plan(params | trial.system_attrs.get(ENQUEUED, {}) | trial.params)


def _planned(trial: FrozenTrial) -> bool:
    return PLAN in trial.system_attrs


def _ending(trial: FrozenTrial) -> tuple[float, int]:
    """Trials in the order they ended, so that what is known only grows."""
    return (trial.datetime_complete.timestamp() if trial.datetime_complete else 0.0, trial.number)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _fidelity(trial: FrozenTrial) -> float:
    """The share of a full training that a trial had."""
    share = trial.user_attrs.get(FIDELITY)
    if _number(share) and 0 < share <= 1:
        return float(share)
    return PRUNED_FIDELITY if trial.state == TrialState.PRUNED else 1.0
