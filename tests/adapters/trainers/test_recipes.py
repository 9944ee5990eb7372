"""Recipes of the torch trainers and of `lightning`: what each does to rows, layers and losses."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.trainers import make_trainer
from autodc.testing.trainer_contract import N_TRAIN, N_VALIDATION, digits, training_job
from autodc.trial.executor import TrainerRef

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
PROGRAMS = Path(__file__).parent / "programs"


def train(job: Any, name: str = "torch_image", folder: Any = ".", **options: Any) -> Any:
    options = {"steps": 60, "width": 8, "lr": 0.01, **options}
    return make_trainer(TrainerRef(name=name, options=options, folder=str(folder))).train(job)


def job_of(folder: Path, recipe: str, x: Any = None, y: Any = None, **more: Any) -> Any:
    """Base and a dataset called `made`, which is tagged synthetic."""
    rows = digits()
    x, y = rows[0] if x is None else x, rows[1] if y is None else y
    given = {"weights": {"base": 1.0, "made": 1.0}, "hyperparameters": {}, **more}
    job = training_job(folder, x, y, recipe=recipe, **given)
    return replace(job, train=(job.train[0], *(replace(one, tags=("synthetic",)) for one in job.train[1:])))


def test_concat_is_the_plain_loop_of_before(tmp_path: Path) -> None:
    import torch
    from torch.nn import functional

    from autodc.adapters.trainers.networks import small_cnn
    from autodc.adapters.trainers.torch_steps import _schedule
    from autodc.plan.mixture import batches
    from autodc.seeds import generator, integer

    job = job_of(tmp_path, "concat", seed=3)
    found = train(job, steps=8).outputs["validation"]
    x, y = (torch.from_numpy(np.concatenate([getattr(one, name) for one in job.train])) for name in "xy")
    with torch.random.fork_rng():
        torch.manual_seed(integer(3, "network"))
        network = small_cnn((1, 8, 8), 10, {"width": 8, "dropout": 0.0})
        torch.manual_seed(integer(3, "steps", 0))
        optimizer = torch.optim.AdamW(network.parameters(), lr=1.0, betas=(0.9, 0.999), weight_decay=1e-4, fused=True)
        plan = batches([N_TRAIN, N_TRAIN], [1.0, 1.0], 64, 8, generator(3, "batches", 0))
        for step, rows in enumerate(plan):
            optimizer.param_groups[0]["lr"] = 0.01 * _schedule(step, 8, 0.1)
            optimizer.zero_grad()
            functional.cross_entropy(network(x[rows][:, None]), y[rows]).backward()
            optimizer.step()
        network.eval()
        with torch.inference_mode():
            plain = functional.softmax(network(torch.from_numpy(np.array(job.predict["validation"]))[:, None]), dim=1)
    np.testing.assert_array_equal(found, plain.numpy())


@pytest.mark.parametrize("recipe", ["concat", "pretrain_finetune"])
def test_parameters_of_other_recipes_change_nothing(tmp_path: Path, recipe: str) -> None:
    others = {"adapt_strength": 1.0, "adapter_lr_factor": 9.0, "curriculum_pacing": 0.9, "replay": 0.1}
    found = [
        train(job_of(tmp_path / str(at), recipe, hyperparameters=given, stages={"made": "pretrain"}), steps=6)
        for at, given in enumerate(({}, others))
    ]
    np.testing.assert_array_equal(found[0].outputs["validation"], found[1].outputs["validation"])


@pytest.mark.parametrize(("amount", "still"), [(0, 0), (1, 1), (0.5, 1), (0.7, 2), (9, 2)])
def test_leading_layers_keep_what_pretraining_taught_them(tmp_path: Path, amount: float, still: int) -> None:
    import torch

    weights = []
    for share in (0.5, 0.999):  # fine-tuning takes one step at least, at a rate of nothing
        given = {"frozen_layers": amount, "pretrain_share": 0.5}
        given |= {} if share == 0.5 else {"finetune_lr_factor": 1e-12}
        job = job_of(tmp_path / str(share), "pretrain_finetune", hyperparameters=given, stages={"made": "pretrain"})
        train(job, steps=8, weight_decay=0.0)
        weights.append(torch.load(job.out / "model" / "weights.pt", weights_only=True))
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in weights[0]))
    same = [torch.allclose(weights[0][f"{n}.weight"], weights[1][f"{n}.weight"], rtol=0, atol=1e-9) for n in layers]
    assert same == [at < still for at in range(len(layers))]


def test_what_frozen_layers_normalise_by_stays_too() -> None:
    import torch
    from torch import nn

    from autodc.adapters.trainers.freezing import freeze, layers_of

    network = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    assert len(layers_of(network)) == 3
    assert freeze(network, 2) == 2
    network.train()
    network(torch.randn(8, 4) + 5)
    assert not network[1].running_mean.any()
    assert [p.requires_grad for p in network.parameters()] == [False] * 4 + [True] * 2


def test_a_network_may_say_the_order_of_its_layers() -> None:
    from torch import nn

    from autodc.adapters.trainers.freezing import layers_of

    class Late(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last, self.first = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)), nn.Embedding(4, 2)

        def in_order(self) -> Any:
            return [self.first, self.last]

    network = Late()
    assert layers_of(network) == [network.first, network.last[0], network.last[2]]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("pytorch_lightning") is None, reason="Lightning is not installed")
def test_a_lightning_module_keeps_its_leading_layers(tmp_path: Path) -> None:
    import torch

    weights = []
    for factor in (1.0, 1e-12):
        given = {"frozen_layers": 1, "finetune_lr_factor": factor, "pretrain_share": 0.5}
        job = job_of(tmp_path / str(factor), "pretrain_finetune", hyperparameters=given, stages={"made": "pretrain"})
        options = {"module": "lit.py:LitDigits", "steps": 8}
        make_trainer(TrainerRef(name="lightning", options=options, folder=str(PROGRAMS))).train(job)
        weights.append(torch.load(job.out / "model" / "lightning.pt", weights_only=True))
    names = [name for name in weights[0] if name.endswith("weight")]
    same = [torch.allclose(weights[0][name], weights[1][name], rtol=0, atol=1e-9) for name in names]
    assert same[0]
    assert not same[-1]


@pytest.mark.skipif(importlib.util.find_spec("pytorch_lightning") is None, reason="Lightning is not installed")
def test_a_lightning_module_is_given_made_rows_with_the_statistics_of_the_base(tmp_path: Path) -> None:
    import torch

    from autodc.adapters.trainers.lightning_reading import facts_of
    from autodc.adapters.trainers.lightning_rows import Reading, adaptation_of, loader
    from autodc.adapters.trainers.options import LightningOptions
    from autodc.trial.recipes import phases

    options, seen = LightningOptions(module="lit.py:LitDigits"), {}
    for statistics in (True, False):
        given = {"adapt_statistics": statistics, "adapt_strength": 0.0}
        job = job_of(tmp_path / str(statistics), "adapt", hyperparameters=given)
        made = replace(job.train[1], x=np.asarray(job.train[1].x) * 3 + 2)
        job = replace(job, train=(job.train[0], made))
        reading = Reading(facts_of(job, options))
        (leg,) = phases(job)
        rows = list(loader(leg, reading, options, 200, 6, 1, adaptation_of(job, reading)))
        again = list(loader(leg, reading, options, 200, 6, 1, adaptation_of(job, reading)))
        assert all(
            torch.equal(a, b) for one, two in zip(rows, again, strict=True) for a, b in zip(one, two, strict=True)
        )
        seen[statistics] = torch.cat([x for x, _ in rows])
    assert seen[True].shape[1:] == np.asarray(job.train[0].x).shape[1:]
    assert float(seen[True].mean()) == pytest.approx(float(np.mean(job.train[0].x)), rel=0.05)
    assert float(seen[False].mean()) > 1.5 * float(seen[True].mean())


@pytest.mark.skipif(importlib.util.find_spec("pytorch_lightning") is None, reason="Lightning is not installed")
def test_submodules_are_frozen_by_name(tmp_path: Path) -> None:
    import torch

    from autodc.adapters.trainers.freezing import freeze_named
    from autodc.trial.outputs import TrainerError

    weights = []
    for factor in (1.0, 1e-12):
        given = {"finetune_lr_factor": factor, "pretrain_share": 0.5}
        job = job_of(tmp_path / str(factor), "pretrain_finetune", hyperparameters=given, stages={"made": "pretrain"})
        options = {"module": "lit.py:LitDigits", "steps": 8, "frozen": ["net.1"]}
        make_trainer(TrainerRef(name="lightning", options=options, folder=str(PROGRAMS))).train(job)
        weights.append(torch.load(job.out / "model" / "lightning.pt", weights_only=True))
    first, last = (torch.allclose(*(one[f"net.{at}.weight"] for one in weights), rtol=0, atol=1e-9) for at in (1, 4))
    assert (first, last) == (True, False)
    for names, says in ((["net.11"], "did you mean net.1"), (["net"], "nothing is left")):
        network = torch.nn.ModuleDict({"net": torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))})
        with pytest.raises(TrainerError, match=f"(?s){says}.*ADC-TRAIN-113|ADC-TRAIN-113.*{says}"):
            freeze_named(network, names)


def adaptation(folder: Path, x: Any, **wishes: Any) -> tuple[Any, Any]:
    """What recipe `adapt` makes of all rows of base and made, in that order, and what they were."""
    import torch

    from autodc.adapters.trainers.adaptation import Adaptation

    job = job_of(folder, "adapt", x=x)
    made = np.array(job.train[1].x) * 3 + 2
    job = replace(job, train=(job.train[0], replace(job.train[1], x=made)))
    images = x.ndim == 3

    def floats(part: Any, rows: Any) -> Any:
        rows = torch.from_numpy(np.array(rows, dtype=np.float32))
        return rows[:, None] if images else rows

    treat = Adaptation(job, floats, numbers=None if images else x.shape[1], **wishes)
    rows = torch.cat([floats(one, one.x) for one in job.train])
    of = torch.arange(2).repeat_interleave(N_TRAIN)
    return lambda step: treat(rows, of, job.train, 0, step), rows


@pytest.mark.parametrize("kind", ["images", "table"])
def test_made_rows_get_the_statistics_of_the_base_and_real_ones_stay(tmp_path: Path, kind: str) -> None:
    x = digits()[0]
    x = x if kind == "images" else x.reshape(len(x), -1)
    treat, rows = adaptation(tmp_path, x, strength=0.0, statistics=True)
    found = treat(0)
    np.testing.assert_array_equal(found[:N_TRAIN], rows[:N_TRAIN])
    np.testing.assert_allclose(found[N_TRAIN:], rows[:N_TRAIN], atol=1e-4)  # the made ones were 3 x + 2 of these


@pytest.mark.parametrize("kind", ["images", "table"])
def test_augmentation_grows_with_its_strength_and_depends_on_the_step_alone(tmp_path: Path, kind: str) -> None:
    x = digits()[0]
    x = x if kind == "images" else x.reshape(len(x), -1)
    moved = []
    for strength in (0.3, 1.0):
        treat, rows = adaptation(tmp_path / str(strength), x, strength=strength, statistics=False)
        first, other, again = treat(4), treat(5), treat(4)
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()
        np.testing.assert_array_equal(first[:N_TRAIN], rows[:N_TRAIN])
        moved.append(float((first - rows)[N_TRAIN:].abs().mean()))
    assert 0 < moved[0] < moved[1]


def test_missing_numbers_stay_missing_and_count_for_nothing() -> None:
    import torch

    from autodc.adapters.trainers.adaptation import _moments_of

    mean, spread = _moments_of(torch.tensor([[1.0, np.nan], [3.0, 5.0]]))
    assert mean.tolist() == [2.0, 5.0]
    assert spread.tolist() == [1.0, 0.0]


def test_adapters_begin_as_nothing_and_leave_out_classes_that_are_never_named(tmp_path: Path) -> None:
    import torch

    from autodc.adapters.trainers.label_adapters import label_adapters

    job = job_of(tmp_path, "label_adapt", y=np.where(digits()[1] > 6, 0, digits()[1]))
    adapters = label_adapters(job.train, 10)
    assert adapters is not None
    assert label_adapters(job.train[:1], 10) is None
    scores = torch.randn(4, 10)
    found = adapters(scores, torch.tensor([-1, 0, -1, 0]))
    assert torch.equal(found[[0, 2]], scores[[0, 2]])
    assert torch.equal(found[[1, 3], :7], scores[[1, 3], :7])
    assert (found[[1, 3], 7:] < -1000).all()


def swapped(folder: Path, recipe: str, **given: Any) -> Any:
    """Few rows of the base, many others on which 4 and 9 are called by each other's name."""
    x, y = digits()
    other = np.where(y == 4, 9, np.where(y == 9, 4, y))
    job = job_of(folder, recipe, hyperparameters=given)
    base, made = job.train
    base = replace(base, x=x[600:900], y=y[600:900])
    return replace(job, train=(base, replace(made, y=other[:N_TRAIN])))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torch_image", "torch_tabular"])
