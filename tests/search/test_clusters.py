"""Clusters of many datasets: found where planted, of use where effects are shared, nearly harmless elsewhere."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from optuna.distributions import FloatDistribution
from scipy import stats
from scipy.optimize import check_grad

from autodc import seeds
from autodc.search import MixtureSampler, Observation, Plan, SearchProblem, make_engine
from autodc.search.book import PlanBook
from autodc.search.clusters import MANY, clusters
from autodc.search.coordinate_exchange import ascend
from autodc.search.probes import modeller_of
from autodc.search.screen import opening, pairs
from autodc.search.space import Dimension, Space
from autodc.search.surrogates.gaussian import GaussianProcess, Loss, prior, tune
from autodc.search.surrogates.ridge import Ridge, tune_ridge
from autodc.studyfile.study import ParameterSpec
from autodc.testing.search_problems import drive, problem_of, reward

MEMBERS, FAMILIES = 10, 12
DATASETS = tuple(f"d{i:03d}" for i in range(MEMBERS * FAMILIES))
FAMILY = np.arange(len(DATASETS)) % FAMILIES
RATE = {"rate": ParameterSpec(type="float", low=1e-3, high=1.0, log=True)}


def described(seed: Any, shuffled: Any = False) -> Any:
    rng = seeds.generator(seed, "descriptors")
    values = rng.normal(0.0, 1.0, (FAMILIES, 5))[FAMILY] + rng.normal(0.0, 0.15, (len(DATASETS), 5))
    values = rng.permutation(values) if shuffled else values
    return {name: tuple(map(float, row)) for name, row in zip(DATASETS, values, strict=True)}


def problem(descriptors: Any, datasets: Any = DATASETS) -> Any:
    return SearchProblem(
        datasets=datasets,
        hyperparameters=RATE,
        recipes=("concat",),
        max_weight=1.0,
        targets={"night": 1.0},
        guards={},
        start=Plan.of({}, {"rate": 0.03}),
        descriptors=descriptors,
    )


def gains(seed: Any) -> Any:
    """What every dataset is worth: half of the variance is its family's."""
    rng = seeds.generator(seed, "gains")
    return rng.normal(0.0, 1.0, FAMILIES)[FAMILY] + rng.normal(0.0, 1.0, len(DATASETS))


def observed(seed: Any, trials: Any) -> Any:
    """Trainings of random plans, whose noise is a fifth of what they differ by."""
    book = PlanBook(problem({}))
    rng, rows = seeds.generator(seed, "noise"), book.space.random(seeds.generator(seed, "plans"), trials)
    value = rows[:, book.space.weights] @ gains(seed)
    value += 0.2 * value.std() * rng.standard_normal(trials)
    return [
        Observation(number=i, plan=book.encoding.plan(row), seed=i, values={"night": float(v)})
        for i, (row, v) in enumerate(zip(rows, value, strict=True))
    ]


def ranking(seed: Any, descriptors: Any, trials: Any = 60) -> Any:
    """Rank correlation of what every dataset is believed to be worth with what it is worth."""
    made = problem(descriptors)
    book = PlanBook(made)
    model = modeller_of(book.space, made).objective(book.history(observed(seed, trials)))
    without = np.repeat(book.start[None], len(DATASETS), axis=0)
    alone = without.copy()
    alone[np.arange(len(DATASETS)), book.space.weights] = 0.7
    gap, _ = model.difference(book.space.features(alone), book.space.features(without))
    return float(stats.spearmanr(gap, gains(seed)).statistic)


def test_planted_families_are_clusters_and_none_is_given_twice() -> None:
    cuts = clusters(DATASETS, described(0))
    found = [tuple(one.tolist()) for cut in cuts for one in cut]
    planted = {tuple(np.flatnonzero(f == FAMILY).tolist()) for f in range(FAMILIES)}
    assert planted <= set(found)
    assert len(found) == len(set(found)) <= 2 * 64
    assert all(len(one) > 1 for one in found)


def test_few_or_equal_descriptors_make_no_clusters_and_wrong_ones_are_refused() -> None:
    few = dict(list(described(0).items())[:MANY])
    assert clusters(DATASETS, few) == clusters(DATASETS, {}) == ()
    assert clusters(DATASETS, dict.fromkeys(DATASETS, (0.1, 2.0))) == ()
    for wrong, words in (({"x": (1.0,)}, "'x' is not in"), ({"d000": (np.nan,)}, "not finite")):
        with pytest.raises(ValueError, match=words):
            clusters(DATASETS, wrong)
    with pytest.raises(ValueError, match="same length"):
        clusters(DATASETS, {"d000": (1.0, 2.0), "d001": (1.0,)})


@pytest.mark.slow
def test_without_clusters_suggestions_are_what_they_were() -> None:
    plain = problem_of(6)
    told = dataclasses.replace(plain, descriptors={f"d{i}": (float(i), float(i % 2)) for i in range(6)})
    plans, seen = drive(make_engine("mixture", plain, 3), reward)
    assert drive(make_engine("mixture", told, 3), reward)[0] == plans
    assert make_engine("mixture", told, 3).recommend(seen) == make_engine("mixture", plain, 3).recommend(seen)


