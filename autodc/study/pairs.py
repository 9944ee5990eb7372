"""What a comparison needs: the seeds of its pairs, the trainings that nobody has planned, who may be compared next."""

from __future__ import annotations

from autodc import seeds
from autodc.search.plan import Plan
from autodc.spec.study import StudySpec
from autodc.study import allowance
from autodc.study.state import State, TestState

Key = tuple[Plan, int]


def pair_seed(spec: StudySpec, round: int, pair: int) -> int:
    """The training seed of a pair: fresh in each round, shared by its tests; round 1 has those of calibration."""
    return seeds.integer(spec.seed, "pair", max(round, 1), pair)


def look_seeds(spec: StudySpec, test: TestState) -> tuple[int, ...]:
    """Seeds of all pairs that the next look of a test sees."""
    looks = spec.gate.looks
    pairs = looks[min(len(test.looks), len(looks) - 1)]
    return tuple(pair_seed(spec, test.round, j) for j in range(pairs))


def needs(spec: StudySpec, state: State, test: TestState) -> list[Key]:
    """Trainings of the next look that nobody has planned, pair by pair."""
    wanted = ((plan, seed) for seed in look_seeds(spec, test) for plan in (test.challenger, test.incumbent))
    return [key for key in wanted if key not in state.trained]


def can_look(spec: StudySpec, state: State, challenger: Plan, incumbent: Plan) -> bool:
    """Whether the budget pays the first look at these two plans."""
    first = [pair_seed(spec, state.round, j) for j in range(spec.gate.looks[0])]
    missing = sum((plan, seed) not in state.trained for seed in first for plan in (challenger, incumbent))
    return missing <= allowance.left(spec, state)


def pays(spec: StudySpec, state: State, name: str) -> bool:
    """Whether the cost budget pays this dataset beside those that are kept."""
    price = {c.name: c.cost for c in spec.data.candidates}
    return spec.budget.cost is None or sum(price[n] for n in {*state.kept, name}) <= spec.budget.cost


def excluded(spec: StudySpec, state: State) -> frozenset[str]:
    """Datasets that were dropped in the very context of the incumbent, or that the cost budget cannot pay."""
    return frozenset(n for n in state.candidates if _dropped_here(state, n) or not pays(spec, state, n))


def _dropped_here(state: State, name: str) -> bool:
    last = state.decided(name)
    if last is None or last.verdict != "drop" or name in state.kept:
        return False
    return set(last.incumbent.mixture.added) == set(state.kept)


def untested(spec: StudySpec, state: State) -> list[str]:
    """Candidates that have no decision, or one that came to nothing with its challenger; the most promising first."""
    effects = state.challengers[-1].effects if state.challengers else {}
    swept = {t.subject for t in state.tests if t.purpose == "addition"}
    names = [n for n in state.candidates if n not in state.kept and n not in swept and pays(spec, state, n)]
    still_open = [n for n in names if (last := state.decided(n)) is None or last.verdict == "keep"]
    return sorted(still_open, key=lambda n: -float(effects.get(n, {}).get("gain", 0.0)))


def with_dataset(spec: StudySpec, state: State, plan: Plan, name: str) -> Plan:
    """The plan with one dataset more, at the weight the search believes best for it."""
    effects = state.challengers[-1].effects if state.challengers else {}
    weight = float(effects.get(name, {}).get("weight", 1.0)) or 1.0
    mixture = plan.mixture.with_weight(name, min(weight, spec.search.max_weight))
    return Plan.of(mixture.to_dict(), dict(plan.hyperparameters), plan.recipe, plan.pretrain)


def final_seeds(spec: StudySpec, state: State) -> int:
    """Fresh seeds an arm that the last measurement can still pay."""
    arms = 1 if state.start == state.incumbent else 2
    affordable = (allowance.cap(spec, state) - state.spent) / arms
    return int(min(allowance.final_seeds(spec), max(0.0, affordable)))


def final_needs(spec: StudySpec, state: State) -> list[Key]:
    """Trainings of the last measurement that nobody has planned."""
    count = next(p.planned for p in reversed(state.phases) if p.phase == "test")
    done = {(t.trial.plan, t.trial.seed) for t in state.trials if t.trial.phase == "test"}
    arms = dict.fromkeys(p for p in (state.start, state.incumbent) if p is not None)
    wanted = [(plan, seeds.integer(spec.seed, "test", j)) for j in range(count) for plan in arms]
    return [key for key in wanted if key not in done]
