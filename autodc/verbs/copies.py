"""A copy of a run for the tools of others: a study of Optuna, event files for TensorBoard."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autodc.adapters.tensorboard_files import Run, written
from autodc.evaluation import objective
from autodc.study.direction import better, natural
from autodc.study.journal.records import TrialState
from autodc.study.journal.state import State
from autodc.study.view import spec_of
from autodc.verbs.folder import open_state
from autodc.wire.problem import search_problem

if TYPE_CHECKING:
    import optuna

OBJECTIVE = "objective"


def optuna_study(run: str | os.PathLike[str], storage: str | None = None) -> optuna.Study:
    """See `Result.optuna_study`."""
    from autodc.search.as_optuna import Copied, as_optuna

    state = open_state(run)
    spec, question = spec_of(state), state.question
    tradeoffs = tuple(spec.search.objectives)
    weights = objective.searched(question.slices)
    start = _start(state)
    copies = []
    for one in _trainings(state):
        outcome = one.outcome
        values: tuple[float, ...] | None = None
        if outcome is not None and outcome.status == "done":
            mean = objective.mean(outcome.searched, weights)
            if mean is not None:
                values = (natural(state, mean), *(float(getattr(outcome, name)) for name in tradeoffs))
        copies.append(
            Copied(
                plan=one.trial.plan,
                values=values,
                ended=outcome is not None,
                fidelity=one.trial.fidelity,
                constraints=_constraints(state, one, start),
                begun_at=_when(0.0 if outcome is None else outcome.started),
                ended_at=_when(0.0 if outcome is None else outcome.ended),
                attributes=_attributes(one),
            )
        )
    direction = "minimize" if better(state) == "lower" else "maximize"
    return as_optuna(
        replace(search_problem(spec), datasets=state.candidates),
        copies,
        {OBJECTIVE: direction, **dict.fromkeys(tradeoffs, "minimize")},
        question.name,
        question.fingerprint,
        storage,
        {"metric": spec.metrics.primary, "verdicts": {name: state.verdict(name) for name in state.candidates}},
    )


def to_tensorboard(run: str | os.PathLike[str], out: str | os.PathLike[str]) -> Path:
    """See `Result.to_tensorboard`."""
    state = open_state(run)
    weights = objective.weights(state.question.slices)
    ended = [one for one in _trainings(state) if one.outcome is not None and one.outcome.status == "done"]
    return written(Path(out), (_run(state, one, weights) for one in ended), _progress(state, ended, weights))


def _trainings(state: State) -> Iterator[TrialState]:
    """Those that measure their plan: a probe that was forked measures what others change."""
    return (one for one in state.trials if one.trial.forks is None)


def _start(state: State) -> dict[str, float]:
    """What the start is on the rows that the search sees, and what it costs: means over its calibration."""
    ended = [t.outcome for t in state.trials if t.trial.phase == "calibration" and t.outcome is not None]
    done = [outcome for outcome in ended if outcome.status == "done"]
    if not done:
        return {}
    names = set.intersection(*({*outcome.searched} for outcome in done))
    found = {f"slice {n}": float(np.mean([o.searched[n] for o in done])) for n in names}
    costs = ("predict_ms", "train_seconds", "model_mb")
    return found | {name: float(np.median([getattr(o, name) for o in done])) for name in costs}


def _constraints(state: State, one: TrialState, start: Mapping[str, float]) -> dict[str, float]:
    """How much more than allowed each guard loses against the start, and each limited cost grows."""
    outcome = one.outcome
    if outcome is None or outcome.status != "done":
        return {}
    found = {}
    for name, card in state.question.slices.items():
        before = start.get(f"slice {name}")
        if card.get("margin") is not None and before is not None and name in outcome.searched:
            found[f"guard {name}"] = before - outcome.searched[name] - float(card["margin"])
    for name, times in spec_of(state).metrics.most.items():
        if start.get(name):
            found[f"limit {name}"] = float(getattr(outcome, name)) / start[name] - times
    return found


def _attributes(one: TrialState) -> dict[str, Any]:
    outcome = one.outcome
    told = {"number": one.trial.number, "phase": one.trial.phase, "round": one.round, "seed": one.trial.seed}
    if one.origin:
        told["origin"] = one.origin
    if outcome is not None:
        told |= {f"slice {name}": value for name, value in outcome.slices.items()}
        told |= {"error": outcome.error} if outcome.error else {}
    return told


def _when(moment: float) -> datetime | None:
    """As Optuna has it: local time without a zone."""
    return datetime.fromtimestamp(moment) if moment else None


def _run(state: State, one: TrialState, weights: Mapping[str, float]) -> Run:
    outcome, plan = one.outcome, one.trial.plan
    assert outcome is not None
    settings = {key: _plain(value) for key, value in plan.settings.items()}
    settings |= {f"weight.{name}": float(plan.mixture.weight(name)) for name in state.candidates}
    settings |= {"recipe": plan.recipe, "phase": one.trial.phase}
    scalars = {f"slice/{name}": natural(state, value) for name, value in outcome.slices.items()}
    mean = objective.mean(outcome.slices, weights)
    if mean is not None:
        scalars[OBJECTIVE] = natural(state, mean)
    scalars |= {f"cost/{name}": float(getattr(outcome, name)) for name in ("train_seconds", "predict_ms", "model_mb")}
    return Run(
        number=one.trial.number, name=one.trial.phase, settings=settings, scalars=scalars, time=outcome.ended or 0.0
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def _progress(
    state: State, ended: list[TrialState], weights: Mapping[str, float]
) -> dict[str, list[tuple[int, float, float]]]:
    """The best objective so far, and each training's, over the numbers of full trainings."""
    every, best, high = [], [], -np.inf
    for one in ended:
        assert one.outcome is not None
        mean = objective.mean(one.outcome.slices, weights)
        if mean is None or one.trial.fidelity < 1:
            continue
        high = max(high, mean)
        every.append((one.trial.number, natural(state, mean), one.outcome.ended))
        best.append((one.trial.number, natural(state, float(high)), one.outcome.ended))
    return {OBJECTIVE: every, "best so far": best}
