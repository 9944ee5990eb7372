"""How hard rows are, for recipe `curriculum`: the loss of a simple model of the base that has not seen them.

The base says what a label means: its own rows are judged by models of its other rows, the rows of every other dataset
by a model of the base's. So a row that is labelled by another convention is hard however many are alike. Classes come
in evenly: a row's place is that among the rows of its class. The seed of a training has no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autodc.adapters.enrichers.cache import kept_array
from autodc.adapters.enrichers.spaces import spaces_of
from autodc.data.hashing import content_of
from autodc.large import distinct_values, evenly
from autodc.plan.mixture import BASE
from autodc.studyfile.study import TaskKind
from autodc.trial.outputs import TrainerError
from autodc.trial.recipes import TrainPhase
from autodc.trial.trainer import TrainingJob, TrainPart

Array = np.ndarray[Any, Any]

VERSION = "1"
LEARNT = 10_000
"""Rows of the base that models learn from at most, evenly."""
LEAST_ROWS = 10
"""Of the base, below which all rows count as alike."""
STAGES = 5
"""Legs before all rows are in, of trainers that take no batches."""
NEVER = 1e-6
"""Of a label that a model gives no chance."""


def by_difficulty(legs: Sequence[TrainPhase], job: TrainingJob) -> tuple[TrainPhase, ...]:
    """The legs of a training, those that are paced with the places of their rows.

    Raises TrainerError ADC-TRAIN-112 where targets are neither classes nor numbers.
    """
    return tuple(
        leg if leg.pace is None else replace(leg, pace=replace(leg.pace, ranks=_ranks(leg, job))) for leg in legs
    )


def staged(leg: TrainPhase) -> tuple[TrainPhase, ...]:
    """A leg that is paced as several, each with the rows that are in: for trainers that take no batches."""
    pace = leg.pace
    if pace is None:
        return (leg,)
    steps = [(at / STAGES) * pace.full for at in range(STAGES)] + [pace.full]
    found = []
    for number, (first, end) in enumerate(zip(steps, [*steps[1:], 1.0], strict=True)):
        rows = pace.rows(first)
        parts = tuple(_taken(part, some) for part, some in zip(leg.parts, rows, strict=True) if len(some))
        share = (end - first) * leg.share
        if share > 0:
            found.append(TrainPhase(parts=parts, share=share, lr_factor=leg.lr_factor, index=leg.index + number))
    return tuple(found)


def difficulty(part: TrainPart, base: TrainPart, kind: TaskKind) -> Array:
    """The loss of each row of a dataset, (n,): minus the log of its label's probability, or its squared error."""
    if kind not in ("classification", "regression"):
        hint = "write curriculum_order: base_first or synthetic_first"
        problem = "how hard a row is can be told of classes and numbers alone"
        raise TrainerError("ADC-TRAIN-112", problem, "curriculum_order", kind, hint)
    y, known = (np.asarray(one.y) for one in (part, base))
    key = [content_of(base.x), content_of(known), content_of(part.x), content_of(y)]
    own = part.name == base.name
    return kept_array(["difficulty", VERSION, kind, str(own), *key], lambda: _losses(part, base, kind, own))


def _losses(part: TrainPart, base: TrainPart, kind: TaskKind, own: bool) -> Array:
    from autodc.diagnose.cross_validation import cross_validated, of_others

    space = spaces_of(base.x, networks=False)[-1]
    places = evenly(len(base.x), LEARNT)
    learnt, targets = space.of(base.x[places]), np.asarray(base.y)[places]
    if len(places) < LEAST_ROWS:
        return np.zeros(len(part.x))
    points = space.of(part.x)
    if kind == "classification":
        names = distinct_values(targets)
        said = of_others(learnt, targets, points)
        if own:
            said[places] = cross_validated(learnt, targets, None, 0)
        y = np.asarray(part.y)
        code = np.searchsorted(names, y).clip(max=len(names) - 1)
        chance = np.where(names[code] == y, said[np.arange(len(y)), code], 0.0)
        return np.asarray(-np.log(chance.clip(min=NEVER)))
    wide = targets.reshape(len(targets), -1).astype(float)
    truth = np.asarray(part.y, dtype=float).reshape(len(part.y), -1)
    spread = np.where((found := wide.std(axis=0)) > 0, found, 1.0)
    error = np.zeros(len(truth))
    for at, column in enumerate(wide.T):
        said = of_others(learnt, column, points)
        if own:
            said[places] = cross_validated(learnt, column, None, 0)
        error += ((said - truth[:, at]) / spread[at]) ** 2
    return error


def _ranks(leg: TrainPhase, job: TrainingJob) -> tuple[Array, ...]:
    """The places of the rows of each part among all rows of their class, (0, 1]."""
    assert leg.pace is not None
    base = next((part for part in job.train if part.name == BASE), leg.parts[0])
    losses = np.concatenate([difficulty(part, base, job.kind) for part in leg.parts])
    losses = -losses if leg.pace.hard_first else losses
    y = np.concatenate([np.asarray(part.y).reshape(len(part.y), -1)[:, 0] for part in leg.parts])
    classes = y if job.kind == "classification" else np.zeros(len(y))
    ranks = np.empty(len(losses))
    for one in distinct_values(classes):
        of = np.flatnonzero(classes == one)
        ranks[of[np.argsort(losses[of], kind="stable")]] = np.arange(1, len(of) + 1) / len(of)
    return tuple(np.split(ranks, np.cumsum([len(part.x) for part in leg.parts])[:-1]))


def _taken(part: TrainPart, rows: Array) -> TrainPart:
    metadata = part.metadata.iloc[rows].reset_index(drop=True)
    return replace(part, x=part.x[rows], y=np.asarray(part.y)[rows], metadata=metadata)
