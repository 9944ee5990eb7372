"""MixtureSampler used as any Optuna user would."""

from __future__ import annotations

import pickle
import re
import threading
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from autodc.search.sampler import MixtureSampler
from autodc.testing.waiting import PATIENCE

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "search.md"


@pytest.fixture(autouse=True)
def quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def space() -> Any:
    return {
        "dark": FloatDistribution(0, 2),
        "noise": FloatDistribution(0, 2),
        "lr": FloatDistribution(1e-4, 1, log=True),
    }


def study(seed: Any, trials: Any, sampler: Any = None) -> Any:
    made = optuna.create_study(
        direction="maximize", sampler=sampler or MixtureSampler(space(), datasets=["dark", "noise"], seed=seed)
    )

    def objective(trial: Any) -> Any:
        dark, noise = trial.suggest_float("dark", 0, 2), trial.suggest_float("noise", 0, 2)
        rate = trial.suggest_float("lr", 1e-4, 1, log=True)
        if trial.number == 7:
            raise optuna.TrialPruned
        return dark**0.5 - noise - abs(rate - 0.01)

    made.optimize(objective, n_trials=trials)
    return made


@pytest.mark.slow
def test_the_same_seed_and_history_suggest_the_same_in_a_fresh_sampler() -> None:
    one, two = study(3, 20), study(3, 14)
    two.sampler = MixtureSampler(space(), datasets=["dark", "noise"], seed=3)
    again = optuna.create_study(direction="maximize", sampler=two.sampler)
    again.add_trials(two.trials)
    assert again.ask(space()).params == pytest.approx(one.trials[14].params)


@pytest.mark.slow
def test_weight_zero_is_proposed_and_the_best_is_found() -> None:
    found = study(1, 30)
    assert any(t.params["noise"] == 0.0 for t in found.trials)
    assert found.best_value > 1.2


def test_a_weight_that_does_not_start_at_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="not in it"):
        MixtureSampler(space(), datasets=["fog"])
    with pytest.raises(ValueError, match="from 0 to its cap"):
        MixtureSampler({"dark": FloatDistribution(1, 2)}, datasets=["dark"])


def test_what_is_running_is_not_proposed_again() -> None:
    busy = optuna.create_study(sampler=MixtureSampler(space(), datasets=["dark", "noise"]))
    asked = [busy.ask(space()).params for _ in range(12)]
    assert len({tuple(sorted(params.items())) for params in asked}) == 12
    unheard = optuna.create_study(sampler=MixtureSampler(space(), datasets=["dark", "noise"]))
    plans = [str(unheard.ask().relative_params) for _ in range(12)]
    assert len(set(plans)) == 12


def test_choices_single_values_and_failures_are_taken() -> None:
    mixed = {
        "dark": FloatDistribution(0, 2),
        "kind": CategoricalDistribution([None, "sgd", 1.0]),
        "depth": IntDistribution(2, 2),
        "width": IntDistribution(8, 64, log=True),
    }
    made = optuna.create_study(direction="minimize", sampler=MixtureSampler(mixed, datasets=["dark"], seed=2))
    for number in range(16):
        trial = made.ask(mixed)
        if number % 5 == 4:
            made.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            made.tell(trial, abs(trial.params["dark"] - 1) + (trial.params["kind"] is not None))
    assert {t.params["kind"] for t in made.trials} == {None, "sgd", 1.0}
    assert all(type(t.params["width"]) is int and t.params["depth"] == 2 for t in made.trials)


def test_a_sampler_can_be_pickled_in_the_middle() -> None:
    one = study(3, 10)
    two = optuna.create_study(direction="maximize", sampler=pickle.loads(pickle.dumps(one.sampler)))
    two.add_trials(one.trials)
    assert two.ask(space()).params == one.ask(space()).params


def staged() -> Any:
    return {
        "dark": FloatDistribution(0, 2),
        "noise": FloatDistribution(0, 1),
        "recipe": CategoricalDistribution(["concat", "pretrain_finetune"]),
        "dark_stage": CategoricalDistribution(["main", "pretrain"]),
        "noise_stage": CategoricalDistribution(["main", "pretrain"]),
        "tail": FloatDistribution(0.01, 1, log=True),
        "kind": CategoricalDistribution(["sgd", None, "adam"]),
        "momentum": FloatDistribution(0, 0.9),
    }


