"""What every trainer owes, as a pytest class: subclass it with one fixture, `ref`.

    class TestMyTrainer(TrainerContract):
        recipes = ("concat", "continue")

        @pytest.fixture
        def ref(self, tmp_path):
            return TrainerRef(name="trainer.py:MyTrainer", options={"steps": 100}, folder="examples")

The rows are scikit-learn's digits, 8 × 8 scans of ten classes; a trainer for other rows overrides `rows`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from autodc.adapters.trainers import make_trainer
from autodc.data.hashing import content_of
from autodc.plan.plan import Stage, Value
from autodc.testing.waiting import PATIENCE
from autodc.trial.executor import TrainerRef
from autodc.trial.forking import ForkingJob
from autodc.trial.outputs import CheckedTrainer
from autodc.trial.trainer import Trained, TrainingJob, TrainPart

Array = np.ndarray[Any, Any]

N_TRAIN, N_VALIDATION = 600, 300
WON_SHARE = 0.5  # of validation rows that the heavier of two contradicting datasets must win


class TrainerContract:
    """Determinism, order of outputs, weights, recipes, warm start and forks, on a classification task."""

    recipes: ClassVar[tuple[str, ...]] = ("concat",)
    hyperparameters: ClassVar[Mapping[str, Value]] = {}
    learns: ClassVar[float] = 0.85
    """Accuracy that a full training reaches on the contract's rows."""
    seed_matters: ClassVar[bool] = True
    """Whether another seed gives another model, with every weight 1."""

    @pytest.fixture
    def ref(self, tmp_path: Path) -> TrainerRef:
        """The trainer under test."""
        raise NotImplementedError

    @pytest.fixture
    def rows(self) -> tuple[Array, Array]:
        """Inputs (n, ...) and class indices (n,), at least 900 rows."""
        return digits()

    def test_learns_and_answers_in_row_order(self, ref: TrainerRef, rows: tuple[Array, Array], tmp_path: Path) -> None:
        """Predicts classes in row order, at least `learns` of them right, and says how long it trained."""
        trained = self._train(ref, tmp_path, rows, extra={"backwards": rows[0][-N_VALIDATION:][::-1]})
        outputs, truth = trained.outputs["validation"], rows[1][-N_VALIDATION:]
        assert outputs.shape == (N_VALIDATION, truth.max() + 1)
        assert (outputs.argmax(axis=1) == truth).mean() >= self.learns
        np.testing.assert_allclose(trained.outputs["backwards"][::-1], outputs, rtol=1e-3, atol=1e-5)
        assert trained.train_seconds > 0

    def test_same_job_gives_the_same_bits(self, ref: TrainerRef, rows: tuple[Array, Array], tmp_path: Path) -> None:
        """Depends on seed and data alone, and leaves numpy's global generator as it was."""
        trainer = make_trainer(ref)
        state = np.random.get_state()[1].tolist()  # type: ignore[index] # noqa: NPY002
        first = trainer.train(self._job(tmp_path / "a", rows, seed=3))
        other = trainer.train(
            self._job(tmp_path / "b", rows, seed=4, weights={"base": 1.0, "second": 2.0}, contradict=True)
        )
        again = trainer.train(self._job(tmp_path / "c", rows, seed=3))
        assert np.array_equal(first.outputs["validation"], again.outputs["validation"])
        assert not np.array_equal(first.outputs["validation"], other.outputs["validation"])
        assert np.random.get_state()[1].tolist() == state  # type: ignore[index] # noqa: NPY002

    def test_same_bits_in_another_process(self, ref: TrainerRef, rows: tuple[Array, Array], tmp_path: Path) -> None:
        """Gives the same bits in a fresh interpreter."""
        here = self._train(ref, tmp_path / "here", rows, seed=5)
        self._job(tmp_path / "there", rows, seed=5)
        arguments = [repr(ref), str(tmp_path / "there"), repr(dict(self.hyperparameters))]
        subprocess.run([sys.executable, "-c", _ELSEWHERE, *arguments], check=True, timeout=PATIENCE)
        assert np.array_equal(np.load(tmp_path / "there" / "outputs.npy"), here.outputs["validation"])

    def test_another_seed_gives_another_model(self, ref: TrainerRef, rows: tuple[Array, Array], tmp_path: Path) -> None:
        """Draws from the seed; not asked of a trainer that draws nothing."""
        if not self.seed_matters:
            pytest.skip("this trainer draws nothing by chance when every weight is 1")
        first, second = (self._train(ref, tmp_path / str(seed), rows, seed=seed) for seed in (1, 2))
        assert not np.array_equal(first.outputs["validation"], second.outputs["validation"])

    @pytest.mark.parametrize(("weight", "wins"), [(0.5, "base"), (2.0, "second")])
    def test_weights_are_honoured(
        self, ref: TrainerRef, rows: tuple[Array, Array], tmp_path: Path, weight: float, wins: str
    ) -> None:
        """Follows the heavier of two datasets that contradict each other, whichever it is."""
        job = self._job(tmp_path, rows, weights={"base": 1.0, "second": weight}, contradict=True)
        predicted = make_trainer(ref).train(job).outputs["validation"].argmax(axis=1)
        truth = rows[1][-N_VALIDATION:]
        agreement = {"base": (predicted == truth).mean(), "second": (predicted == (truth + 1) % 10).mean()}
        assert max(agreement, key=lambda name: agreement[name]) == wins
        assert agreement[wins] > WON_SHARE

    def test_every_recipe_trains(self, ref: TrainerRef, rows: tuple[Array, Array], tmp_path: Path) -> None:
        """Learns as much under each of `recipes`, from a model to go on from where the recipe wants one."""
        trainer = make_trainer(ref)
        warm = self._job(tmp_path / "warm", rows)
        trainer.train(warm)
        for recipe in self.recipes:
            job = self._job(tmp_path / recipe, rows, recipe=recipe, warm_start=warm.out / "model")
            outputs = trainer.train(job).outputs["validation"]
            assert (outputs.argmax(axis=1) == rows[1][-N_VALIDATION:]).mean() >= self.learns, recipe

    def test_the_last_stage_has_the_last_word(self, ref: TrainerRef, rows: tuple[Array, Array], tmp_path: Path) -> None:
        """Follows the finetuning data where the pretraining data contradicts it."""
        if "pretrain_finetune" not in self.recipes:
            pytest.skip("this trainer has no recipe pretrain_finetune")
        weights, stages = {"base": 1.0, "second": 1.0}, {"second": "pretrain"}
        job = self._job(
            tmp_path, rows, weights=weights, contradict=True, recipe="pretrain_finetune", stages=stages
        )  # fmt: skip
        predicted = make_trainer(ref).train(job).outputs["validation"].argmax(axis=1)
        assert (predicted == rows[1][-N_VALIDATION:]).mean() > WON_SHARE

    def test_continue_starts_from_the_model(self, ref: TrainerRef, rows: tuple[Array, Array], tmp_path: Path) -> None:
        """Keeps what the model knew: a little training from it is no worse than from nothing."""
        if "continue" not in self.recipes:
            pytest.skip("this trainer has no recipe continue")
        trainer, truth = make_trainer(ref), rows[1][-N_VALIDATION:]
        warm = self._job(tmp_path / "warm", rows)
        trainer.train(warm)
        little = {"fidelity": 0.02, "seed": 9}
        fresh = trainer.train(self._job(tmp_path / "fresh", rows, **little))
        job = self._job(tmp_path / "on", rows, recipe="continue", warm_start=warm.out / "model", **little)
        on = trainer.train(job)
        scores = [(t.outputs["validation"].argmax(axis=1) == truth).mean() for t in (fresh, on)]
        assert scores[1] >= max(self.learns - 0.05, scores[0])

    def test_a_control_that_goes_on_to_the_end_is_the_training(
        self, ref: TrainerRef, rows: tuple[Array, Array], tmp_path: Path
    ) -> None:
        """Forks on the way of the very training: the control at its end has its bits, with a fork before it or not."""
        trainer = self._forking(ref)
        whole = trainer.train(self._job(tmp_path / "whole", rows, seed=6)).outputs["validation"]
        alone = trainer.fork(self._forks(tmp_path / "alone", rows, {}, after=0.6, steps=0.4, seed=6))
        assert np.array_equal(alone.outputs["validation"][0], whole)
        assert alone.train_seconds > 0

    def test_a_fork_learns_from_its_dataset_and_depends_on_no_other(
        self, ref: TrainerRef, rows: tuple[Array, Array], tmp_path: Path
    ) -> None:
        """Follows the dataset of the fork, gives the same bits again, whatever is forked before it."""
        trainer, wrong = self._forking(ref), {"wrong": 1}
        job = self._forks(tmp_path / "both", rows, {"right": 0, **wrong}, after=0.6, steps=0.2, batch=0.5)
        outputs, truth = trainer.fork(job).outputs["validation"], rows[1][-N_VALIDATION:]
        assert outputs.shape == (3, N_VALIDATION, truth.max() + 1)
        said = np.take_along_axis(outputs, ((truth + 1) % 10)[None, :, None], axis=2).mean(axis=(1, 2))
        assert said[2] > max(said[:2]), "the control, and rows that are right, speak less for labels that are wrong"
        alone = self._forks(tmp_path / "alone", rows, wrong, after=0.6, steps=0.2, batch=0.5)
        assert np.array_equal(trainer.fork(alone).outputs["validation"], outputs[[0, 2]])

    def test_inputs_of_another_shape_are_refused(
        self, ref: TrainerRef, rows: tuple[Array, Array], tmp_path: Path
    ) -> None:
        """Raises for a part it cannot predict, whatever the exception."""
        trainer = make_trainer(ref)
        job = self._job(tmp_path, rows, extra={"misshapen": np.zeros((4, 3, 5), np.float32)})
        with pytest.raises(Exception, match=r"."):
            trainer.train(job)

    def test_the_training_rows_are_left_alone(self, ref: TrainerRef, rows: tuple[Array, Array], tmp_path: Path) -> None:
        """Writes nothing into the training data."""
        job = self._job(tmp_path, rows)
        before = [content_of(part.x) + content_of(part.y) for part in job.train]
        make_trainer(ref).train(job)
        assert [content_of(part.x) + content_of(part.y) for part in job.train] == before

    def _train(self, ref: TrainerRef, folder: Path, rows: tuple[Array, Array], **wishes: Any) -> Trained:
        return make_trainer(ref).train(self._job(folder, rows, **wishes))

    def _forking(self, ref: TrainerRef) -> CheckedTrainer:
        trainer = make_trainer(ref)
        if not trainer.forks:
            pytest.skip("this trainer cannot fork")
        return trainer

    def _forks(
        self,
        folder: Path,
        rows: tuple[Array, Array],
        moved: Mapping[str, int],
        *,
        after: float,
        steps: float,
        **more: Any,
    ) -> ForkingJob:
        """moved: dataset → by how much its labels are off."""
        batch, (x, y) = more.pop("batch", 0.125), rows
        datasets = tuple(
            _stored_part(folder / name, name, x[:N_TRAIN], (y[:N_TRAIN] + by) % 10, 1.0, "main")
            for name, by in moved.items()
        )
        training = self._job(folder, rows, **more)
        return ForkingJob(training=training, datasets=datasets, after=after, steps=steps, batch=batch)

    def _job(self, folder: Path, rows: tuple[Array, Array], **wishes: Any) -> TrainingJob:
        return training_job(folder, *rows, hyperparameters=self.hyperparameters, **wishes)


