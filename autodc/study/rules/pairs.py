"""What a comparison needs: the seeds of its pairs, the trainings that nobody has planned, who may be compared next."""

from __future__ import annotations

from collections.abc import Iterable

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.study.journal.records import PAIRED, ComparisonState, TrialState
from autodc.study.rules import allowance, failing
from autodc.study.view import View
from autodc.studyfile.study import StudySpec

Key = tuple[Plan, int]

RERUNS = 2
"""How often a training of a pair that failed is run again, with the same seed, before the pair counts as lost."""


def pair_seed(spec: StudySpec, round_number: int, pair: int, generation: int = 0) -> int:
    """The training seed of a pair: fresh in each round and after each move of the incumbent.

    For what has just won has won on its seeds. It is shared by the comparisons between. Round 1 begins with those of
    calibration.

    generation: how often the incumbent has moved in the round.
    """
    moved = ("moved", generation) if generation else ()
    return seeds.integer(spec.seed, "pair", max(round_number, 1), pair, *moved)


def look_seeds(view: View, comparison: ComparisonState, beyond: int = 0) -> tuple[int, ...]:
    """Seeds of all pairs that the next look of a comparison sees. beyond: of the look so many later."""
    spec, looks = view.spec, view.spec.gate.looks
    pairs = comparison.pairs or looks[min(len(comparison.looks) + beyond, len(looks) - 1)]
    return tuple(pair_seed(spec, comparison.round, j, comparison.generation) for j in range(pairs))


def first_seeds(view: View, pairs: int | None = None) -> tuple[int, ...]:
    """Seeds of the pairs of the first look of a comparison that would be opened now. pairs: left out, the gate's."""
    spec, state = view.spec, view.state
    count = spec.gate.looks[0] if pairs is None else pairs
    return tuple(pair_seed(spec, state.round, j, state.generation) for j in range(count))


def needs(view: View, comparison: ComparisonState, beyond: int = 0) -> list[Key]:
    """Trainings of the next look that nobody has planned, and those that failed and are to be run again.

    beyond: of the look so many later.
    """
    arms = comparison.challenger, comparison.incumbent
    wanted = ((plan, seed) for seed in look_seeds(view, comparison, beyond) for plan in arms)
    return [key for key in wanted if key not in view.state.trained or runs_again(view, key)]


def runs_again(view: View, key: Key) -> bool:
    """Whether the training was seen to fail and has attempts left: a crashed seed is run again, never dropped."""
    number = view.state.trained[key]
    return number < view.horizon and may_run_again(view.state.trials[number])


def may_run_again(one: TrialState) -> bool:
    """Whether a training of a pair failed and has attempts left, or the clock ended it.

    What it says of its plan is not known before.
    """
    if one.outcome is None or one.trial.phase not in PAIRED:
        return False
    return one.outcome.status == "cancelled" or (one.outcome.status == "failed" and one.attempt < RERUNS)


def can_look(view: View, challenger: Plan, incumbent: Plan, pairs: int | None = None, apart: int = 0) -> bool:
    """Whether the budget pays the first look at these two plans, of so many pairs, and `apart` trainings more."""
    first, trained = first_seeds(view, pairs), view.state.trained
    missing = sum((plan, seed) not in trained for seed in first for plan in (challenger, incumbent))
    return missing + apart <= allowance.left(view)


def pays(view: View, names: Iterable[str]) -> list[str]:
    """Those of these datasets that the cost budget pays, each alone beside those that are kept."""
    limit = view.spec.budget.cost
    if limit is None:
        return list(names)
    state, kept = view.state, view.state.kept
    return [name for name in names if sum(state.cost(n) for n in {*kept, name}) <= limit]


def excluded(view: View) -> frozenset[str]:
    """Datasets that are left out of new plans.

    Those that were dropped in the very context of the incumbent, that the cost budget cannot pay, or that no training
    survives.
    """
    state = view.state
    names, kept = state.candidates, frozenset(state.kept)
    dear = frozenset(names).difference(pays(view, names))
    if state.proposals:
        dropped = {n for n in names if state.verdict(n) == "drop"}
    else:
        dropped = {n for n in names if n not in kept and _dropped_among(state.decided(n), kept)}
    return dear | dropped | failing.out(view)


def _dropped_among(comparison: ComparisonState | None, kept: frozenset[str]) -> bool:
    return (
        comparison is not None
        and comparison.verdict == "drop"
        and frozenset(comparison.incumbent.mixture.added) == kept
    )


def with_dataset(view: View, plan: Plan, name: str) -> Plan:
    """The plan with one dataset more, at the weight the search believes best for it."""
    challengers = view.state.challengers
    effects = challengers[-1].effects if challengers else {}
    weight = float(effects.get(name, {}).get("weight", 1.0)) or 1.0
    mixture = plan.mixture.with_weight(name, min(weight, view.spec.search.max_weight))
    return Plan.of(mixture.to_dict(), dict(plan.hyperparameters), plan.recipe, plan.pretrain)
