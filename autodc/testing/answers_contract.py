"""What every search engine owes of what it says: settings of a mixture, and what members of a plan are worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from autodc.plan.mixture import Mixture
from autodc.search import Plan, SearchEngine, SearchProblem
from autodc.testing.search_problems import drive, observation, problem_of, reward, settings

Maker = Callable[[SearchProblem, int], SearchEngine]

SETTLED: tuple[Mapping[str, float], ...] = (
    {"base": 1.0},
    {"base": 1.0, "d0": 1.0, "d1": 1.0},
    {"d0": 3.0, "gone": 0.7},
)


class AnswersContract:
    """A part of `SamplerContract`."""

    @pytest.fixture
    def make(self) -> Maker:
        """Build the engine under test."""
        raise NotImplementedError

    def test_a_mixture_is_settled_as_it_is_given(self, make: Maker) -> None:
        """Chooses the settings alone, well ones, and the same in a fresh engine; knows none before a training."""
        engine, problem = make(problem_of(4), 14), problem_of(4)
        plans, observed = drive(engine, settings, trials=30)
        fresh, unknowing = make(problem, 14), make(problem, 14)
        for mixture in SETTLED:
            found = engine.settle(observed, mixture)
            assert found is not None, mixture
            assert found.mixture == Mixture.of(mixture)
            assert fresh.settle(observed, mixture) == found, mixture
            assert 3e-3 < float(dict(found.hyperparameters)["rate"]) < 3e-2, mixture
            alone = engine.settle(observed, mixture, "pretrain_finetune")
            assert alone is not None, mixture
            assert (alone.mixture, alone.recipe) == (found.mixture, "pretrain_finetune")
            assert unknowing.settle([], mixture) is None, mixture
            assert unknowing.settle([observation(0, plans[0], {})], mixture) is None, mixture

    def test_settings_of_a_mixture_are_searched(self, make: Maker) -> None:
        """Proposes exactly the mixture it is given, at settings that differ; the same in a fresh engine."""
        engine, problem = make(problem_of(4), 16), problem_of(4)
        plans, observed = drive(engine, settings, trials=24)
        mixture = {"base": 1.0, "d0": 1.0, "d3": 1.0}
        for number in range(24, 28):
            found = engine.suggest(number, observed, plans[24:], mixture=mixture)
            assert found.plan.mixture == Mixture.of(mixture)
            assert make(problem, 16).suggest(number, observed, plans[24:], mixture=mixture) == found
            plans.append(found.plan)
        assert len({plan.hyperparameters for plan in plans[24:]}) == 4
        recipe, pretrain = "pretrain_finetune", frozenset({"d3"})
        told = engine.suggest(28, observed, plans[24:], mixture=mixture, recipe=recipe, pretrain=pretrain).plan
        settled = engine.settle(observed, mixture, recipe=recipe, pretrain=pretrain)
        assert settled is not None
        for plan in (told, settled):
            assert (plan.mixture, plan.recipe, plan.pretrain) == (Mixture.of(mixture), "pretrain_finetune", ("d3",))

    def test_every_member_of_a_plan_has_a_worth_in_it(self, make: Maker) -> None:
        """Believes of each what the objective, and every guard, loses without it; nothing before a training."""
        engine, problem = make(problem_of(4), 15), problem_of(4)
        _, observed = drive(engine, reward, trials=28)
        plan = Plan.of(dict.fromkeys(("base", "d0", "d1", "d2"), 1.0), dict(problem.start.hyperparameters))
        beliefs, guards = engine.beliefs(observed, plan), engine.guard_beliefs(observed, plan)
        assert beliefs is not None
        assert guards is not None
        assert set(beliefs) == {"d0", "d1", "d2"}
        assert beliefs["d2"][0] < 0 < beliefs["d0"][0]
        assert all(sd > 0 for _, sd in beliefs.values())
        assert {guard: set(of) for guard, of in guards.items()} == {"overall": {"d0", "d1", "d2"}}
        assert make(problem, 15).beliefs(observed, plan) == beliefs
        assert make(problem, 15).guard_beliefs(observed, plan) == guards
        assert make(problem, 15).beliefs(observed, problem.start) == {}
        assert make(problem, 15).beliefs([], plan) is None
        assert make(problem, 15).guard_beliefs([], plan) is None
