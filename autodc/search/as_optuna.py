"""A search as a study of Optuna: parameters, values and constraints under Optuna's own names, for its own tools."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, final

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from autodc.errors import InputError
from autodc.plan.plan import Plan, thawed
from autodc.search.distributions import fits
from autodc.search.encoding import STAGES, PlanEncoding, stage_name, weight_name
from autodc.search.engine import SearchProblem
from autodc.search.optuna_engine import distribution
from autodc.search.space import RECIPE

LISTED = "constraints"
"""The attribute of a trial in which constraints stood before they had names."""
LOG = ".log"
"""How the files of Optuna's journal end."""
MINE = "autodc.study"
"""Attribute of a study that was written by this module: the fingerprint of what it is a copy of."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """One training as Optuna is told it."""

    plan: Plan
    values: tuple[float, ...] | None
    """In the order of the objectives, in their own units; None where it gave none."""
    ended: bool = True
    """False while it runs."""
    fidelity: float = 1.0
    """Below 1 it is told as pruned: it was stopped on the way to a value of its plan."""
    constraints: Mapping[str, float] = field(default_factory=dict)
    """At most 0 where they hold."""
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """JSON values."""


def as_optuna(
    problem: SearchProblem,
    trainings: Sequence[Copied],
    objectives: Mapping[str, str],
    name: str,
    fingerprint: str,
    storage: str | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> optuna.Study:
    """Return the study. objectives: name → `maximize` or `minimize`; attributes: of the study, JSON values.

    Raises InputError ADC-COPY-003 where the storage has a study of that name that is none of ours.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    where = _storage(storage)
    if where is not None:
        _make_room(where, str(storage), name, fingerprint)
    study = optuna.create_study(
        storage=where, study_name=name, directions=list(objectives.values()), sampler=optuna.samplers.RandomSampler(0)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names(list(objectives))
    for key, value in {MINE: fingerprint, **(attributes or {})}.items():
        study.set_user_attr(key, value)
    encoding = PlanEncoding(problem)
    known = _distributions(encoding, [one.plan for one in trainings])
    study.add_trials(
        [_trial(encoding, known, one, single=len(objectives) == 1, kept=where is not None) for one in trainings]
    )
    return study


def _storage(named: str | None) -> optuna.storages.BaseStorage | None:
    """What an address names: a file of Optuna's own journal, or what SQLAlchemy reaches, which takes far longer."""
    if named is None:
        return None
    if named.endswith(LOG):
        return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(named))
    found: optuna.storages.BaseStorage = optuna.storages.get_storage(named)
    return found


def _make_room(storage: optuna.storages.BaseStorage, place: str, name: str, fingerprint: str) -> None:
    """Take away an earlier copy of the same study."""
    for one in optuna.get_all_study_summaries(storage):
        if one.study_name != name:
            continue
        if one.user_attrs.get(MINE) != fingerprint:
            hint = "name another storage: what another study left there is not written over"
            raise InputError("ADC-COPY-003", "the storage has another study of this name", place, name, hint)
        optuna.delete_study(study_name=name, storage=storage)


def _distributions(encoding: PlanEncoding, plans: Sequence[Plan]) -> dict[str, BaseDistribution]:
    """Of every dimension; a weight up to the largest that was trained."""
    found = {}
    weights = {weight_name(d): d for d in encoding.problem.datasets}
    for one in encoding.space.dimensions:
        if one.name in weights:
            most = max([one.high, *(plan.mixture.weight(weights[one.name]) for plan in plans)])
            found[one.name] = FloatDistribution(0.0, most)
        else:
            found[one.name] = distribution(one)
    return found


def _trial(
    encoding: PlanEncoding, known: Mapping[str, BaseDistribution], one: Copied, single: bool, kept: bool
) -> FrozenTrial:
    """One training. kept: in a storage, which the dashboard reads: it knows constraints as a list alone."""
    active = encoding.space.active(encoding.row(one.plan)[None])[0]
    values = _values(encoding.problem, one.plan)
    params = {}
    for dimension, counts in zip(encoding.space.dimensions, active, strict=True):
        value = values.get(dimension.name)
        if counts and dimension.name in values and fits(known[dimension.name], value):
            params[dimension.name] = value
    state = TrialState.COMPLETE if one.values is not None else TrialState.FAIL
    cheap = one.fidelity < 1 and one.values is not None
    if cheap:
        state = TrialState.PRUNED
    if not one.ended:
        state = TrialState.RUNNING
    told = one.values is not None and not cheap
    trial = optuna.create_trial(
        state=state,
        values=list(one.values) if told and one.values is not None else None,
        params=params,
        distributions={n: known[n] for n in params},
        user_attrs=dict(one.attributes),
        intermediate_values={round(100 * one.fidelity): one.values[0]} if cheap and single and one.values else None,
        constraints=dict(one.constraints) if told else None,
        system_attrs={LISTED: list(one.constraints.values())} if told and kept and one.constraints else None,
    )
    trial.datetime_start = one.begun_at or trial.datetime_start
    trial.datetime_complete = one.ended_at if one.ended and one.ended_at else trial.datetime_complete
    return trial


def _values(problem: SearchProblem, plan: Plan) -> dict[str, Any]:
    """Dimension → value of a plan."""
    found: dict[str, Any] = {name: _plain(value) for name, value in plan.hyperparameters}
    found[RECIPE] = plan.recipe
    for name in problem.datasets:
        found[weight_name(name)] = float(plan.mixture.weight(name))
        found[stage_name(name)] = STAGES[name in plan.pretrain]
    return found


def _plain(value: Any) -> Any:
    """A value as `optuna_engine.distribution` names it: a list by its text."""
    return json.dumps(thawed(value)) if isinstance(value, tuple) else value
