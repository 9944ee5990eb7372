"""What a prediction costs: how long calls take, and how much memory the process that predicts has at most."""

from __future__ import annotations

import contextlib
import gc
import resource
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

import numpy as np
import psutil

from autodc.adapters.executors.programs import below
from autodc.table import Inputs
from autodc.trial.executor import PredictTask
from autodc.trial.method import Timed
from autodc.trial.order import put_back
from autodc.trial.outputs import CheckedMethod

LEAST_SECONDS, SHARE = 0.25, 0.04
"""Further calls for their time alone: so many seconds, or this share of the prediction, for batches and for rows."""
MOST_CALLS = 200
"""Calls that are timed at most where they are made for their time alone."""
LOOK_SECONDS = 0.02
"""Between two looks at the programs below this process, at least."""
LOOK_SHARE = 0.02
"""Of the time, that looks may take: on a machine with many processes each takes longer."""
MB = 1e6


def predict_measured(
    task: PredictTask, make: Callable[[], CheckedMethod], parts: Mapping[str, Inputs]
) -> dict[str, Any]:
    """Make the method, let it predict, and say what both cost; the fields of a completion.

    The value has `load_seconds`, `predict_seconds`, `size_mb`, `memory_mb` and `memory_added_mb` (10**6 bytes),
    `labels` (it answered with labels), and `batches`, `again`, `singles` as `trial.method.Timed` has them.
    """
    with Memory() as memory:
        started = time.perf_counter()
        method = make()
        made = time.perf_counter()
        outputs, took = method.timed(parts, LEAST_SECONDS, SHARE, MOST_CALLS)
    value = {
        "load_seconds": made - started,
        "predict_seconds": sum(seconds for _, seconds in took.batches),
        "size_mb": method.size_mb,
        "memory_mb": memory.peak / MB,
        "memory_added_mb": max(0, memory.peak - memory.before) / MB,
        "labels": method.labels,
        "batches": [list(one) for one in took.batches],
        "again": [list(one) for one in took.again],
        "singles": list(took.singles),
    }
    return {"outputs": put_back(outputs, task.parts), "predict_ms": _row_ms(took), "value": value}


def _row_ms(took: Timed) -> float:
    """The median milliseconds of a row in calls as large as the first, which warmed up; itself where it is the only."""
    if not took.batches or not took.batches[0][0]:
        return 0.0
    first, *others = took.batches
    alike = [(n, s) for n, s in (*others, *took.again) if n == first[0]] or [first]
    return float(np.median([seconds / rows for rows, seconds in alike])) * 1e3


@final
class Memory:
    """The most memory in use inside the block, by this process or by the programs below it, whichever is more.

    Bytes. Where the system lets the peak be reset it is of the block, else of the life of the process.
    """

    def __init__(self) -> None:
        self.before = self.peak = 0
        self._over = threading.Event()
        self._programs = 0
        self._watch = threading.Thread(target=self._look, name="memory", daemon=True)

    def __enter__(self) -> Self:
        gc.collect()
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        self.before = psutil.Process().memory_info().rss
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._watch.join()
        self.peak = max(_peak_of("self"), self._programs)
        if self._programs > _peak_of("self"):
            self.before = 0

    def _look(self) -> None:
        pause = LOOK_SECONDS
        while not self._over.wait(pause):
            started = time.perf_counter()
            self._programs = max(self._programs, sum(_peak_of(str(pid)) for pid in below()))
            pause = max(LOOK_SECONDS, (time.perf_counter() - started) / LOOK_SHARE)


def _peak_of(process: str) -> int:
    """The largest resident size that a process has had since its peak was last reset, in bytes."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if process != "self":
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
