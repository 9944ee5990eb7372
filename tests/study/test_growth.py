"""What a trial costs does not grow with the trials so far, and decisions are what they were before it did not."""

from __future__ import annotations

import cProfile
import hashlib
import json
import pstats
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from autodc import seeds
from autodc.search import Observation, Plan, SearchProblem, make_engine
from autodc.search.book import PlanBook
from autodc.search.fidelity import ETA, Halving, rungs
from autodc.search.history import Growing, History, Record, shares_of
from autodc.search.probes import modeller_of
from autodc.search.space import start_hyperparameters
from autodc.search.surrogates.guards import FEW
from autodc.study.phases.anchoring import EVERY_UP_TO, asked_of
from autodc.studyfile.study import ParameterSpec

SPACE = {
    "rate": ParameterSpec(type="float", low=1e-3, high=1.0, log=True),
    "width": ParameterSpec(type="int", low=1, high=9),
}


def problem(guards: Any = ()) -> Any:
    return SearchProblem(
        datasets=("a", "b", "c"),
        hyperparameters=SPACE,
        recipes=("concat",),
        max_weight=2.0,
        targets={"dark": 1.0, "fog": 0.5},
        guards=dict.fromkeys(guards, 0.05),
        start=Plan.of({}, start_hyperparameters(SPACE, "concat")),
    )