def staged_sampler(seed: Any = 0) -> Any:
    return MixtureSampler(
        staged(),
        datasets=["dark", "noise"],
        recipe="recipe",
        stages={"dark": "dark_stage", "noise": "noise_stage"},
        conditions={"tail": {"recipe": "pretrain_finetune"}, "momentum": {"kind": ["sgd", None]}},
        seed=seed,
    )


def staged_objective(trial: Any) -> Any:
    """`dark` helps as pretraining and harms as plain mix; only what counts is asked for."""
    dark, noise = trial.suggest_float("dark", 0, 2), trial.suggest_float("noise", 0, 1)
    value = -noise - 0.2 * dark
    if trial.suggest_categorical("recipe", ["concat", "pretrain_finetune"]) == "pretrain_finetune":
        early = trial.suggest_categorical("dark_stage", ["main", "pretrain"]) == "pretrain"
        trial.suggest_categorical("noise_stage", ["main", "pretrain"])
        value += early * 0.7 * dark**0.5 + 0.0 * trial.suggest_float("tail", 0.01, 1, log=True)
    if trial.suggest_categorical("kind", ["sgd", None, "adam"]) != "adam":
        value -= abs(trial.suggest_float("momentum", 0, 0.9) - 0.3)
    return value


@pytest.mark.slow
def test_a_recipe_its_stages_and_conditions_are_searched_as_they_hang_together() -> None:
    made = optuna.create_study(direction="maximize", sampler=staged_sampler(4))
    made.optimize(staged_objective, n_trials=36)
    for trial in made.trials:
        given = trial.system_attrs["autodc:plan"]
        assert ("tail" in given["hyperparameters"]) == (trial.params["recipe"] == "pretrain_finetune")
        assert ("momentum" in given["hyperparameters"]) == (trial.params["kind"] != "adam")
    assert made.best_params["recipe"] == "pretrain_finetune"
    assert made.best_params["dark_stage"] == "pretrain"
    late = [t.params["recipe"] for t in made.trials[-12:]]
    assert late.count("pretrain_finetune") > 6


def test_parameters_that_do_not_count_are_at_their_default() -> None:
    made = optuna.create_study(sampler=staged_sampler(1))
    for _ in range(14):
        params = made.ask(staged()).params
        assert params["recipe"] == "pretrain_finetune" or params["tail"] == pytest.approx(0.1)
        assert params["recipe"] == "pretrain_finetune" or params["dark_stage"] == "main"


def guarded(guards: Any, seed: Any, trials: Any = 40) -> Any:
    """`greedy` lifts the target and harms `day`; more than half of its weight breaks a margin of 0.75."""
    names = {"greedy": FloatDistribution(0, 1), "fair": FloatDistribution(0, 1)}
    made = optuna.create_study(
        direction="maximize",
        sampler=MixtureSampler(names, datasets=list(names), targets={"night": 1.0}, guards=guards, seed=seed),
    )
    for _ in range(trials):
        trial = made.ask(names)
        greedy, fair = trial.params["greedy"], trial.params["fair"]
        trial.set_user_attr("slices", {"night": greedy + 0.3 * fair, "day": 0.9 - 1.5 * greedy})
        made.tell(trial, greedy + 0.3 * fair)
    return [t.params["greedy"] for t in made.trials[-15:]]


@pytest.mark.slow
def test_a_guard_holds_the_search_off_what_breaks_its_margin() -> None:
    free, held = guarded({}, 3), guarded({"day": 0.75}, 3)
    assert sum(greedy > 0.75 for greedy in free) > 7
    assert sum(greedy > 0.75 for greedy in held) < 4
    assert max(held) > 0.3


def test_a_trial_without_its_guard_is_no_failure() -> None:
    names = {"fair": FloatDistribution(0, 1)}
    made = optuna.create_study(
        direction="maximize", sampler=MixtureSampler(names, datasets=["fair"], guards={"day": 0.1}, seed=0)
    )
    for number in range(16):
        trial = made.ask(names)
        if number == 0:
            trial.set_user_attr("slices", {"day": 0.9})
        made.tell(trial, trial.params["fair"] ** 0.5)
    assert sum(t.params["fair"] > 0.5 for t in made.trials[-6:]) > 3


