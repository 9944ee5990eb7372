"""An executor whose trainings share one process, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from autodc.adapters.executors import LocalExecutor


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    logs = tmp_path_factory.mktemp("logs")
    executor = LocalExecutor(1, log_folder=logs)
    yield executor, logs
    executor.close()
