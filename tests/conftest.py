"""What all tests share."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from autodc.adapters.executors import shared_child

if TYPE_CHECKING:
    from autodc.wire.inputs import Inputs


MEMORY = "/dev/shm"
ROOM = 4 * 2**30
USUAL = 2
"""Seconds of a slow test that does not say how many."""


def pytest_configure() -> None:
    """Studies of the tests lie in memory where it has room: a journal waits for the disk after every event, and a disk
    that takes 5 ms for it makes a study of a second one of many. Who says where they shall lie is heard."""
    gc.disable()  # until the collection is over, which makes no garbage and a third more work for who looks for it
    if os.path.isdir(MEMORY) and os.access(MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        runs_programs = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
        if runs_programs:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files that take long come first where files are handed to several processes: one that begins last ends last."""
    if config.getoption("dist", "no") != "loadfile":
        return
    seconds: Counter[Path] = Counter()
    for item in items:
        marks = [mark.kwargs.get("seconds", USUAL) for mark in item.iter_markers("slow")]
        seconds[item.path] += max(marks, default=0)
    items.sort(key=lambda item: -seconds[item.path])


def pytest_collection_finish() -> None:
    """What the collection has imported, millions of objects, is no garbage: a look through it costs half a second,
    and on a busy machine those at the end took so long that execnet interrupted the worker in the midst of one."""
    gc.enable()
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard() -> None:
    """A shell starts what it puts in the background deaf to Ctrl-C, `nohup` deaf to a lost terminal, and programs stay
    so: tests send both."""
    for one, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(one) == signal.SIG_IGN:
            signal.signal(one, usual)


@pytest.fixture(scope="session", autouse=True)
def _one_child() -> Iterator[None]:
    """Inline runs of a test process train in one child: starting one takes as long as many of these tests."""
    with shared_child():
        yield


@pytest.fixture
def train_once(tmp_path: Path) -> Callable[..., np.ndarray[Any, Any]]:
    """One training of a study by its trainer, in this process: what it answers for validation."""

    def trained(
        inputs: Inputs, weights: Mapping[str, float], hyperparameters: Mapping[str, Any], seed: int
    ) -> np.ndarray[Any, Any]:
        from autodc.adapters.artefacts import ArtefactStore
        from autodc.adapters.executors.harness import run_task
        from autodc.trial.executor import StoredPart, TrainerRef, TrainTask

        catalogue, task, store = inputs.catalogue, inputs.spec.task, ArtefactStore(tmp_path / "store")
        train = tuple(
            StoredPart(name=n, path=str(store.put_dataset(catalogue[n])), weight=w) for n, w in weights.items()
        )
        held = str(store.put_dataset(catalogue.validation, inputs_only=True))
        done = run_task(
            TrainTask(
                number=0,
                attempt=0,
                trainer=TrainerRef(name=task.trainer, options=task.options, folder=inputs.spec.folder),
                kind=task.kind,
                n_classes=len(catalogue.classes or ()),
                train=train,
                predict=(StoredPart(name="validation", path=held),),
                hyperparameters=hyperparameters,
                recipe="concat",
                seed=seed,
                fidelity=1.0,
                warm_start=None,
                out=str(tmp_path / "out"),
            )
        )
        assert done.status == "done", done.error
        return np.asarray(done.outputs["validation"])

    return trained