def trained(count: Any, guards: Any = (), made: Any = None) -> Any:
    engine, found = make_engine("random", made or problem(guards), 1), []
    for number in range(count):
        plan = engine.suggest(number, (), ()).plan
        rng = seeds.generator(number, "noise")
        gain = plan.mixture.weight("a") ** 0.5 - 0.3 * plan.mixture.weight("b")
        values = {"dark": gain, "fog": 0.5 * gain} | {
            g: -plan.mixture.weight("c") * (i % 2) for i, g in enumerate(guards)
        }
        values = {name: value + 0.05 * rng.standard_normal() for name, value in values.items()}
        fidelity = 1.0 if number % 5 else 0.3
        values = {} if number % 11 == 7 else values
        found.append(Observation(number=number, plan=plan, seed=number // 2, values=values, fidelity=fidelity))
    return found


def calls(function: Any, *names: Any) -> Any:
    """How often functions of these names are called, all together."""
    profile = cProfile.Profile()
    profile.runcall(function)
    stats = pstats.Stats(profile).stats
    return sum(count for (_, _, name), (count, *_) in stats.items() if name in names)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sampler", "count", "digest"), [("random", 60, "b7aaeb4663bd7e28"), ("mixture", 20, "0537a1252364a2fa")]
)
def test_a_small_study_plans_what_it_planned_before(world: Any, sampler: Any, count: Any, digest: Any) -> None:
    """The digests are of the code that worked everything out anew at every trial, in a study by the rules of then.

    Weights are no part of them, nor what a sampler draws once it has a model to draw from: an optimizer ends elsewhere
    on a flat top where a processor rounds otherwise.
    """
    before = {"data__explore_share": 0.0, "gate__evidence": "each"}
    hand = world(search={"sampler": sampler, "trials_per_round": 40, "lag": 3}, budget={"trainings": 70}, **before)
    rows = []
    study = hand.open(rows, rules=0)
    while len(study.state.trials) < 60 and not study.finished:
        for trial in study.ask(1):
            study.tell(trial, hand.outcome(study, trial))
    planned = [json.loads(payload)["trial"] for kind, _, payload in rows if kind == "TrialPlanned"][:60]
    text = json.dumps(
        [[t["phase"], sorted(t["plan"]["mixture"]), t["plan"]["recipe"], t["seed"]] for t in planned[:count]],
        sort_keys=True,
    )
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == digest


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", "mixture"])
def test_a_proposal_encodes_what_is_new_and_nothing_else(sampler: Any) -> None:
    observed, engine = trained(60), make_engine(sampler, problem(), 2)
    running = [o.plan for o in observed[56:]]
    engine.suggest(40, observed[:56], running)
    engine.recommend(observed[:56])
    plans = [observed[0].plan, observed[1].plan]

    def question() -> None:
        engine.suggest(41, observed[:58], running[2:])
        engine.recommend(observed[:58])
        engine.outlook(observed[:58], plans)

    assert calls(question, "row") <= 2 + 2 + 2
    assert calls(lambda: engine.outlook(observed[:58], plans), "row", "tune") <= 2
    assert calls(lambda: engine.outlook(observed[:58], plans), "cholesky") <= 1, "that of the draws at both plans"


@pytest.mark.slow
def test_an_outlook_of_other_observations_is_told_of_them_alone() -> None:
    observed = trained(40)
    early = [o for o in observed if o.number % 3]
    engine, fresh = make_engine("random", problem(), 2), make_engine("random", problem(), 2)
    engine.recommend(observed)
    plans = [observed[0].plan, observed[5].plan]
    assert np.array_equal(engine.outlook(early, plans), fresh.outlook(early, plans))
    assert not np.array_equal(engine.outlook(early, plans), engine.outlook(observed, plans))


def test_a_history_that_grew_is_the_one_collected_at_once() -> None:
    book = PlanBook(problem(("day",)))
    records = [
        Record(row=book.encoding.row(o.plan), seed=o.seed, values=o.values, fidelity=o.fidelity)
        for o in trained(200, ("day",))
    ]
    growing = Growing(len(book.space), book.problem.targets, ("day",))
    for count, record in enumerate(records, start=1):
        growing.append(record)
        if count in (1, 7, 64, 65, 200):
            wanted = collected(records[:count])
            for one in (growing.first(count), growing.first(count).head(count)):
                assert np.array_equal(one.objective, wanted.objective)
                assert np.array_equal(one.slices["day"], wanted.slices["day"])
                assert np.array_equal(one.failed, wanted.failed)
                assert one.digest(count) == wanted.digest(count)
    assert np.array_equal(growing.first(200).head(64).objective, collected(records[:64]).objective)


def collected(records: Any) -> History:
    shares = shares_of({"dark": 1.0, "fog": 0.5}, ("day",))
    return History.told(
        rows=np.array([r.row for r in records]),
        raw={name: np.array([r.values.get(name, np.nan) for r in records]) for name in shares},
        fidelity=np.array([r.fidelity for r in records]),
        seeds=np.array([r.seed for r in records]),
        shares=shares,
    )


@pytest.mark.parametrize("count", [40, pytest.param(640, marks=pytest.mark.slow)])
def test_draws_together_have_the_mean_and_the_spreads_of_the_posterior(count: Any) -> None:
    made = problem()
    book = PlanBook(made)
    history = book.history(trained(count))
    model = modeller_of(book.space, made).objective(history)
    features = book.space.features(history.rows[[0, 1, 2, 0]])
    drawn = model.draws(np.random.default_rng(4), features, 4000)
    mean, sd = model.predict(features)
    assert np.abs(drawn.mean(axis=0) - mean).max() < 4 * sd.max() / 4000**0.5
    np.testing.assert_allclose(drawn.std(axis=0), sd, rtol=0.06)
    _, apart = model.difference(features[:1], features[1:3])
    np.testing.assert_allclose((drawn[:, :1] - drawn[:, 1:3]).std(axis=0), apart, rtol=0.06)
    assert np.array_equal(drawn[:, 0], drawn[:, 3])


@pytest.mark.slow
def test_many_guards_have_one_kernel_and_hold_what_each_would() -> None:
    guards = tuple(f"g{i}" for i in range(FEW + 8))
    made, observed = problem(guards), trained(60, guards)
    book = PlanBook(made)
    history, modeller = book.history(observed), modeller_of(book.space, made)
    features = book.space.features(history.rows)
    means = modeller.guards(history).means(features)
    for i in (0, 1, FEW):
        alone = modeller.slice(guards[i], history)
        assert np.allclose(means[:, i], alone.mean()(features), atol=1e-4)
    good = ~history.failed
    assert np.corrcoef(means[good, 1], history.raw["g1"][good])[0, 1] > 0.9
    engine = make_engine("mixture", made, 3)
    assert calls(lambda: engine.recommend(observed), "tune", "tune_ridge") <= 2 * 4
    assert engine.recommend(observed).plan.mixture.weight("c") <= 0.2
    free = make_engine("mixture", problem(), 3)
    assert free.suggest(60, observed, ()).plan != engine.suggest(60, observed, ()).plan


def test_few_guards_have_models_of_their_own() -> None:
    guards = tuple(f"g{i}" for i in range(FEW))
    book = PlanBook(problem(guards))
    assert modeller_of(book.space, book.problem).guards(book.history(trained(30, guards))) is None


def test_a_question_about_all_trainings_is_asked_anew_ever_more_seldom() -> None:
    asked = [asked_of(seen) for seen in range(50_001)]
    assert asked[: EVERY_UP_TO + 1] == list(range(EVERY_UP_TO + 1))
    assert sorted(set(asked[EVERY_UP_TO:])) == [250, 750, 2250, 6750, 20250]
    assert all(count <= seen for seen, count in enumerate(asked))


@pytest.mark.parametrize("seed", range(6))
def test_halving_that_is_told_one_by_one_promotes_who_a_look_at_all_would(seed: Any) -> None:
    rng, ladder = np.random.default_rng(seed), rungs(0.1)
    halving, values, planned = Halving(ladder), {level: {} for level in ladder}, {level: set() for level in ladder}
    under_way, number = [], 0
    for _ in range(200):
        wanted = None
        for below, above in reversed(list(pairwise(ladder))):
            known = values[below]
            best = sorted((n for n in known if np.isfinite(known[n])), key=lambda n: (-known[n], n))
            free = [n for n in best[: len(known) // ETA] if n not in planned[above]]
            if free and wanted is None:
                wanted = (free[0], above)
        assert halving.promotion() == wanted
        plan, level = wanted or (number, ladder[0])
        number += wanted is None
        halving.plan(level, plan)
        planned[level].add(plan)
        under_way.append((plan, level))
        if len(under_way) > 3:
            plan, level = under_way.pop(int(rng.integers(3)))
            values[level][plan] = -np.inf if rng.random() < 0.1 else float(rng.integers(30))
            halving.tell(level, plan, values[level][plan])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"targets": {}}, "targets: name at least one slice"),
        ({"enqueue": ({"a": 2.5},)}, "the weight of 'a' is from 0 to 2; found 2.5"),
        ({"enqueue": ({"b": 1.0}, {"a": -0.5})}, "found -0.5"),
        ({"enqueue": ({"a": float("nan")},)}, "found nan"),
        ({"enqueue": ({"d": 1.0},)}, "there is no dataset 'd'"),
        ({"enqueue": ({"base": 0.5},)}, "there is no dataset 'base'"),
    ],
)
def test_a_problem_that_no_trial_can_answer_is_refused(wrong: Any, words: Any) -> None:
    with pytest.raises(ValueError, match=words):
        replace(problem(), **wrong)
    assert replace(problem(), enqueue=({"base": 1.0, "a": 2.0},)).enqueue
