"""Every trainer of ours keeps the contract that third parties' trainers are held to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest

from autodc.testing.trainer_contract import TrainerContract
from autodc.trial.executor import TrainerRef

ALL = ("concat", "pretrain_finetune", "continue")
FOLDER = Path(__file__).parent


class ElsewhereIsSlow(TrainerContract):
    """That another process gives the same bits is shown in the slow tests: it has to start one."""

    @pytest.mark.slow
    def test_same_bits_in_another_process(self, ref: Any, rows: Any, tmp_path: Path) -> None:
        super().test_same_bits_in_another_process(ref, rows, tmp_path)


@pytest.mark.slow
class TestTorchImage(ElsewhereIsSlow):
    recipes = ALL

    @pytest.fixture
    def ref(self) -> Any:
        return TrainerRef(name="torch_image", options={"network": "tiny_cnn", "steps": 120, "lr": 0.02}, folder=".")


class TestTorchTabular(ElsewhereIsSlow):
    recipes = ALL

    @pytest.fixture
    def ref(self) -> Any:
        return TrainerRef(name="torch_tabular", options={"steps": 150, "width": 32}, folder=".")


class TestSklearnPartialFit(ElsewhereIsSlow):
    recipes = ALL

    @pytest.fixture
    def ref(self) -> Any:
        options = {"estimator": "SGDClassifier", "params": {"loss": "log_loss", "alpha": 0.001}, "epochs": 10}
        return TrainerRef(name="sklearn", options=options, folder=".")


@pytest.mark.slow
class TestSklearnWarmStart(TrainerContract):
    recipes = ALL
    seed_matters = False

    @pytest.fixture
    def ref(self) -> Any:
        return TrainerRef(name="sklearn", options={"estimator": "LogisticRegression"}, folder=".")


@pytest.mark.slow
class TestCommand(ElsewhereIsSlow):
    recipes = ("concat", "continue")
    hyperparameters: ClassVar = {"lr": 2.0}

    @pytest.fixture
    def ref(self) -> Any:
        argv = [sys.executable, "foreign.py", "{job}"]
        return TrainerRef(name="command", options={"argv": argv}, folder=str(FOLDER / "programs"))


@pytest.mark.slow
class TestJoinedCommand(TrainerContract):
    recipes = ALL
    hyperparameters: ClassVar = {"lr": 0.5}

    @pytest.fixture
    def ref(self) -> Any:
        argv = [sys.executable, "joined.py", "--lr", "{lr}", "--job", "{job}"]
        return TrainerRef(name="command", options={"argv": argv}, folder=str(FOLDER / "programs"))


class TestOwnObject(ElsewhereIsSlow):
    learns = 0.8
    seed_matters = False

    @pytest.fixture
    def ref(self) -> Any:
        return TrainerRef(name="own.py:Nearest", options={"neighbours": 1}, folder=str(FOLDER / "programs"))