def test_an_enqueued_trial_is_trained_as_it_is_and_takes_no_place_of_the_opening() -> None:
    plain, made = (
        study(5, 3),
        optuna.create_study(direction="maximize", sampler=MixtureSampler(space(), datasets=["dark", "noise"], seed=5)),
    )
    made.enqueue_trial({"dark": 1.5, "noise": 0.0, "lr": 0.3})
    made.enqueue_trial({"dark": 0.25})
    first, second, third = (made.ask() for _ in range(3))
    assert [first.suggest_float("dark", 0, 2), first.suggest_float("lr", 1e-4, 1, log=True)] == [1.5, 0.3]
    assert second.suggest_float("dark", 0, 2) == 0.25
    assert second.suggest_float("noise", 0, 2) == 0.0
    assert {n: third._suggest(n, d) for n, d in space().items()} == plain.trials[0].params


def test_cheap_trials_are_charged_and_weighed_by_their_fidelity() -> None:
    names = {"dark": FloatDistribution(0, 1)}
    sampler = MixtureSampler(names, datasets=["dark"], seed=0)
    made = optuna.create_study(direction="maximize", sampler=sampler)
    for fidelity in (0.2, 1.0, 7.0):
        trial = made.ask(names)
        trial.set_user_attr("fidelity", fidelity)
        made.tell(trial, trial.params["dark"])
    trial = made.ask(names)
    trial.report(0.4, 3)
    made.tell(trial, state=optuna.trial.TrialState.PRUNED)
    made.tell(made.ask(names), state=optuna.trial.TrialState.FAIL)
    assert sampler.spent(made) == pytest.approx(0.2 + 1 + 1 + 0.25 + 1)
    made.ask(names)
    assert [sampler._seen[n].fidelity for n in range(5)] == [0.2, 1.0, 1.0, 0.25, 1.0]
    assert sampler._seen[3].values == {"objective": 0.4}
    assert sampler._seen[4].failed


