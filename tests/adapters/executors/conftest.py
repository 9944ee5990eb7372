"""Executors that tests of several files open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.executors import LocalExecutor, open_executor
from autodc.studyfile.study import MachineSpec
from autodc.testing.jobs import Jobs, small_dataset
from tests.adapters.executors.on_ray import SLOTS


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    logs = tmp_path_factory.mktemp("logs")
    executor = LocalExecutor(1, log_folder=logs)
    yield executor, logs
    executor.close()


@pytest.fixture
def jobs(tmp_path: Path) -> Any:
    (tmp_path / "data").mkdir()
    return Jobs(small_dataset(tmp_path / "data"))


@pytest.fixture
def opened() -> Iterator[Any]:
    """Opens executors and closes them."""
    executors = []

    def open_one(*words: Any, **machine: Any) -> Any:
        executors.append(
            open_executor(MachineSpec(**{"max_concurrent": SLOTS, **machine}), notice=words[0] if words else _ignored)
        )
        return executors[-1]

    yield open_one
    for executor in executors:
        executor.close()


def _ignored(words: str) -> None:
    """Hear what is told."""