@pytest.mark.slow
def test_shared_effects_are_ranked_better_and_useless_descriptors_cost_little() -> None:
    plain, told, shuffled = (
        np.array([ranking(seed, make(seed)) for seed in range(4)])
        for make in (lambda seed: {}, described, lambda seed: described(seed, shuffled=True))
    )
    assert told.mean() > plain.mean() + 0.08
    assert (told > plain).all()
    assert shuffled.mean() > plain.mean() - 0.03


@pytest.fixture(scope="module")
def sample() -> Any:
    made = problem(described(2))
    book = PlanBook(made)
    history = book.history(observed(2, 40))
    target = (history.objective - history.objective.mean()) / history.objective.std()
    space = book.space
    return history.sample(space.features(history.rows), space.data_features, target, space.cluster_features)


def test_the_gradient_of_the_evidence_is_that_of_finite_differences(sample: Any) -> None:
    centre, spread = prior(sample.data, sample.clusters)
    layout = slice(len(centre) - len(sample.clusters), None)

    def at(part: Any) -> Any:
        whole = centre.copy()
        whole[layout] = part
        return Loss(sample, centre, spread)(whole)

    assert check_grad(lambda p: at(p)[0], lambda p: at(p)[1][layout], centre[layout] + 0.3) < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "fit"), [(GaussianProcess, tune), (Ridge, tune_ridge)])
def test_draws_and_means_as_functions_agree_with_predictions(sample: Any, kind: Any, fit: Any) -> None:
    model, rows = kind(sample, fit(sample)), sample.features[:5]
    mean, sd = model.predict(rows)
    assert model.mean()(rows) == pytest.approx(mean, abs=1e-4)
    drawn = np.array([model.sampled(seeds.generator(0, i))(rows) for i in range(1500)])
    assert np.abs(drawn.mean(0) - mean).max() < 0.15 * sd.max() + 0.02
    assert drawn.std(0) == pytest.approx(sd, rel=0.15)
    gap, spread = model.difference(rows[:1], rows[1:2])
    assert gap[0] == pytest.approx(mean[0] - mean[1])
    assert (drawn[:, 0] - drawn[:, 1]).std() == pytest.approx(spread[0], rel=0.15)


def test_the_opening_moves_whole_clusters_first_and_single_datasets_last() -> None:
    book = PlanBook(problem(described(1)))
    found = [entry.row[book.space.weights] > 0 for entry in opening(book.space, book.start, [], 0) if entry.pair >= 0]
    assert len(found) == 2 * pairs(book.space)
    split = [sum(0 < row[f == FAMILY].sum() < MEMBERS for f in range(FAMILIES)) for row in found]
    assert split[0] <= 3
    assert split[-1] > FAMILIES / 2
    for first, second in zip(found[::2], found[1::2], strict=True):
        assert (first ^ second).all()
        assert first.sum() == len(DATASETS) / 2


def test_a_cluster_that_helps_only_as_a_whole_is_switched_in() -> None:
    names = [f"d{i}" for i in range(40)]
    dimensions, mine = [Dimension(name=name, kind="weight") for name in names], slice(20, 30)
    fours = [names[i : i + 10] for i in range(0, 40, 10)]

    def value(rows: Any) -> Any:
        return 5.0 * (rows[:, mine] > 0.5).all(1) - 0.1 * (rows > 0).sum(1)

    def best(space: Any) -> Any:
        rng = np.random.default_rng(0)
        rows, values = ascend(space, value, np.zeros((1, 40)), space.snap, rng, parents=1, rounds=12)
        return np.flatnonzero(rows[np.argmax(values)]).tolist()

    assert best(Space(dimensions)) == []
    assert best(Space(dimensions, clusters=[fours])) == list(range(20, 30))


@pytest.mark.slow
def test_the_same_history_gives_the_same_suggestion_in_a_fresh_engine() -> None:
    made, seen = problem(described(3)), observed(3, 30)
    first = make_engine("mixture", made, 5)
    first.suggest(20, seen[:20], [])
    found = first.suggest(30, seen, [])
    assert make_engine("mixture", made, 5).suggest(30, seen, []) == found
    out = frozenset(DATASETS[::2])
    assert not set(first.suggest(31, seen, [found.plan], out).plan.mixture.added) & out
    assert all(0 < weight <= 1.0 for weight in found.plan.mixture.to_dict().values())


def test_the_sampler_takes_descriptors_and_refuses_those_of_nothing() -> None:
    space = {name: FloatDistribution(0, 1) for name in DATASETS}
    sampler = MixtureSampler(space, datasets=DATASETS, descriptors=described(0))
    assert len(sampler._words._encoding.space.clusters) > 1
    with pytest.raises(ValueError, match="descriptors: 'gone' is not in datasets"):
        MixtureSampler(space, datasets=DATASETS, descriptors={"gone": (1.0,)})