def training_job(
    folder: Path,
    x: Array,
    y: Array,
    *,
    hyperparameters: Mapping[str, Value],
    weights: Mapping[str, float] | None = None,
    stages: Mapping[str, Stage] | None = None,
    contradict: bool = False,
    extra: Mapping[str, Array] | None = None,
    kind: Any = "classification",
    recipe: str = "concat",
    seed: int = 0,
    fidelity: float = 1.0,
    warm_start: Path | None = None,
) -> TrainingJob:
    """Write rows below `folder` as the store would, and make a job that trains on them.

    Every dataset named in `weights` holds the first 600 rows; with `contradict`, those after the first call every class
    by its successor. The last 300 rows are the part `validation` to predict, beside `extra`.
    """
    parts = []
    for position, (name, weight) in enumerate((weights or {"base": 1.0}).items()):
        labels = (y[:N_TRAIN] + 1) % (y.max() + 1) if contradict and position else y[:N_TRAIN]
        stage = (stages or {}).get(name, "main")
        parts.append(_stored_part(folder / name, name, x[:N_TRAIN], labels, weight, stage))
    predict = {
        name: _mapped(folder / name, rows) for name, rows in {"validation": x[-N_VALIDATION:], **(extra or {})}.items()
    }
    out = folder / "out"
    out.mkdir(parents=True)
    return TrainingJob(
        kind=kind,
        n_classes=int(y.max()) + 1 if kind == "classification" else 0,
        train=tuple(parts),
        predict=predict,
        hyperparameters=hyperparameters,
        recipe=recipe,
        seed=seed,
        fidelity=fidelity,
        warm_start=warm_start,
        out=out,
    )


