"""A curriculum by difficulty: rows that a model of the base misjudges come last, in every trainer."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.trainers import make_trainer
from autodc.adapters.trainers.checking import check_trainer
from autodc.adapters.trainers.difficulty import by_difficulty, difficulty, staged
from autodc.adapters.trainers.options import ALL_RECIPES
from autodc.studyfile.study import ParameterSpec
from autodc.testing.trainer_contract import N_TRAIN, digits
from autodc.trial.executor import TrainerRef
from autodc.trial.fitting import drawn_plan
from autodc.trial.outputs import TrainerError
from autodc.trial.recipes import phases
from tests.adapters.trainers.test_recipes import PROGRAMS, job_of

ROWS = {"curriculum_order": "easy_first", "curriculum_start": 0.2, "curriculum_pacing": 0.5}


def wrong_third(folder: Path, **given: Any) -> tuple[Any, Any]:
    """The base's rows as they are, and others of which a third are called by the next name; which."""
    x, y = digits()
    job = job_of(folder, "curriculum", hyperparameters={**ROWS, **given})
    base, made = job.train
    wrong = np.arange(N_TRAIN) % 3 == 0
    own = slice(len(x) - N_TRAIN, len(x))
    labels = np.where(wrong, (y[own] + 1) % 10, y[own])
    return replace(job, train=(base, replace(made, x=x[own], y=labels))), wrong


def test_rows_with_a_wrong_name_are_harder_than_nearly_all_others(tmp_path: Path) -> None:
    job, wrong = wrong_third(tmp_path)
    found = difficulty(job.train[1], job.train[0], "classification")
    assert np.median(found[wrong]) > np.quantile(found[~wrong], 0.95)
    (leg,) = by_difficulty(phases(job), job)
    assert leg.pace is not None
    ranks = leg.pace.ranks[1]
    assert (ranks[wrong] > 0.6).mean() > 0.95
    first = drawn_plan(leg, 32, 100, seed=4)[:20].ravel() - N_TRAIN  # before .4 of all rows are in
    assert not wrong[first[first >= 0]].any()
    last = drawn_plan(leg, 32, 100, seed=4)[60:].ravel() - N_TRAIN
    assert wrong[last[last >= 0]].any()


def test_hard_rows_come_first_where_that_is_asked_for(tmp_path: Path) -> None:
    job, wrong = wrong_third(tmp_path, curriculum_order="hard_first")
    (leg,) = by_difficulty(phases(job), job)
    first = drawn_plan(leg, 32, 100, seed=4)[:5].ravel() - N_TRAIN
    assert wrong[first[first >= 0]].mean() > 0.6


def test_every_class_is_among_the_first_rows(tmp_path: Path) -> None:
    job, _ = wrong_third(tmp_path)
    (leg,) = by_difficulty(phases(job), job)
    y = np.concatenate([np.asarray(part.y) for part in leg.parts])
    counts = np.bincount(y[drawn_plan(leg, 32, 100, seed=4)[:5].ravel()], minlength=10)
    assert counts.min() > 0


def test_numbers_are_hard_where_they_are_far_from_what_is_expected(tmp_path: Path) -> None:
    x, _ = digits()
    target = x.mean(axis=(1, 2)).astype(float)
    job = job_of(tmp_path, "curriculum", x=x, y=target, kind="regression")
    base, made = job.train
    off = np.where(np.arange(N_TRAIN) % 4 == 0, 5.0, 0.0)
    found = difficulty(replace(made, y=np.asarray(made.y) + off), base, "regression")
    assert found[off > 0].min() > found[off == 0].max()


def test_images_as_targets_have_no_difficulty(tmp_path: Path) -> None:
    job, _ = wrong_third(tmp_path)
    with pytest.raises(TrainerError, match="ADC-TRAIN-112"):
        difficulty(job.train[1], job.train[0], "image_to_image")
    spec = ParameterSpec(type="categorical", choices=("base_first", "easy_first", "easy"))
    told = check_trainer("torch_image", {}, "image_to_image", {"curriculum_order": spec}, ("curriculum",), ".")
    assert {"ADC-TRAIN-112", "ADC-TRAIN-027"} <= {one.code for one in told}


