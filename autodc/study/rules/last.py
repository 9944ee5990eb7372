"""The last measurement: start and incumbent on fresh seeds after the last verdict, and whatever is trained beside."""

from __future__ import annotations

from autodc import seeds
from autodc.study.journal.records import TrialState
from autodc.study.rules import allowance
from autodc.study.rules.pairs import RERUNS, Key
from autodc.study.view import View


def seeds_paid(view: View, cap: float | None = None) -> int:
    """Fresh seeds an arm that the last measurement can still pay. cap: left out: what budget and clock allow now."""
    state = view.state
    arms = 1 if state.start == state.incumbent else 2
    affordable = ((allowance.cap(view) if cap is None else cap) - state.spent) / arms
    return int(min(allowance.final_seeds(view.spec), max(0.0, affordable)))


def needs(view: View) -> list[Key]:
    """Trainings of the last measurement that nobody has planned, and those that failed and can be paid again."""
    state, runs = view.state, _runs(view)
    if state.limit is not None and state.limit.trainings <= state.spent:
        return []
    needed = []
    for key in keys(view):
        mine = runs.get(key, [])
        failed = bool(mine) and mine[-1].trial.number < view.horizon and not _is_done(mine[-1])
        again = failed and len(mine) <= RERUNS and state.spent + 1 <= allowance.cap(view)
        if not mine or again:
            needed.append(key)
    return needed


def keys(view: View) -> list[Key]:
    """Plans and seeds of the last measurement: start and incumbent on the same seeds.

    They are fresh for each reading of the test set. Without a reading to come (an extended study) the incumbent meets
    the start on the seeds of the last.
    """
    count = view.state.allotted("test")
    arms = dict.fromkeys((view.start, view.incumbent))
    return [(plan, fresh_seed(view, j)) for j in range(count) for plan in arms]


def pairs(view: View) -> list[tuple[int, int]]:
    """Trials of start and of incumbent on the same seed, both of which came to a good end: the pairs to be read."""
    done = {key: mine[-1].trial.number for key, mine in _runs(view).items() if _is_done(mine[-1])}
    found = dict.fromkeys(seed for _, seed in keys(view))
    both = [(done.get((view.start, seed)), done.get((view.incumbent, seed))) for seed in found]
    return [(a, b) for a, b in both if a is not None and b is not None]


def _runs(view: View) -> dict[Key, list[TrialState]]:
    runs: dict[Key, list[TrialState]] = {}
    for one in view.state.trials:
        if one.trial.phase == "test":
            runs.setdefault((one.trial.plan, one.trial.seed), []).append(one)
    return runs


def _is_done(one: TrialState) -> bool:
    return one.outcome is not None and one.outcome.status == "done"


def fresh_seed(view: View, pair: int) -> int:
    """The seed of a pair that is trained after the last verdict, fresh for each reading of the test set."""
    state = view.state
    reading = state.measurements if state.due else max(0, state.measurements - 1)
    again = ("again", reading) if reading else ()
    return seeds.integer(view.spec.seed, "test", pair, *again)
