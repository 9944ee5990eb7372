"""What people do instead, with the trainings of a night, on all its validation rows; each takes what it saw be best.

Their answers are measured like ours: fresh trainings, held-out rows. They know no guards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.studyfile.study import ParameterSpec
from benchmarks.real.night import TRAININGS, Ground

BIT = "in "
ADD_SHARE = 3
"""Add-and-keep tunes the settings of the base with a third of its trainings, and at the end what it kept."""

Trained = list[tuple[Plan, float]]


class Peer(Protocol):
    """A way to spend trainings; gives what it trained, in order, with what validation said."""

    def __call__(self, ground: Ground, trainings: int, rng_seed: int) -> Trained: ...


def answer(trained: Trained) -> Plan:
    """The plan with the best value."""
    return max(trained, key=lambda one: one[1])[0]


def measured(ground: Ground, name: str, trainings: int = TRAININGS) -> dict[str, Any]:
    """Run a peer on a night: what it would answer after half its trainings and after all, and what that is worth."""
    run, rng_seed = PEERS[name][1], seeds.integer(ground.seed, "peer", name)
    trained, found = run(ground, trainings, rng_seed), {}
    for count in (trainings // 2, trainings):
        known = run(ground, count, rng_seed) if name == "add" and count < trainings else trained[:count]
        last = known[-1][0].mixture
        plan = answer([one for one in known if one[0].mixture == last] if name == "add" else known)
        found[str(count)] = {
            "plan": plan.to_dict(),
            "seen": max(value for tried, value in known if tried == plan),
            "held": ground.held(plan),
            "held_slices": ground.held_values(plan),
        }
    return {"case": ground.case.name, "seed": ground.seed, "peer": name, "trainings": trainings, "after": found}


def settings(names: Sequence[str] | None) -> Peer:
    """Optuna's TPE over the settings of one mixture; names: its candidates, None for all of them."""

    def run(ground: Ground, trainings: int, rng_seed: int) -> Trained:
        listed = tuple(ground.case.candidates) if names is None else tuple(names)
        sampler = optuna.samplers.TPESampler(seed=rng_seed % 2**32)
        return searched(ground, sampler, trainings, rng_seed, fixed=listed)

    return run


def over_bits(make: Callable[[int], optuna.samplers.BaseSampler]) -> Peer:
    """An Optuna sampler over which candidates are in, and settings; it starts with the base and with everything."""

    def run(ground: Ground, trainings: int, rng_seed: int) -> Trained:
        return searched(ground, make(rng_seed % 2**32), trainings, rng_seed)

    return run


def searched(
    ground: Ground,
    sampler: optuna.samplers.BaseSampler,
    trainings: int,
    rng_seed: int,
    fixed: Sequence[str] | None = None,
) -> Trained:
    """Ask and tell an Optuna sampler. fixed: the candidates of every plan; left out, they are searched."""
    case = ground.case
    space = {name: distribution(p) for name, p in case.space.items()}
    start = dict(case.start.hyperparameters)
    if fixed is None:
        bits = {f"{BIT}{name}": CategoricalDistribution([False, True]) for name in case.candidates}
        first = [{**start, **dict.fromkeys(bits, value)} for value in (False, True)]
        space = {**space, **bits}
    else:
        first = [start]
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for known in first:
        study.enqueue_trial(known)
    found: Trained = []
    for number in range(trainings):
        trial = study.ask(space)
        chosen = [n for n in case.candidates if trial.params[f"{BIT}{n}"]] if fixed is None else fixed
        plan = case.plan(chosen, {name: trial.params[name] for name in case.space})
        value = ground.seen(plan, seeds.integer(rng_seed, "training", number))
        study.tell(trial, value)
        found.append((plan, value))
    return found


def add_and_keep(ground: Ground, trainings: int, rng_seed: int) -> Trained:
    """Tune the base, add one candidate after another, train once, keep it where the mean rose; then tune that."""
    case, share = ground.case, trainings // ADD_SHARE
    tuned = settings(())(ground, share, rng_seed)
    plan = answer(tuned)
    hyper, found, kept = dict(plan.hyperparameters), list(tuned), list[str]()
    best = ground.seen(plan, seeds.integer(rng_seed, "again"))
    found.append((plan, best))
    order = seeds.generator(rng_seed, "order").permutation(list(case.candidates))
    for name in map(str, order):
        more = case.plan([*kept, name], hyper)
        value = ground.seen(more, seeds.integer(rng_seed, "add", name))
        found.append((more, value))
        if value > best:
            kept, best = [*kept, name], value
    sampler = optuna.samplers.TPESampler(seed=(rng_seed + 1) % 2**32)
    return found + searched(ground, sampler, trainings - len(found), seeds.integer(rng_seed, "last"), fixed=kept)


def distribution(parameter: ParameterSpec) -> BaseDistribution:
    """A number of a search space as Optuna has it."""
    assert parameter.low is not None
    assert parameter.high is not None
    if parameter.type == "int":
        return IntDistribution(int(parameter.low), int(parameter.high), log=parameter.log)
    return FloatDistribution(parameter.low, parameter.high, log=parameter.log)


def _gp(seed: int) -> optuna.samplers.BaseSampler:
    return optuna.samplers.GPSampler(seed=seed, deterministic_objective=False)


PEERS: Mapping[str, tuple[str, Peer]] = {
    "base": ("tuned base", settings(())),
    "everything": ("everything in, tuned", settings(None)),
    "tpe": ("TPE over bits and settings", over_bits(lambda seed: optuna.samplers.TPESampler(seed=seed))),
    "gp": ("GP over bits and settings", over_bits(_gp)),
    "add": ("add, train once, keep if the mean rose", add_and_keep),
    "random": ("random subset and settings", over_bits(lambda seed: optuna.samplers.RandomSampler(seed=seed))),
}
"""Name → title on the page, and how it spends a night."""
RIVALS = ("base", "everything", "tpe", "gp", "add")
"""The best of these is what a night is held against."""