def test_a_leg_becomes_several_for_trainers_that_take_no_batches(tmp_path: Path) -> None:
    job, _ = wrong_third(tmp_path)
    stages = staged(*by_difficulty(phases(job), job))
    assert sum(one.share for one in stages) == pytest.approx(1.0)
    sizes = [sum(len(part.x) for part in one.parts) for one in stages]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 2 * N_TRAIN
    assert sizes[0] == pytest.approx(0.2 * 2 * N_TRAIN, rel=0.1)


TRAINERS = {
    "torch_image": {"steps": 8, "width": 8, "lr": 0.01},
    "lightning": {"module": "lit.py:LitDigits", "steps": 8},
    "sklearn": {"estimator": "SGDClassifier", "params": {"loss": "log_loss"}, "epochs": 5},
}


@pytest.mark.parametrize("name", TRAINERS)
def test_the_same_bits_again_and_another_order_other_bits(tmp_path: Path, name: str) -> None:
    needs = {"torch_image": "torch", "lightning": "pytorch_lightning"}.get(name, "sklearn")
    if importlib.util.find_spec(needs) is None:
        pytest.skip(f"{needs} is not installed")
    found = []
    for at, order in enumerate(("easy_first", "easy_first", "hard_first")):
        job, _ = wrong_third(tmp_path / str(at), curriculum_order=order)
        trainer = make_trainer(TrainerRef(name=name, options=TRAINERS[name], folder=str(PROGRAMS)))
        found.append(trainer.train(job).outputs["validation"])
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


PROGRAM = """
import json
import numpy as np
from autodc.program import Job
job = Job.open()
told = []
for leg in job.legs:
    drawn = [job.draw(3, leg=leg, done=done) for done in (0.0, 1.0)]
    told.append({"parts": {p.name: p.weight for p in leg.parts}, "share": leg.share, "lr": leg.lr_factor,
                 "frozen": leg.frozen_layers, "rows": [len(rows) for rows in drawn],
                 "easy": float(np.mean([p.ranks[leg.rows_in(p, 0.0)].max() for p in leg.parts]))})
(job.out / "told.json").write_text(json.dumps([told, [p.named for p in job.train]]))
job.predict_with(lambda x: np.full((len(x), 10), 0.1))
"""


def told_by(folder: Path, job: Any) -> Any:
    """What a program sees of the recipe."""
    folder.mkdir(exist_ok=True)
    (folder / "program.py").write_text(PROGRAM)
    options = {"argv": ("python", "program.py", "{job}"), "recipes": ALL_RECIPES}
    make_trainer(TrainerRef(name="command", options=options, folder=str(folder))).train(job)
    return json.loads((job.out / "told.json").read_text())


def test_a_program_is_told_which_rows_are_in(tmp_path: Path) -> None:
    job, _ = wrong_third(tmp_path, curriculum_start=0.3)
    (leg,), _ = told_by(tmp_path / "program", job)
    assert leg["rows"][1] == 2 * N_TRAIN
    assert leg["rows"][0] == pytest.approx(0.3 * 2 * N_TRAIN, rel=0.05)
    assert 0.2 < leg["easy"] <= 0.3


def test_a_program_is_told_the_legs_of_its_recipe(tmp_path: Path) -> None:
    given = {"pretrain_share": 0.3, "finetune_lr_factor": 0.2, "frozen_layers": 1}
    job = job_of(tmp_path, "pretrain_finetune", hyperparameters=given, stages={"made": "pretrain"})
    (first, then), _ = told_by(tmp_path / "program", job)
    assert (first["parts"], first["share"], first["lr"], first["frozen"]) == ({"made": 1.0}, 0.3, 1.0, 0.0)
    assert (then["parts"], then["share"], then["lr"], then["frozen"]) == ({"base": 1.0}, 0.7, 0.2, 1.0)


def test_a_program_is_told_which_classes_a_dataset_names(tmp_path: Path) -> None:
    job = job_of(tmp_path, "label_adapt")
    base, made = job.train
    few = replace(made, y=np.where(np.asarray(made.y) > 6, 0, np.asarray(made.y)))
    legs, named = told_by(tmp_path / "program", replace(job, train=(base, few)))
    assert [list(leg["parts"]) for leg in legs] == [["base"], ["base", "made"]]
    assert named == [list(range(10)), list(range(7))]
