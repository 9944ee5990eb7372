"""What each candidate is worth, measured where no study looks: many trainings, held-out rows, settings tuned apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from autodc.plan.plan import Plan
from benchmarks.real.case import Case
from benchmarks.real.fetch import home
from benchmarks.real.night import fresh_seeds, held_values, points
from benchmarks.real.peers import distribution
from benchmarks.real.store import Store

FILE = Path(__file__).resolve().parent / "reference.json"
SEEDS = 10
TRIALS = 40
MATTERS = 0.2
"""In points. Less than that is nothing, and so is what lies within two standard errors over seeds."""


def measure(case: Case) -> dict[str, Any]:
    """Settings on the tuning rows, then by the held-out rows: the start, each candidate, and the best set there is.

    alone: base + X less base; in_all: everything less everything without X; beside: what X adds to the best set, or
    would. The best set is found by leaving out, one after another, what is worst beside the rest.
    """
    store, names = Store(home() / "trainings" / f"{case.name}.sqlite"), tuple(case.candidates)
    known: dict[Plan, np.ndarray] = {}

    def values(plan: Plan) -> np.ndarray:
        if plan not in known:
            found = [held_values(case, store, plan, seed) for seed in fresh_seeds(SEEDS)]
            known[plan] = np.array([np.mean([one[name] for name in case.targets]) for one in found])
        return known[plan]

    start = float(values(case.start).mean())
    scale = points(case, start)
    settings = _tuned(case, ()), _tuned(case, names)
    base, everything = case.plan((), settings[0]), case.plan(names, settings[1])

    def of(chosen: Sequence[str], hyper: Mapping[str, Any] = settings[1]) -> np.ndarray:
        return values(case.plan([n for n in names if n in chosen], hyper))

    best = list(names)
    while best:
        worst = max(best, key=lambda name: float(of([n for n in best if n != name]).mean()))
        if float((of([n for n in best if n != worst]) - of(best)).mean()) <= 0:
            break
        best.remove(worst)
    found = {}
    for name in names:
        alone = scale * (of((name,), settings[0]) - values(base))
        in_all = scale * (values(everything) - of([n for n in names if n != name]))
        beside = scale * (of([*best, name]) - of([n for n in best if n != name]))
        found[name] = {
            **{key: _told(v) for key, v in (("alone", alone), ("in_all", in_all), ("beside", beside))},
            "class": classified(_told(alone), _told(beside)),
        }
    return {
        "points": scale,
        "start": start,
        "base_tuned": scale * (float(values(base).mean()) - start),
        "everything_tuned": scale * (float(values(everything).mean()) - start),
        "best": sorted(best),
        "best_tuned": scale * (float(of(best).mean()) - start),
        "settings": {"base": dict(base.hyperparameters), "everything": dict(everything.hyperparameters)},
        "candidates": found,
    }


def classified(alone: Sequence[float], beside: Sequence[float]) -> str:
    """What a candidate is: harms or helps beside the best set; else redundant where it would help alone; else useless.

    Each number with its standard error.
    """
    if _matters(-beside[0], beside[1]):
        return "harms"
    if _matters(beside[0], beside[1]):
        return "helps"
    return "redundant" if _matters(alone[0], alone[1]) else "useless"


def reference(name: str) -> dict[str, Any] | None:
    """The reference of a case as it was measured, None where it was not."""
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    return known.get(name)


def keep(name: str, found: Mapping[str, Any]) -> None:
    """Write the reference of a case beside the others."""
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    text = json.dumps({**known, name: found}, indent=1, sort_keys=True)
    FILE.write_text(text + "\n", encoding="utf-8")


def _matters(value: float, error: float) -> bool:
    return value > MATTERS and value > 2.0 * error


def _told(values: np.ndarray) -> list[float]:
    return [round(float(values.mean()), 3), round(float(values.std(ddof=1) / np.sqrt(len(values))), 3)]


def _tuned(case: Case, names: Sequence[str]) -> dict[str, Any]:
    """Settings of a mixture by TPE, the tuning rows deciding."""
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1))
    study.enqueue_trial(dict(case.start.hyperparameters))
    for number in range(TRIALS):
        trial = study.ask({name: distribution(p) for name, p in case.space.items()})
        predict = case.train(case.plan(names, trial.params), number)
        study.tell(trial, case.objective(predict(case.tune.x), case.tune))
    return dict(study.best_trial.params)
