"""MixtureSampler used as any Optuna user would."""

import pickle
import re
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from autodc.search.sampler import MixtureSampler

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "search.md"


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def space():
    return {
        "dark": FloatDistribution(0, 2),
        "noise": FloatDistribution(0, 2),
        "lr": FloatDistribution(1e-4, 1, log=True),
    }


def study(seed, trials, sampler=None):
    made = optuna.create_study(
        direction="maximize", sampler=sampler or MixtureSampler(space(), datasets=["dark", "noise"], seed=seed)
    )

    def objective(trial):
        dark, noise = trial.suggest_float("dark", 0, 2), trial.suggest_float("noise", 0, 2)
        rate = trial.suggest_float("lr", 1e-4, 1, log=True)
        if trial.number == 7:
            raise optuna.TrialPruned
        return dark**0.5 - noise - abs(rate - 0.01)

    made.optimize(objective, n_trials=trials)
    return made


def test_the_same_seed_and_history_suggest_the_same_in_a_fresh_sampler():
    one, two = study(3, 20), study(3, 14)
    two.sampler = MixtureSampler(space(), datasets=["dark", "noise"], seed=3)
    again = optuna.create_study(direction="maximize", sampler=two.sampler)
    again.add_trials(two.trials)
    assert again.ask(space()).params == pytest.approx(one.trials[14].params)


def test_weight_zero_is_proposed_and_the_best_is_found():
    found = study(1, 30)
    assert any(t.params["noise"] == 0.0 for t in found.trials)
    assert found.best_value > 1.2


def test_a_weight_that_does_not_start_at_zero_is_refused():
    with pytest.raises(ValueError, match="not in it"):
        MixtureSampler(space(), datasets=["fog"])
    with pytest.raises(ValueError, match="from 0 to its cap"):
        MixtureSampler({"dark": FloatDistribution(1, 2)}, datasets=["dark"])


def test_what_is_running_is_not_proposed_again():
    busy = optuna.create_study(sampler=MixtureSampler(space(), datasets=["dark", "noise"]))
    asked = [busy.ask(space()).params for _ in range(12)]
    assert len({tuple(sorted(params.items())) for params in asked}) == 12
    unheard = optuna.create_study(sampler=MixtureSampler(space(), datasets=["dark", "noise"]))
    plans = [str(unheard.ask().relative_params) for _ in range(12)]
    assert len(set(plans)) == 12


def test_choices_single_values_and_failures_are_taken():
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


def test_a_sampler_can_be_pickled_in_the_middle():
    one = study(3, 10)
    two = optuna.create_study(direction="maximize", sampler=pickle.loads(pickle.dumps(one.sampler)))
    two.add_trials(one.trials)
    assert two.ask(space()).params == one.ask(space()).params


def test_the_example_of_the_guide_runs():
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    exec(compile(program, "search.md", "exec"), names)
    assert names["study"].best_value > 0.5
