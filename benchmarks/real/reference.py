"""What each candidate is worth, measured where no study looks: many trainings, held-out rows, settings tuned apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd

from autodc.plan.plan import Plan
from benchmarks.real.case import DAY, SCORES, Case
from benchmarks.real.night import fresh_seeds, points
from benchmarks.real.peers import distribution

Array = np.ndarray[Any, Any]

FILE = Path(__file__).resolve().parent / "reference.json"
SEEDS = 10
TRIALS = 40
MATTERS = 0.2
"""In points. Less than that is nothing, and so is what lies within two standard errors over seeds and rows."""
LITTLE = 0.5


def measure(case: Case) -> dict[str, Any]:
    """Settings on the tuning rows, then by the held-out rows: the start, each candidate, and the best set there is.

    alone: base + X less base; in_all: everything less everything without X; beside: what X adds to the best set, or
    would. The best set is found by leaving out, one after another, what is worst beside the rest.
    """
    names, known, share = tuple(case.candidates), dict[Plan, Array](), shares(case)

    def scores(plan: Plan) -> Array:
        if plan not in known:
            trained = [case.train(plan, seed)(case.held.x) for seed in fresh_seeds(SEEDS)]
            known[plan] = np.stack([SCORES[case.metric](one, case.held.y) for one in trained]).astype(np.float32)
        return known[plan]

    def value(plan: Plan) -> float:
        return float(scores(plan).mean(axis=0) @ share.sum(axis=0))

    start = value(case.start)
    scale = points(case, start)
    settings = _tuned(case, ()), _tuned(case, names)
    base, everything = case.plan((), settings[0]), case.plan(names, settings[1])

    def of(chosen: Sequence[str]) -> Plan:
        return case.plan([n for n in names if n in chosen], settings[1])

    def less(challenger: Plan, other: Plan) -> list[float]:
        return difference(case, scale * (scores(challenger) - scores(other)), share)

    best = list(names)
    while best:
        worst = max(best, key=lambda name: value(of([n for n in best if n != name])))
        if value(of([n for n in best if n != worst])) <= value(of(best)):
            break
        best.remove(worst)
    found = {}
    for name in names:
        told = {
            "alone": less(case.plan((name,), settings[0]), base),
            "in_all": less(everything, of([n for n in names if n != name])),
            "beside": less(of([*best, name]), of([n for n in best if n != name])),
        }
        found[name] = {**told, "class": classified(told["alone"], told["beside"])}
    return {
        "points": scale,
        "start": start,
        "base_tuned": scale * (value(base) - start),
        "everything_tuned": scale * (value(everything) - start),
        "best": sorted(best),
        "best_tuned": scale * (value(of(best)) - start),
        "settings": {"base": dict(base.hyperparameters), "everything": dict(everything.hyperparameters)},
        "candidates": found,
    }


def classified(alone: Sequence[float], beside: Sequence[float]) -> str:
    """What a candidate is: harms or helps beside the best set; else redundant where it would help alone.

    Useless, where it can add no more than LITTLE beside the best set; unclear, where these rows cannot tell. Each
    number with its standard error.
    """
    if _matters(-beside[0], beside[1]):
        return "harms"
    if _matters(beside[0], beside[1]):
        return "helps"
    if _matters(alone[0], alone[1]):
        return "redundant"
    return "useless" if beside[0] + 2.0 * beside[1] < LITTLE else "unclear"


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


def shares(case: Case) -> Array:
    """Shape (targets, held-out rows): what each row counts for in the objective."""
    members = np.stack([case.held.meta[name].to_numpy() == 1 for name in case.targets])
    return members / members.sum(axis=1, keepdims=True) / len(members)


def difference(case: Case, scores: Array, share: Array) -> list[float]:
    """Mean of a difference in scores (seeds, rows), and its standard error over seeds and rows, days whole."""
    by_seed, by_row = scores @ share.sum(axis=0), scores.mean(axis=0)
    means = len(share) * share @ by_row
    off = (share * (by_row - means[:, None])).sum(axis=0)
    groups = case.held.meta[DAY].to_numpy() if case.grouped else np.arange(len(off))
    over_rows = float((pd.Series(off).groupby(groups).sum() ** 2).sum())
    over_seeds = float(by_seed.var(ddof=1) / len(by_seed))
    return [round(float(by_seed.mean()), 3), round(float(np.sqrt(over_rows + over_seeds)), 3)]


def _tuned(case: Case, names: Sequence[str]) -> dict[str, Any]:
    """Settings of a mixture by TPE, the tuning rows deciding."""
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1))
    study.enqueue_trial(dict(case.start.hyperparameters))
    for number in range(TRIALS):
        trial = study.ask({name: distribution(p) for name, p in case.space.items()})
        predict = case.train(case.plan(names, trial.params), number)
        study.tell(trial, case.objective(predict(case.tune.x), case.tune))
    return dict(study.best_trial.params)
