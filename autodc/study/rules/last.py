"""The last measurement: start, the obvious and the incumbent on fresh seeds after the last verdict."""

from __future__ import annotations

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.study.journal import events as ev
from autodc.study.journal.records import TrialState
from autodc.study.rules import allowance, planning
from autodc.study.rules.pairs import RERUNS, Key
from autodc.study.view import View

START, BASE_TUNED, EVERYTHING_TUNED, INCUMBENT = "start", "base_tuned", "everything_tuned", "incumbent"
"""Its arms, in the order they are told; the two in the middle are the obvious baselines."""


def final_seeds(view: View) -> int:
    """Fresh seeds that start and incumbent are to get."""
    return allowance.final_seeds(view.spec, view.state.question.rules)


def seeds_paid(view: View, cap: float | None = None) -> int:
    """Fresh seeds an arm that the last measurement can still pay. cap: left out: what budget and clock allow now."""
    return _paid(view, 1 if view.state.start == view.state.incumbent else 2, cap)


def would_train(view: View) -> bool:
    """Whether a plan that took the place of the incumbent now would be trained: what nobody trains is not taken."""
    return _paid(view, 2) >= 1


def _paid(view: View, arms: int, cap: float | None = None) -> int:
    room, done = (allowance.cap(view) if cap is None else cap) - view.state.spent, allowance.trained_ahead(view.state)
    counts = range(final_seeds(view), 0, -1)
    return next((count for count in counts if arms * count - min(done, count) <= room), 0)


def ahead(view: View) -> ev.TrialPlanned | None:
    """Train the start on the next fresh seed of the last measurement, which is paid anyway, where slots are idle.

    One at a time, or what the gate asks for next would stand behind them. None where the start has all of them, they
    are not paid, or the last measurement has begun.
    """
    if any(one.trial.phase == "test" for one in view.hidden):
        return None
    done = allowance.trained_ahead(view.state)
    if not allowance.trains_ahead(view.state) or done >= final_seeds(view) or allowance.left(view) < 0:
        return None
    return planning.training(view, (view.start, fresh_seed(view, done)), "test", "final")


def baseline_seeds_paid(view: View, plans: frozenset[Plan]) -> int:
    """Fresh seeds that these plans can be paid beside start and incumbent, and no more than those have."""
    state = view.state
    new = plans - {view.start, view.incumbent}
    count = min(state.allotted("test"), allowance.baseline_seeds(view.spec, state.question.rules))
    if not new:
        return count
    room = allowance.cap(view) - state.spent - len([key for key in keys(view) if key not in _runs(view)])
    return int(min(count, max(0.0, room) // len(new)))


def arms(view: View) -> dict[str, Plan]:
    """Arm → plan: start and incumbent, and between them the obvious where they are chosen."""
    chosen = view.state.baselines
    obvious = {} if chosen is None else {name: Plan.from_dict(plan) for name, plan in chosen.plans.items()}
    return {START: view.start, **obvious, INCUMBENT: view.incumbent}


def needs(view: View) -> list[Key]:
    """Trainings of the last measurement that nobody has planned, and those that failed and can be paid again.

    Start and incumbent come first: what they need beyond the plan, because a training failed, the obvious give up.
    """
    state, runs = view.state, _runs(view)
    if state.limit is not None and state.limit.trainings <= state.spent:
        return []
    arms = (view.start, view.incumbent)
    order = sorted(keys(view), key=lambda key: key[0] not in arms)
    set_apart = sum(key[0] in arms and key not in runs for key in order)
    room = allowance.cap(view) - state.spent - set_apart
    needed = []
    for key in order:
        mine = runs.get(key, [])
        failed = bool(mine) and mine[-1].trial.number < view.horizon and not _is_done(mine[-1])
        if not mine and key[0] in arms:
            needed.append(key)
        elif room >= 1 and (not mine or (failed and len(mine) <= RERUNS)):
            needed.append(key)
            room -= 1
    return needed


def keys(view: View) -> list[Key]:
    """Plans and seeds of the last measurement: start and incumbent on the same seeds, the obvious on the first of them.

    They are fresh for each reading of the test set. Without a reading to come (an extended study) the incumbent meets
    the start on the seeds of the last.
    """
    count, plans = view.state.allotted("test"), arms(view)
    beside = 0 if view.state.baselines is None else view.state.baselines.seeds
    found = []
    for j in range(count):
        mine = [plan for name, plan in plans.items() if j < beside or name in (START, INCUMBENT)]
        found += [(plan, fresh_seed(view, j)) for plan in dict.fromkeys(mine)]
    return found


def pairs(view: View) -> list[tuple[int, int]]:
    """Trials of start and of incumbent on the same seed, both of which came to a good end: the pairs to be read."""
    return paired(view, view.start)


def paired(view: View, plan: Plan) -> list[tuple[int, int]]:
    """Trials of a plan and of the incumbent on the same seed, both of which came to a good end."""
    done = {key: mine[-1].trial.number for key, mine in _runs(view).items() if _is_done(mine[-1])}
    found = dict.fromkeys(seed for _, seed in keys(view))
    both = [(done.get((plan, seed)), done.get((view.incumbent, seed))) for seed in found]
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
