"""What a comparison needs: the seeds of its pairs, the trainings that nobody has planned, who may be compared next."""

from __future__ import annotations

from collections.abc import Iterable

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.study.journal.state import ComparisonState, State, TrialState
from autodc.study.rules import allowance, failing
from autodc.studyfile.study import StudySpec

Key = tuple[Plan, int]


RERUNS = 2
"""How often a training of a pair that failed is run again, with the same seed, before the pair counts as lost."""


def pair_seed(spec: StudySpec, round_number: int, pair: int, generation: int = 0) -> int:
    """The training seed of a pair: fresh in each round and after each move of the incumbent, for what has just won
    has won on its seeds; shared by the tests between. Round 1 begins with those of calibration.

    generation: how often the incumbent has moved in the round.
    """
    moved = ("moved", generation) if generation else ()
    return seeds.integer(spec.seed, "pair", max(round_number, 1), pair, *moved)


def look_seeds(spec: StudySpec, comparison: ComparisonState) -> tuple[int, ...]:
    """Seeds of all pairs that the next look of a test sees."""
    looks = spec.gate.looks
    pairs = looks[min(len(comparison.looks), len(looks) - 1)]
    return tuple(pair_seed(spec, comparison.round, j, comparison.generation) for j in range(pairs))


def first_seeds(spec: StudySpec, state: State) -> tuple[int, ...]:
    """Seeds of the pairs of the first look of a test that would be opened now."""
    return tuple(pair_seed(spec, state.round, j, state.generation) for j in range(spec.gate.looks[0]))


def needs(spec: StudySpec, state: State, comparison: ComparisonState) -> list[Key]:
    """Trainings of the next look that nobody has planned, and those that failed and are to be run again."""
    wanted = (
        (plan, seed) for seed in look_seeds(spec, comparison) for plan in (comparison.challenger, comparison.incumbent)
    )
    return [key for key in wanted if key not in state.trained or runs_again(state, key)]


def runs_again(state: State, key: Key) -> bool:
    """Whether the training was seen to fail and has attempts left: a crashed seed is run again, never dropped."""
    number = state.trained[key]
    return number < state.horizon and may_run_again(state.trials[number])


def may_run_again(one: TrialState) -> bool:
    """Whether a training of a pair failed and has attempts left, or the clock ended it. What it says of its plan is not
    known before."""
    if one.outcome is not None and one.outcome.status == "cancelled":
        return one.trial.phase in ("calibration", "gate")
    failed = one.outcome is not None and one.outcome.status == "failed"
    return failed and one.trial.phase in ("calibration", "gate") and one.attempt < RERUNS


def can_look(spec: StudySpec, state: State, challenger: Plan, incumbent: Plan) -> bool:
    """Whether the budget pays the first look at these two plans."""
    first = first_seeds(spec, state)
    missing = sum((plan, seed) not in state.trained for seed in first for plan in (challenger, incumbent))
    return missing <= allowance.left(spec, state)


def pays(spec: StudySpec, state: State, names: Iterable[str]) -> list[str]:
    """Those of these datasets that the cost budget pays, each alone beside those that are kept."""
    limit = spec.budget.cost
    if limit is None:
        return list(names)
    kept = state.kept
    return [name for name in names if sum(state.cost(n) for n in {*kept, name}) <= limit]


def excluded(spec: StudySpec, state: State) -> frozenset[str]:
    """Datasets that were dropped in the very context of the incumbent, that the cost budget cannot pay, or that no
    training survives."""
    names, kept = state.candidates, frozenset(state.kept)
    dear = frozenset(names).difference(pays(spec, state, names))
    dropped = {n for n in names if n not in kept and _dropped_among(state.decided(n), kept)}
    return dear | dropped | failing.out(state)


def _dropped_among(comparison: ComparisonState | None, kept: frozenset[str]) -> bool:
    return (
        comparison is not None
        and comparison.verdict == "drop"
        and frozenset(comparison.incumbent.mixture.added) == kept
    )


def with_dataset(spec: StudySpec, state: State, plan: Plan, name: str) -> Plan:
    """The plan with one dataset more, at the weight the search believes best for it."""
    effects = state.challengers[-1].effects if state.challengers else {}
    weight = float(effects.get(name, {}).get("weight", 1.0)) or 1.0
    mixture = plan.mixture.with_weight(name, min(weight, spec.search.max_weight))
    return Plan.of(mixture.to_dict(), dict(plan.hyperparameters), plan.recipe, plan.pretrain)


def final_seeds(spec: StudySpec, state: State, cap: float | None = None) -> int:
    """Fresh seeds an arm that the last measurement can still pay. cap: left out: what budget and clock allow now."""
    arms = 1 if state.start == state.incumbent else 2
    affordable = ((allowance.cap(spec, state) if cap is None else cap) - state.spent) / arms
    return int(min(allowance.final_seeds(spec), max(0.0, affordable)))


def final_needs(spec: StudySpec, state: State) -> list[Key]:
    """Trainings of the last measurement that nobody has planned, and those that failed and can be paid again."""
    runs = _final_runs(state)
    if state.limit is not None and state.limit.trainings <= state.spent:
        return []
    needed = []
    for key in final_keys(spec, state):
        mine = runs.get(key, [])
        failed = bool(mine) and mine[-1].trial.number < state.horizon and not _is_done(mine[-1])
        again = failed and len(mine) <= RERUNS and state.spent + 1 <= allowance.cap(spec, state)
        if not mine or again:
            needed.append(key)
    return needed


def final_keys(spec: StudySpec, state: State) -> list[Key]:
    """Plans and seeds of the last measurement: start and incumbent on the same seeds, fresh for each reading of the
    test set. Without a reading to come (an extended study) the incumbent meets the start on the seeds of the last."""
    count = next(p.planned for p in reversed(state.phases) if p.phase == "test")
    arms = dict.fromkeys(p for p in (state.start, state.incumbent) if p is not None)
    return [(plan, fresh_seed(spec, state, j)) for j in range(count) for plan in arms]


def final_pairs(spec: StudySpec, state: State) -> list[tuple[int, int]]:
    """Trials of start and of incumbent on the same seed, both of which came to an end well: the pairs of the test."""
    runs = _final_runs(state)
    done = {key: mine[-1].trial.number for key, mine in runs.items() if _is_done(mine[-1])}
    assert state.start is not None
    assert state.incumbent is not None
    found = dict.fromkeys(seed for _, seed in final_keys(spec, state))
    both = [(done.get((state.start, seed)), done.get((state.incumbent, seed))) for seed in found]
    return [(a, b) for a, b in both if a is not None and b is not None]


def _final_runs(state: State) -> dict[Key, list[TrialState]]:
    runs: dict[Key, list[TrialState]] = {}
    for one in state.trials:
        if one.trial.phase == "test":
            runs.setdefault((one.trial.plan, one.trial.seed), []).append(one)
    return runs


def _is_done(one: TrialState) -> bool:
    return one.outcome is not None and one.outcome.status == "done"


def fresh_seed(spec: StudySpec, state: State, pair: int) -> int:
    """The seed of a pair that is trained after the last verdict, fresh for each reading of the test set."""
    reading = state.measurements if state.due else max(0, state.measurements - 1)
    again = ("again", reading) if reading else ()
    return seeds.integer(spec.seed, "test", pair, *again)
