"""What the search's own trainings say of noise: never less than there is, and not much more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome, Trial
from autodc.study.journal.records import ComparisonState, TrialState
from autodc.study.rules.searched import LEAST, described, missed

NAMES = ("good", "second", "useless", "noisy")


def plan_of(rng: np.random.Generator) -> Plan:
    weights = {"base": 1.0} | {n: float(rng.choice([0.0, 0.5, 1.0])) for n in NAMES}
    return Plan.of(weights, {"lr": float(10 ** rng.uniform(-4, -1)), "depth": int(rng.integers(2, 9))})


def worth(plan: Plan) -> float:
    """Two datasets stand in for one another, a learning rate has a best value, deep trees are a little better."""
    has = {n: plan.mixture.weight(n) for n in NAMES}
    lr = np.log10(plan.settings["lr"])
    gain = 0.1 * max(has["good"], has["second"]) + 0.02 * min(has["good"], has["second"])
    return float(gain - 0.03 * (lr + 2.5) ** 2 + 0.004 * plan.settings["depth"])


def searched(count: int, sd: float, seed: int, noisy: float = 1.0) -> list[TrialState]:
    """Trainings that move by `sd` with the seed, by `noisy` times it where they hold the noisy dataset."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        plan = plan_of(rng)
        moves = sd * (noisy if "noisy" in plan.mixture else 1.0)
        outcome = Outcome(status="done", slices={"dark": worth(plan) + moves * rng.normal()})
        trial = Trial(number=number, plan=plan, seed=number, phase="search")
        found.append(TrialState(trial=trial, round=1, origin="", outcome=outcome))
    return found


def values(one: TrialState) -> Any:
    return {} if one.outcome is None else one.outcome.slices


def comparison(name: str) -> ComparisonState:
    alone, base = Plan.of({"base": 1.0, name: 1.0}, {}), Plan.of({"base": 1.0}, {})
    return ComparisonState(
        id=0,
        round=1,
        subject=name,
        kind="dataset",
        purpose="addition",
        challenger=alone,
        incumbent=base,
        members=(name,),
        alpha=0.01,
        share=0.01,
        keeps=0,
        generation=0,
    )


@pytest.mark.slow
@pytest.mark.parametrize("sd", [0.005, 0.02])
def test_it_is_no_less_than_the_noise_and_at_most_a_few_times_it(sd: float) -> None:
    found = [missed(searched(80, sd, seed), values, "dark").of(comparison("good"), {})["dark"] for seed in range(6)]
    ratios = [one.seed / (2 * sd**2) for one in found]
    assert 1.0 < np.mean(ratios) < 4.0
    assert min(ratios) > 0.5
    assert all(one.df >= 5 for one in found)


@pytest.mark.slow
def test_a_dataset_whose_trainings_move_more_is_judged_by_them() -> None:
    several = [missed(searched(120, 0.01, seed, noisy=3.0), values, "dark") for seed in range(4)]
    noisy, good = (np.mean([m.of(comparison(n), {})["dark"].seed for m in several]) for n in ("noisy", "good"))
    assert noisy > 2 * 0.03**2 * 0.8
    assert noisy > 1.2 * good


def test_the_part_of_it_that_is_of_the_rows_is_no_noise_of_seeds() -> None:
    known = missed(searched(80, 0.02, 1), values, "dark")
    whole, less = known.of(comparison("good"), {})["dark"], known.of(comparison("good"), {"dark": 1e-4})["dark"]
    assert whole.seed - less.seed == pytest.approx(2e-4)
    assert known.of(comparison("good"), {"dark": 1.0})["dark"].seed == 0.0


def test_a_short_search_says_nothing() -> None:
    assert missed(searched(LEAST - 1, 0.02, 1), values, "dark").of(comparison("good"), {}) == {}
    assert missed([], values, "dark").of(comparison("good"), {}) == {}


def test_a_slice_that_never_moved_has_no_noise_and_one_that_some_lack_is_left_out() -> None:
    trials = searched(40, 0.02, 2)

    def more(one: TrialState) -> Any:
        return {**values(one), "still": 0.5} | ({"late": 0.1} if one.trial.number > 20 else {})

    found = missed(trials, more, "dark").of(comparison("good"), {})
    assert set(found) == {"dark", "still"}
    assert found["still"].seed == 0.0


def test_many_slices_are_told_too() -> None:
    def many(one: TrialState) -> Any:
        moves = np.random.default_rng(one.trial.number).normal(size=30)
        dark = values(one)["dark"]
        return {"dark": dark} | {f"s{i}": dark + 0.02 * moves[i] for i in range(30)}

    found = missed(searched(60, 0.005, 4), many, "dark").of(comparison("good"), {})
    assert len(found) == 31
    assert all(one.seed > found["dark"].seed for name, one in found.items() if name != "dark")


def test_the_same_trainings_say_the_same_twice() -> None:
    one, two = (missed(searched(60, 0.01, 3), values, "dark").of(comparison("good"), {}) for _ in range(2))
    assert one == two


def test_the_scale_of_a_setting_and_its_type_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    plans = [
        Plan.of({"base": 1.0, "good": 0.5 * (i % 2)}, {"lr": 10.0**-i, "kind": "ab"[i % 2], "on": i > 2})
        for i in rng.permutation(6)
    ]
    table, data = described(plans)
    squeezed, _ = described([Plan.of(p.mixture.to_dict(), p.settings | {"lr": p.settings["lr"] ** 2}) for p in plans])
    assert np.array_equal(table, squeezed)
    assert data.sum() == 2
    assert np.isfinite(table).all()
