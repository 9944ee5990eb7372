"""What `simulate` plays: nights of a study that weighs evidence together, or of one where each set proves itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from joblib import Parallel, delayed

from autodc.errors import InputError
from autodc.evaluation import objective
from autodc.gate.thresholds import matters
from autodc.lab import joint, nights
from autodc.lab.calibrated import calibrated
from autodc.lab.together import Terms
from autodc.study.driver import Interrupted
from autodc.study.phases.order import set_apart
from autodc.study.rules import allowance
from autodc.studyfile.study import GateSpec, MachineSpec, StudySpec
from autodc.verbs.calibration import Calibration, Told
from autodc.wire.inputs import Inputs

A = TypeVar("A")
T = TypeVar("T")
R = TypeVar("R")

CANDIDATES = 1200
"""Simulated comparisons of each kind of night, where the number of nights is left to us."""
FEWEST, MOST = 40, 200
"""Nights of each kind, at least and at most."""
DECISIONS = 200
"""Single decisions of each planted kind and size."""
NIGHTS = 60
"""Nights of each kind that weigh evidence together; FEWEST where there are more than FEW datasets."""
FEW = 20
FEWEST_SETS = 2
"""Evidence of one dataset cannot be weighed together with anything."""


def each_setup(
    inputs: Inputs, found: Calibration, count: int | None, gains: Sequence[float], seed: int
) -> nights.Setup:
    """What is asked of a study in which each dataset proves itself alone. Raises InputError ADC-SIM-005."""
    spec = inputs.spec
    planned, gate, known = allowance.planned_tests(spec), _gate(spec), calibrated(found.worlds)
    pools = {name: (prior.seed, prior.residual) for name, prior in found.pools.slices.items()}
    every = tuple(r.name for r in found.objective)
    return nights.Setup(
        known=known,
        gate=gate,
        planned=planned,
        declared=tuple(_declared(c.targets, every) for c in spec.data.candidates) or (every,),
        gains=_moving(tuple(sorted(set(gains))) or nights.sizes(known, pools, gate, planned)),
        nights=count or max(FEWEST, min(MOST, CANDIDATES // planned)),
        decisions=DECISIONS if count is None else max(1, min(DECISIONS, 5 * count)),
        seed=seed,
    )


def together_setup(
    inputs: Inputs, found: Calibration, count: int | None, gains: Sequence[float], seed: int
) -> joint.Asked:
    """What is asked of a study that weighs evidence together. Raises InputError ADC-SIM-005."""
    spec = inputs.spec
    known = calibrated(found.whole_worlds)
    terms = Terms(
        gate=_gate(spec),
        planned=allowance.planned_tests(spec),
        rounds=spec.loop.rounds,
        per_round=spec.search.trials_per_round,
        budget=allowance.asked(spec) - set_apart(spec),
        search_share=allowance.SEARCH_SHARE,
        turns=allowance.FIRST_TURNS,
        matters=_matters(spec, found),
    )
    datasets = max(FEWEST_SETS, sum(not c.cost for c in spec.data.candidates))
    planted = tuple(sorted(set(gains))) or joint.joint_sizes(known, found.explored, datasets, terms, seed)
    return joint.Asked(
        known=known,
        explored=found.explored,
        terms=terms,
        datasets=datasets,
        settings=len(spec.search_space),
        gains=_moving(planted),
        nights=count or (NIGHTS if datasets <= FEW else FEWEST),
        seed=seed,
    )


def played(
    asked: A,
    listed: Sequence[T],
    play: Callable[[A, T], R],
    processes: int,
    told: Told,
    stop: Callable[[], bool],
) -> Iterator[tuple[T, R]]:
    """Play all of it, in processes of one thread each. Raises Interrupted when asked to stop."""
    workers = max(1, min(processes, len(listed)))
    told("simulating", 0, len(listed))
    results = Parallel(n_jobs=workers, return_as="generator", batch_size=1)(delayed(play)(asked, t) for t in listed)
    for number, (one, found) in enumerate(zip(listed, results, strict=True), 1):
        told("simulating", number, len(listed))
        if stop():
            raise Interrupted
        yield one, found


def processes_of(machine: MachineSpec) -> int:
    """As many as the machine trains at once."""
    return 1 if machine.runner == "inline" else machine.max_concurrent or os.cpu_count() or 1


def _gate(spec: StudySpec) -> GateSpec:
    return spec.gate.model_copy(update={"calibration": allowance.calibration_runs(spec)})


def _matters(spec: StudySpec, found: Calibration) -> float:
    """The loss below which nothing is lost, as the gate has it."""
    weights = {r.name: r.weight for r in found.objective}
    start = objective.mean({r.name: float(np.mean(r.scores)) for r in found.objective}, weights)
    return matters(spec.metrics.primary, start)


def _declared(named: Sequence[str] | None, every: tuple[str, ...]) -> tuple[str, ...]:
    """The targets a candidate is meant for, among those that are evidence; all of them where none of its own is."""
    return tuple(n for n in every if named is None or n in named) or every


def _moving(gains: tuple[float, ...]) -> tuple[float, ...]:
    if not gains:
        raise InputError(
            "ADC-SIM-005",
            "nothing in these rows and trainings moves, so no size of gain is worth planting",
            "calibration",
            "a noise of zero",
            "name one: --gain 0.02",
        )
    return gains
