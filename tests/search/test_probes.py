"""Probes: what is known of datasets before helps where the study bears it out, and comes to nothing elsewhere."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from scipy import stats

from autodc import seeds
from autodc.search import Observation, Plan, SearchProblem, make_engine
from autodc.search.book import PlanBook
from autodc.search.probes import ProbedModeller, modeller_of
from autodc.search.surrogates.modeller import SelectingModeller
from autodc.studyfile.study import ParameterSpec

DATASETS = tuple(f"d{i:02d}" for i in range(24))
RATE = {"rate": ParameterSpec(type="float", low=1e-3, high=1.0, log=True)}
TRIALS = 18


def problem(probes: Any) -> Any:
    return SearchProblem(
        datasets=DATASETS,
        hyperparameters=RATE,
        recipes=("concat",),
        max_weight=1.0,
        targets={"night": 1.0},
        guards={"day": 0.5},
        start=Plan.of({}, {"rate": 0.03}),
        probes=probes,
    )


def gains(seed: Any) -> Any:
    return seeds.generator(seed, "gains").normal(0.0, 1.0, len(DATASETS))


def observed(seed: Any) -> Any:
    """Trainings of random plans, whose noise is a fifth of what they differ by."""
    rng, worth, book = seeds.generator(seed, "plans"), gains(seed), PlanBook(problem({}))
    rows = book.space.random(rng, TRIALS)
    value = rows[:, book.space.weights] @ worth
    value += 0.2 * value.std() * rng.standard_normal(TRIALS)
    return [
        Observation(number=i, plan=book.encoding.plan(row), seed=i, values={"night": float(v), "day": 0.9})
        for i, (row, v) in enumerate(zip(rows, value, strict=True))
    ]


def ranking(seed: Any, probes: Any) -> Any:
    """Rank correlation of what every dataset is believed to be worth with what it is worth."""
    made = problem(probes)
    book = PlanBook(made)
    model = modeller_of(book.space, made).objective(book.history(observed(seed)))
    without = np.repeat(book.start[None], len(DATASETS), axis=0)
    alone = without.copy()
    alone[np.arange(len(DATASETS)), book.space.weights] = 0.7
    gap, _ = model.difference(book.space.features(alone), book.space.features(without))
    return float(stats.spearmanr(gap, gains(seed)).statistic)


def probe(seed: Any, correlation: Any) -> Any:
    noise = seeds.generator(seed, "probe").normal(0.0, 1.0, len(DATASETS))
    mixed = correlation * gains(seed) + np.sqrt(1 - correlation**2) * noise
    return dict(zip(DATASETS, map(float, mixed), strict=True))


@pytest.fixture(scope="module")
def plain() -> Any:
    return np.array([ranking(seed, {}) for seed in range(6)])


@pytest.mark.slow
def test_an_informative_probe_ranks_the_datasets_better(plain: Any) -> None:
    found = np.array([ranking(seed, probe(seed, 0.85)) for seed in range(6)])
    assert found.mean() > plain.mean() + 0.1
    assert (found > plain).sum() >= 5


@pytest.mark.slow
def test_a_useless_probe_and_one_that_is_upside_down_do_not_hurt(plain: Any) -> None:
    for correlation in (0.0, -0.85):
        found = np.array([ranking(seed, probe(seed, correlation)) for seed in range(6)])
        assert found.mean() > plain.mean() - 0.03


@pytest.mark.parametrize("probes", [{}, {"d00": 1.0}, dict.fromkeys(DATASETS, 0.5)])
def test_probes_that_tell_nothing_apart_change_nothing(probes: Any) -> None:
    made = problem(probes)
    assert isinstance(modeller_of(PlanBook(made).space, made), SelectingModeller)


@pytest.mark.slow
def test_draws_and_means_carry_what_the_probes_say_and_guards_do_not() -> None:
    made = problem(probe(1, 0.9))
    book = PlanBook(made)
    modeller, history = modeller_of(book.space, made), book.history(observed(1))
    assert isinstance(modeller, ProbedModeller)
    slope = modeller.slope(history)
    assert slope > 0
    rows = book.space.features(book.space.random(seeds.generator(0), 5))
    model = modeller.objective(history)
    assert model.mean()(rows) == pytest.approx(model.predict(rows)[0])
    drawn = np.array([model.sampled(seeds.generator(2, i))(rows) for i in range(400)])
    mean, sd = model.predict(rows)
    assert np.abs(drawn.mean(0) - mean).max() < 0.3 * sd.max()
    gap, _ = model.difference(rows[:1], rows[1:2])
    assert gap[0] == pytest.approx(mean[0] - mean[1])
    assert modeller.slice("day", history).predict(rows)[0] == pytest.approx(0.9)


def test_failures_and_too_few_trainings_leave_the_probes_unheard() -> None:
    made = problem(probe(1, 0.9))
    book, seen = PlanBook(made), observed(1)
    modeller = modeller_of(book.space, made)
    assert modeller.slope(book.history(seen[:4])) == 0.0
    failed = [dataclasses.replace(o, values={}) for o in seen]
    assert modeller.slope(PlanBook(made).history(failed)) == 0.0
    assert make_engine("mixture", made, 0).suggest(TRIALS, seen, []).plan.mixture.weight("base") == 1.0
