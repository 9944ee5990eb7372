"""The worlds of the benchmarks: their trainings are real, their truth is what was planted, seeds reproduce them."""

from __future__ import annotations

import numpy as np
import pytest

from autodc.search import Plan
from benchmarks.worlds import RealWorld, world

GOOD = {"lr": 0.15, "momentum": 0.5, "weight_decay": 1e-3, "width": 40, "dropout": 0.0}


@pytest.fixture(scope="module")
def digits() -> RealWorld:
    return world("digits", 5)


def plan(*names: str, weight: float = 1.0) -> Plan:
    return Plan.of(dict.fromkeys(names, weight), GOOD)


def test_a_training_gives_scores_of_every_held_row_and_its_seed_reproduces_it(digits: RealWorld) -> None:
    one, again, other = (digits.train(plan(), seed) for seed in (1, 1, 2))
    for part in ("validation", "test"):
        assert one[part].shape == (len(digits.held(part).rows), 10)
        assert np.array_equal(one[part], again[part])
        assert not np.array_equal(one[part], other[part])


@pytest.mark.slow
def test_world_seeds_draw_other_worlds_and_the_same_seed_the_same_one(digits: RealWorld) -> None:
    same, other = world("digits", 5), world("digits", 6)
    assert all(np.array_equal(same.planted.candidates[n].x, rows.x) for n, rows in digits.planted.candidates.items())
    assert dict(same.kinds) == dict(digits.kinds)
    assert not np.array_equal(other.planted.base.x, digits.planted.base.x)


@pytest.mark.slow
def test_a_cure_helps_beside_the_others_and_wrong_labels_hurt(digits: RealWorld) -> None:
    cured = digits.objective(plan(*digits.cures), (1, 2))
    cure = next(n for n, kind in digits.kinds.items() if kind == "cure")
    wrong = next(n for n, kind in digits.kinds.items() if kind == "mislabelled")
    assert digits.objective(plan(*(digits.cures - {cure})), (1, 2)) < cured - 0.03
    assert digits.objective(plan(*digits.cures, wrong), (1, 2)) < cured - 0.01
    assert cured > digits.objective(plan(), (1, 2)) + 0.15


def test_interacting_sets_help_only_together(digits: RealWorld) -> None:
    pair = [n for n, kind in digits.kinds.items() if kind == "interacting"]
    alone = [digits.objective(plan(name), (1, 2)) for name in pair]
    assert digits.objective(plan(*pair), (1, 2)) > max(alone) + 0.03


def test_a_weight_is_the_expected_number_of_draws(digits: RealWorld) -> None:
    name = next(n for n, kind in digits.kinds.items() if kind == "cure")
    rows = digits.planted.candidates[name].x
    known = {row.tobytes() for row in rows}

    def share(weight: float) -> float:
        (leg,) = digits.legs(plan(name, weight=weight), GOOD, seed=3)
        return float(np.mean([row.tobytes() in known for row in leg.x.reshape(-1, rows.shape[1])]))

    size, base = len(rows), len(digits.planted.base)
    for weight in (0.5, 2.0):
        assert share(weight) == pytest.approx(weight * size / (weight * size + base), abs=0.02)


def test_steps_are_apart_from_the_mixture_and_fidelity_scales_them(digits: RealWorld) -> None:
    steps = [len(digits.legs(p, GOOD, seed=1)[0].y) for p in (plan(), plan(*digits.cures, weight=2.0))]
    assert steps == [digits.steps, digits.steps]
    assert len(digits.legs(plan(), GOOD, seed=1, fidelity=0.25)[0].y) == digits.steps // 4


@pytest.mark.slow
def test_a_study_of_a_world_runs_to_its_end(digits: RealWorld) -> None:
    run = digits.study(1, trainings=24, trials=8)
    assert run.result["finished"]
    assert run.result["test"] is not None
    assert set(run.result["validation"]["after"]) == {*digits.problem.targets, *digits.problem.guards}
    assert run.result["spent"]["trainings"] <= 24


@pytest.mark.slow
def test_rows_under_another_convention_help_before_a_fine_tuning_and_hurt_in_the_mixture() -> None:
    one = world("convention", 5)
    tuned = {**GOOD, "lr": 0.4, "pretrain_share": 0.6, "finetune_lr_factor": 0.6}
    (named,) = (n for n, kind in one.kinds.items() if kind == "pretrain_only")
    without = one.best(tuned).without(named)
    legs = one.legs(one.best(tuned), tuned, seed=1)
    assert [len(leg.y) for leg in legs] == [round(0.6 * one.steps), round(0.4 * one.steps)]
    staged, plain = one.objective(one.best(tuned), (1, 2)), one.objective(without, (1, 2))
    mixed = one.objective(Plan.of(dict.fromkeys(one.cures, 1.0), GOOD), (1, 2))
    assert staged > plain + 0.02
    assert mixed < plain - 0.1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tabular", "null"])
def test_every_world_trains_and_is_cut_into_its_slices(name: str) -> None:
    one = world(name, 5)
    values = one.values(one.train(one.problem.start, 1))
    assert set(values) == {*one.problem.targets, *one.problem.guards}
    assert all(len(rows) >= 250 for rows in one.held("validation").slices.values())
    assert len(one.problem.datasets) == {"tabular": 20, "null": 10}[name]


@pytest.mark.slow
def test_a_subset_is_a_number_and_back() -> None:
    one = world("subsets", 0)
    for number in (0, 1, 5, 1023):
        assert one.number(one.subset(number)) == number
    assert one.train(one.subset(5), 1)["test"].shape == (len(one.held("test").rows), 10)