def test_another_convention_is_learnt_beside_that_of_the_base(tmp_path: Path, name: str) -> None:
    truth = digits()[1][-N_VALIDATION:]
    either, right = np.isin(truth, (4, 9)), {}
    for recipe in ("concat", "label_adapt"):
        job = swapped(tmp_path / recipe, recipe)
        if name == "torch_tabular":
            flat = tuple(replace(one, x=np.array(one.x).reshape(len(one.x), -1)) for one in job.train)
            predict = {part: np.array(rows).reshape(len(rows), -1) for part, rows in job.predict.items()}
            job = replace(job, train=flat, predict=predict)
        outputs = train(job, name, steps=120, width=32).outputs["validation"]
        right[recipe] = (outputs.argmax(axis=1) == truth)[either].mean()
    assert right["label_adapt"] > 0.7
    assert right["label_adapt"] > right["concat"] + 0.2


@pytest.mark.slow
def test_replay_keeps_what_the_model_knew(tmp_path: Path) -> None:
    x, y = digits()
    first = job_of(tmp_path / "first", "concat", weights={"base": 1.0})
    train(first)
    truth, right = y[-N_VALIDATION:], {}
    for replay in (0.0, 0.7):
        given = {"hyperparameters": {"replay": replay}, "warm_start": first.out / "model"}
        job = job_of(tmp_path / str(replay), "continue", **given)
        few = np.flatnonzero(y[:N_TRAIN] < 2)  # what it goes on with has two classes alone
        made = replace(job.train[1], x=x[few], y=y[few])
        outputs = train(replace(job, train=(job.train[0], made))).outputs["validation"]
        right[replay] = (outputs.argmax(axis=1) == truth)[truth > 1].mean()
    assert right[0.7] > right[0.0] + 0.2


@pytest.mark.parametrize("recipe", ["adapt", "label_adapt", "curriculum"])
def test_the_new_recipes_give_the_same_bits_again(tmp_path: Path, recipe: str) -> None:
    found = [train(job_of(tmp_path / str(at), recipe), steps=6).outputs["validation"] for at in range(2)]
    np.testing.assert_array_equal(*found)
