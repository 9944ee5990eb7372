"""What every search engine owes: subclass, give one fixture, run under pytest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autodc.search import Observation, Plan
from autodc.search.engine import oriented
from autodc.testing.answers_contract import AnswersContract, Maker
from autodc.testing.search_problems import (
    GREED,
    LAG,
    TRIALS,
    WRONG,
    drive,
    greedy,
    observation,
    problem_of,
    reward,
)


class SamplerContract(AnswersContract):
    """Subclasses give `make`: a fixture that builds a fresh engine for (problem, seed)."""

    @pytest.fixture
    def make(self) -> Maker:
        """Build the engine under test."""
        raise NotImplementedError

    def test_the_same_history_gives_the_same_suggestion_in_a_fresh_engine(self, make: Maker) -> None:
        """Holds nothing in memory that the history does not say: so a study resumes."""
        problem = problem_of(6)
        engine = make(problem, 7)
        plans: list[Plan] = []
        observed: list[Observation] = []
        for number in range(TRIALS):
            seen = observed[: max(0, number - LAG + 1)]
            found = engine.suggest(number, seen, plans[len(seen) :])
            if number % 5 == 0:
                assert make(problem, 7).suggest(number, seen, plans[len(seen) :]) == found
            plans.append(found.plan)
            observed.append(observation(number, found.plan, reward(number, found.plan)))
        assert make(problem, 7).recommend(observed) == engine.recommend(observed)

    def test_what_was_asked_before_changes_nothing(self, make: Maker) -> None:
        """Answers from the arguments alone, whatever it was asked before."""
        problem = problem_of(4)
        plans, observed = drive(make(problem, 7), reward)
        busy, fresh = make(problem, 7), make(problem, 7)
        busy.suggest(40, observed[:8], plans[:1])
        busy.recommend(observed[:12], frozenset({"d1"}))
        busy.suggest(TRIALS, observed, [], frozenset({"d0"}))
        assert busy.suggest(TRIALS, observed, plans[3:5]) == fresh.suggest(TRIALS, observed, plans[3:5])
        assert busy.recommend(observed) == fresh.recommend(observed)

    def test_another_seed_looks_elsewhere(self, make: Maker) -> None:
        """Draws from the seed."""
        one, _ = drive(make(problem_of(6), 1), reward, trials=9)
        two, _ = drive(make(problem_of(6), 2), reward, trials=9)
        assert one != two

    def test_no_two_running_trials_train_the_same_plan(self, make: Maker) -> None:
        """Looks at what is pending."""
        plans, _ = drive(make(problem_of(6), 3), reward)
        for number in range(len(plans)):
            assert plans[number] not in plans[max(0, number - LAG + 1) : number]

    def test_weight_zero_is_reached_and_caps_are_kept(self, make: Maker) -> None:
        """Tries every dataset, leaves some out, and keeps weights within the cap."""
        problem = problem_of(6)
        plans, observed = drive(make(problem, 4), reward)
        recommended = make(problem, 4).recommend(observed).plan
        for plan in [*plans, recommended]:
            assert all(0 < w <= problem.max_weight for name, w in plan.mixture if name != "base")
        assert any(0 < len(plan.mixture.added) < 6 for plan in plans)
        assert {name for plan in plans for name in plan.mixture.added} == set(problem.datasets)

    def test_hyperparameters_keep_their_range_and_their_conditions(self, make: Maker) -> None:
        """Suggests what is active under its conditions alone, and every recipe."""
        plans, _ = drive(make(problem_of(4), 5), reward)
        for plan in plans:
            values = dict(plan.hyperparameters)
            assert 1e-4 <= float(values["rate"]) <= 1e-1
            assert isinstance(values["width"], int)
            assert ("momentum" in values) == (values["kind"] == "momentum")
            assert ("tail" in values) == (plan.recipe == "pretrain_finetune")
            assert set(plan.pretrain) <= set(plan.mixture.added)
            assert not plan.pretrain or plan.recipe == "pretrain_finetune"
        assert {plan.recipe for plan in plans} == {"concat", "pretrain_finetune", "continue"}

    def test_excluded_datasets_stay_out_and_required_ones_are_in(self, make: Maker) -> None:
        """Recommends within both sets, before any observation too, and tells the worth of all datasets."""
        engine, problem = make(problem_of(6), 6), problem_of(6)
        out = frozenset({"d1", "d4"})
        plans, observed = drive(engine, reward, excluded=out)
        assert not any(set(plan.mixture.added) & out for plan in plans)
        found = make(problem, 6).recommend(observed, frozenset({"d5"}), out)
        assert "d5" in found.plan.mixture
        assert not set(found.plan.mixture.added) & out
        bad = engine.recommend(observed, frozenset({"d2"})).plan
        assert "d2" in bad.mixture
        unseen = make(problem, 6).recommend([], frozenset({"d5"}), out).plan
        assert unseen.mixture.added == ("d5",)
        assert found.tuned is not None
        assert found.tuned.mixture.added == ("d5",)
        assert set(found.worth) == set(found.plan.mixture.added)
        assert set(found.effects) == set(found.weights) == set(problem.datasets)

    def test_the_roster_may_grow(self, make: Maker) -> None:
        """Goes on from a history of fewer datasets, and tries the new one."""
        plans, observed = drive(make(problem_of(5), 13), reward)
        grown = make(problem_of(6), 13)
        known = set(problem_of(6).datasets)
        asked = [grown.suggest(number, observed, plans[-1:]).plan for number in range(TRIALS, TRIALS + 12)]
        assert {name for plan in asked for name in plan.mixture.added} <= known
        assert any("d5" in plan.mixture for plan in asked)
        found = grown.recommend(observed)
        assert set(found.effects) == known
        assert make(problem_of(6), 13).recommend(observed) == found
        assert grown.outlook(observed, plans[:2]) is not None

    def test_what_is_recommended_keeps_its_guards(self, make: Maker) -> None:
        """Takes less of a dataset that harms a guard than it would without the guard."""
        problem = problem_of(4)
        _, observed = drive(make(problem, 11), greedy, trials=28)
        found = make(problem, 11).recommend(observed).plan
        assert found.mixture.weight("d0") <= 1.5 * GREED
        assert make(replace(problem, guards={}), 11).recommend(observed).plan.mixture.weight("d0") > 1.5 * GREED

    def test_the_front_is_of_trained_plans_and_the_recommendation_is_without_it(self, make: Maker) -> None:
        """Holds trade-offs out of the recommendation; without them, or without trainings, the front is empty."""
        problem = replace(problem_of(3), tradeoffs=("predict_ms",))
        engine = make(problem, 12)
        plans: list[Plan] = []
        observed: list[Observation] = []
        for number in range(TRIALS):
            seen = observed[: max(0, number - LAG + 1)]
            plan = engine.suggest(number, seen, plans[len(seen) :]).plan
            plans.append(plan)
            speed = oriented(float(dict(plan.hyperparameters)["width"]))
            known = {"predict_ms": speed} if speed is not None and number % 7 else {}
            observed.append(replace(observation(number, plan, reward(number, plan)), tradeoffs=known))
        front = make(problem, 12).front(observed)
        assert front
        assert front == engine.front(observed)
        assert {point.plan for point in front} <= set(plans)
        assert make(problem, 12).front([]) == ()
        alone = make(problem_of(3), 12)
        assert alone.front(observed) == ()
        assert alone.recommend(observed) == engine.recommend(observed)

    @pytest.mark.parametrize("name", ["failing", "missing", "all failed", "constant"])
    def test_it_survives_trainings_that_go_wrong(self, make: Maker, name: str) -> None:
        """Suggests and recommends where trainings fail, miss slices, all fail or are all alike."""
        plans, observed = drive(make(problem_of(3), 8), WRONG[name])
        assert len(plans) == TRIALS
        assert make(problem_of(3), 8).recommend(observed).plan.mixture.weight("base") == 1.0

    @pytest.mark.parametrize("candidates", [0, 1])
    @pytest.mark.parametrize("tuned", [True, False])
    def test_small_problems_are_problems_too(self, make: Maker, candidates: int, tuned: bool) -> None:
        """Works with one candidate or none, with hyperparameters or without."""
        problem = problem_of(candidates, tuned)
        plans, observed = drive(make(problem, 9), reward)
        assert len(plans) == TRIALS
        assert len(make(problem, 9).recommend(observed).effects) == candidates