@pytest.mark.slow
def test_several_directions_are_searched_at_once() -> None:
    names = {"dark": FloatDistribution(0, 1), "width": IntDistribution(1, 64, log=True)}
    made = optuna.create_study(
        directions=["minimize", "maximize"], sampler=MixtureSampler(names, datasets=["dark"], seed=2)
    )
    for number in range(32):
        trial = made.ask(names)
        cost, gain = trial.params["width"], trial.params["dark"] + 0.2 * trial.params["width"] ** 0.5
        if number == 9:
            made.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            made.tell(trial, (cost, gain))
    best = [t.values for t in made.best_trials]
    assert min(cost for cost, _ in best) <= 2
    assert max(gain for _, gain in best) > 2.2
    assert sum(t.params["dark"] > 0.6 for t in made.trials[-14:]) > 9
    other = optuna.create_study(
        directions=["minimize", "maximize"], sampler=MixtureSampler(names, datasets=["dark"], seed=2)
    )
    other.add_trials(made.trials)
    assert other.ask(names).params == made.ask(names).params


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"datasets": ["dark", "dark"]}, "twice"),
        ({"guards": {"day": -1.0}}, "guards: 'day'"),
        ({"targets": {"day": 0.0}}, "above 0"),
        ({"probes": {"fog": 1.0}}, "probes: 'fog' is not in datasets"),
        ({"conditions": {"fog": {"kind": "sgd"}}}, "'fog' is no hyperparameter"),
        ({"conditions": {"dark": {"kind": "sgd"}}}, "'dark' is no hyperparameter"),
        ({"conditions": {"tail": {"dark": 1.0}}}, "looks at the recipe or another hyperparameter"),
        ({"conditions": {"tail": {"kind": "sdg"}}}, "never has the value 'sdg'"),
        ({"conditions": {"tail": {"kind": []}}}, "never has the value"),
        ({"conditions": {"tail": {"momentum": 0.5}, "momentum": {"tail": 0.5}}}, "in a circle"),
        ({"recipe": "recipes"}, "not in the space"),
        ({"stages": {"dark": "dark_stage", "noise": "noise_stage"}}, "stages need a recipe"),
        ({"stages": {"dark": "dark_stage"}, "recipe": "recipe"}, "every dataset has one"),
        ({"stages": {"dark": "kind", "noise": "noise_stage"}, "recipe": "recipe"}, "main and pretrain"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(wrong: Any, words: Any) -> None:
    with pytest.raises(ValueError, match=words):
        MixtureSampler(staged(), **{"datasets": ["dark", "noise"], **wrong})


@pytest.mark.slow
def test_a_parameter_may_be_called_recipe_without_being_one() -> None:
    names = {"recipe": IntDistribution(1, 9), "weight:x": FloatDistribution(-1, 1), "dark": FloatDistribution(0, 1)}
    made = optuna.create_study(
        direction="maximize",
        sampler=MixtureSampler(names, datasets=["dark"], conditions={"weight:x": {"recipe": [4, 5, 6, 7, 8, 9]}}),
    )
    for _ in range(24):
        trial = made.ask(names)
        made.tell(trial, trial.params["recipe"] + trial.params["dark"])
    assert made.best_params["recipe"] == 9


@pytest.mark.slow
def test_two_workers_ask_and_tell_at_the_same_time() -> None:
    made = optuna.create_study(
        direction="maximize", sampler=MixtureSampler(space(), datasets=["dark", "noise"], seed=3)
    )
    made.optimize(lambda t: t.suggest_float("dark", 0, 2) - t.suggest_float("noise", 0, 2), n_trials=20, n_jobs=2)
    assert [t.state for t in made.trials] == [optuna.trial.TrialState.COMPLETE] * 20
    assert made.best_value > 1.5


@pytest.mark.slow
def test_the_examples_of_the_guide_run() -> None:
    programs = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    ran = [{} for _ in programs]
    for program, names in zip(programs, ran, strict=True):
        exec(compile(program, "search.md", "exec"), names)
    assert ran[0]["study"].best_value > 0.5
    assert len(ran[1]["front"]) > 2


@pytest.mark.slow
def test_what_runs_in_another_thread_is_not_proposed_again() -> None:
    """Twelve plans in all, and two threads that ask at the same moment, again and again."""
    names = {"kind": CategoricalDistribution(["a", "b", "c", "d"]), "depth": IntDistribution(1, 3)}
    made = optuna.create_study(direction="maximize", sampler=MixtureSampler(names, seed=1))
    meet = threading.Barrier(2)

    def objective(trial: Any) -> Any:
        value = trial.suggest_int("depth", 1, 3) + (trial.suggest_categorical("kind", ["a", "b", "c", "d"]) == "b")
        meet.wait(PATIENCE)
        return value

    made.optimize(objective, n_trials=60, n_jobs=2)
    by_start = sorted(made.trials, key=lambda t: t.datetime_start)
    pairs = [
        (one.params, other.params)
        for one in by_start
        for other in by_start
        if one.number < other.number
        and one.datetime_start < other.datetime_complete
        and other.datetime_start < one.datetime_complete
    ]
    assert len(pairs) >= 30
    assert not [one for one, other in pairs if one == other]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"dark": 2.5}, "'dark' is a weight from 0 to 2; found 2.5"),
        ({"dark": -0.1}, "'dark' is a weight from 0 to 2"),
        ({"dark": float("nan")}, "'dark' is a weight from 0 to 2; found nan"),
        ({"dark": 1.0, "lr": 5.0}, "'lr' is of FloatDistribution"),
        ({"lr": "fast"}, "'lr' is of FloatDistribution"),
    ],
)
def test_an_enqueued_value_outside_the_space_is_refused_and_the_study_goes_on(params: Any, words: Any) -> None:
    made = optuna.create_study(direction="maximize", sampler=MixtureSampler(space(), datasets=["dark", "noise"]))
    made.enqueue_trial(params)
    with pytest.raises(ValueError, match=re.escape(words)):
        made.ask()
    assert made.trials[0].state == optuna.trial.TrialState.FAIL
    made.tell(made.ask(space()), 1.0)


def test_a_sampler_without_targets_is_refused() -> None:
    with pytest.raises(ValueError, match="targets: name at least one slice"):
        MixtureSampler(space(), datasets=["dark", "noise"], targets={})
