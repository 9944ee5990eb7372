"""Choices that are nothing, or lists: searched, compared, hashed, journalled and handed out like any other value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import autodc
from autodc.adapters.trainers.command import job_content
from autodc.errors import InputError
from autodc.search import Observation, Plan, SearchProblem, make_engine
from autodc.search.space import start_hyperparameters
from autodc.studyfile.study import ParameterSpec
from autodc.testing.worlds.cells import write_world
from autodc.trial.trainer import TrainingJob
from autodc.verbs.outputs import open_result

HIDDEN = [[64], [64, 32], [[1, None], "x"]]
SPACE = {
    "hidden": ParameterSpec(type="categorical", choices=HIDDEN),
    "depth": ParameterSpec(type="categorical", choices=[None, 5, "auto", False]),
    "slope": ParameterSpec(type="float", low=0.1, high=1.0, when={"hidden": [[64, 32]]}),
    "leaf": ParameterSpec(type="int", low=1, high=9, when={"depth": None}),
}


def problem() -> Any:
    return SearchProblem(
        datasets=("a",),
        hyperparameters=SPACE,
        recipes=("concat",),
        max_weight=2.0,
        targets={"dark": 1.0},
        guards={},
        start=Plan.of({}, start_hyperparameters(SPACE, "concat")),
    )


def test_a_plan_with_lists_is_the_same_after_its_journal() -> None:
    plan = Plan.of({"a": 1.0}, {"hidden": [64, [32, None]], "depth": None})
    back = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert back == plan
    assert hash(back) == hash(plan)
    assert back.fingerprint() == plan.fingerprint()
    assert back.settings == {"hidden": [64, [32, None]], "depth": None}


def test_the_start_is_the_first_choice_and_what_it_makes_count() -> None:
    start = problem().start.settings
    assert start == {"hidden": [64], "depth": None, "leaf": 5}


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["mixture", "random", "TPESampler", "CmaEsSampler"])
def test_every_sampler_proposes_every_choice_and_keeps_conditions(sampler: Any) -> None:
    pytest.importorskip("cmaes") if sampler == "CmaEsSampler" else None
    engine, observed = make_engine(sampler, problem(), 5), []
    for number in range(24):
        plan = engine.suggest(number, observed, []).plan
        values = plan.settings
        assert values["hidden"] in HIDDEN
        assert values["depth"] in (None, 5, "auto", False)
        assert ("slope" in values) == (values["hidden"] == [64, 32])
        assert ("leaf" in values) == (values["depth"] is None)
        gain = (values["hidden"] == [64, 32]) + (values["depth"] is None)
        observed.append(Observation(number=number, plan=plan, seed=number, values={"dark": float(gain)}))
    assert {json.dumps(o.plan.settings["hidden"]) for o in observed} == {json.dumps(h) for h in HIDDEN}
    best = engine.recommend(observed).plan.settings
    assert (best["hidden"], best["depth"]) == ([64, 32], None)
    stored = [Plan.from_dict(json.loads(json.dumps(o.plan.to_dict()))) for o in observed]
    again = [
        Observation(number=o.number, plan=p, seed=o.seed, values=o.values)
        for o, p in zip(observed, stored, strict=True)
    ]
    assert make_engine(sampler, problem(), 5).recommend(again).plan.settings == best


def test_the_command_trainer_is_told_lists_and_null_as_they_are(tmp_path: Path) -> None:
    plan = Plan.of({}, {"hidden": [64, 32], "depth": None})
    job = TrainingJob(
        kind="classification",
        n_classes=2,
        train=(),
        predict={},
        hyperparameters=plan.settings,
        recipe="concat",
        seed=1,
        fidelity=1.0,
        warm_start=None,
        out=tmp_path,
    )
    assert '"hyperparameters": {"depth": null, "hidden": [64, 32]}' in json.dumps(job_content(job, tmp_path))


@pytest.mark.slow
def test_a_study_with_null_and_lists_runs_to_its_end(tmp_path: Path) -> None:
    space = {
        "hidden_layer_sizes": {"type": "categorical", "choices": [[8], [8, 4]]},
        "max_iter": {"type": "categorical", "choices": [20]},
        "alpha": {"type": "float", "low": 1e-5, "high": 1e-2, "log": True, "when": {"hidden_layer_sizes": [[8, 4]]}},
    }
    trainer = {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "MLPClassifier"}}
    file = write_world(
        tmp_path,
        task=trainer,
        search_space=space,
        budget={"trainings": 12},
        loop={"rounds": 1},
        search={"sampler": "mixture", "trials_per_round": 4, "lag": 2},
    )
    spec = autodc.load(file)
    found = autodc.run(spec, autodc.MachineSpec(runner="inline"), tmp_path / "out")
    assert found.content["finished"]
    assert found.content["incumbent"]["hyperparameters"]["hidden_layer_sizes"] in ([8], [8, 4])
    state, _ = open_result(tmp_path / "out")
    assert {t.outcome.status for t in state.trials} == {"done"}
    again = autodc.run(spec, autodc.MachineSpec(runner="inline"), tmp_path / "out")
    assert again.content == found.content


@pytest.mark.slow
def test_null_is_a_choice_of_a_tree(tmp_path: Path) -> None:
    trainer = {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "DecisionTreeClassifier"}}
    space = {
        "max_depth": {"type": "categorical", "choices": [None, 3]},
        "class_weight": {"type": "categorical", "choices": [None, "balanced"]},
    }
    file = write_world(
        tmp_path,
        task=trainer,
        search_space=space,
        budget={"trainings": 12},
        loop={"rounds": 1},
        search={"sampler": "random", "trials_per_round": 6, "lag": 2},
    )
    found = autodc.run(autodc.load(file), autodc.MachineSpec(runner="inline"), tmp_path / "out")
    assert found.content["finished"]
    state, _ = open_result(tmp_path / "out")
    assert {t.outcome.status for t in state.trials} == {"done"}


def written(tmp_path: Path, space: Any) -> Any:
    file = write_world(tmp_path, search_space=None)
    file.write_text(yaml.safe_dump({**json.loads(file.read_text()), "search_space": space}, sort_keys=False))
    return file


def test_choices_are_fingerprinted_as_they_are_written(tmp_path: Path) -> None:
    space = {
        "depth": {"type": "categorical", "choices": [None, [3, [4]]]},
        "width": {"type": "int", "low": 1, "high": 9},
    }
    spec = autodc.load(written(tmp_path, space))
    content = json.loads(json.dumps(spec.content()))
    assert content["search_space"]["depth"]["choices"] == [None, [3, [4]]]
    assert type(spec).model_validate(content).fingerprint() == spec.fingerprint()


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"a": {"type": "categorical", "choices": [[1], [1.0]]}}, "same value twice"),
        ({"a": {"type": "categorical", "choices": [1, True]}}, "same value twice"),
        ({"a": {"type": "categorical", "choices": [None, None]}}, "same value twice"),
        ({"a": {"type": "categorical", "choices": [{"b": 1}]}}, "null or a list of these"),
        (
            {
                "a": {"type": "categorical", "choices": [[1, 2], None]},
                "b": {"type": "int", "low": 1, "high": 3, "when": {"a": [1, 2]}},
            },
            r"write \[\[1, 2\]\]",
        ),
        (
            {
                "a": {"type": "categorical", "choices": [1, 2]},
                "b": {"type": "int", "low": 1, "high": 3, "when": {"a": None}},
            },
            "a condition is a value",
        ),
    ],
)
def test_what_is_no_choice_is_refused_with_its_place(tmp_path: Path, space: Any, words: Any) -> None:
    with pytest.raises(InputError, match=words):
        autodc.load(written(tmp_path, space))