_ELSEWHERE = """
import ast, sys
from pathlib import Path
import numpy as np, pandas as pd
from autodc.adapters.trainers import make_trainer
from autodc.trial.executor import TrainerRef
from autodc.trial.trainer import TrainingJob, TrainPart

ref, folder, hyperparameters = eval(sys.argv[1]), Path(sys.argv[2]), ast.literal_eval(sys.argv[3])
x, y = (np.load(folder / "base" / f"{name}.npy", mmap_mode="r") for name in "xy")
part = TrainPart(name="base", x=x, y=y, metadata=pd.read_parquet(folder / "base" / "metadata.parquet"), weight=1.0,
                 stage="main", folder=folder / "base")
job = TrainingJob(kind="classification", n_classes=int(y.max()) + 1, train=(part,), recipe="concat", seed=5,
                  predict={"validation": np.load(folder / "validation" / "x.npy", mmap_mode="r")}, fidelity=1.0,
                  hyperparameters=hyperparameters, warm_start=None, out=folder / "out")
np.save(folder / "outputs.npy", make_trainer(ref).train(job).outputs["validation"])
"""


@lru_cache(maxsize=1)
def digits() -> tuple[Array, Array]:
    """Scans (n, 8, 8) from 0 to 1 and their classes, in an order of their own."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    return digits.images[order].astype(np.float32) / 16, digits.target[order].astype(np.int64)


def _stored_part(folder: Path, name: str, x: Array, y: Array, weight: float, stage: Stage) -> TrainPart:
    inputs = _mapped(folder, x)
    np.save(folder / "y.npy", y)
    metadata = pd.DataFrame({"site": [("a", "b")[i % 2] for i in range(len(x))], "place": np.arange(len(x))})
    metadata.to_parquet(folder / "metadata.parquet")
    targets = np.load(folder / "y.npy", mmap_mode="r")
    return TrainPart(name=name, x=inputs, y=targets, metadata=metadata, weight=weight, stage=stage, folder=folder)


def _mapped(folder: Path, x: Array) -> Array:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "x.npy", np.ascontiguousarray(x))
    mapped: Array = np.load(folder / "x.npy", mmap_mode="r")
    return mapped
