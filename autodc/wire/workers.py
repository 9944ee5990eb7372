"""Where measuring is done: calls on the executor that trains, which is started when it is first needed.

They are not journalled: what they give decides who is in a slice, which is part of the question, so they come before
the journal; and what they give is kept by content, so that nothing is measured again after a restart.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import final

import pandas as pd

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.executors import LocalExecutor
from autodc.adapters.pictures.many import cores
from autodc.data.dataset import Dataset
from autodc.errors import SurroundingsError
from autodc.study.attempts import TICK, TRIED_AGAIN
from autodc.study.driver import Interrupted
from autodc.study.pace import FIRST_TIMEOUT
from autodc.studyfile.study import MachineSpec
from autodc.table import Inputs
from autodc.trial.executor import CallTask, Completion, Executor, StoredPart

LOCAL = MachineSpec(runner="inline")


@final
class Workers:
    """The executor of a verb, for calls while nothing is trained.

    open_executor: starts it, for so many calls at first; folder: for what calls read and leave, made when it is needed
    and removed by `close`, on a disk that all workers see; stop: asked now and then, True ends what is under way.
    """

    def __init__(
        self,
        open_executor: Callable[[int], Executor],
        folder: Path,
        *,
        machine: MachineSpec = LOCAL,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._open, self._folder, self._machine, self._stop = open_executor, folder, machine, stop
        self._executor: Executor | None = None
        self._numbers = itertools.count()

    def executor(self, calls: int = 1) -> Executor:
        """The executor, started where it is not."""
        self._executor = self._executor or self._open(calls)
        return self._executor

    def put(self, name: str, x: Inputs) -> StoredPart | None:
        """Store inputs where workers can read them; None where the disk does not take them."""
        data = Dataset(name=name, x=x, y=None, metadata=pd.DataFrame(index=pd.RangeIndex(len(x))), fingerprint=name)
        with suppress(SurroundingsError, OSError):
            return StoredPart(name=name, path=str(ArtefactStore(self._folder).put_dataset(data, inputs_only=True)))
        return None

    def scratch(self) -> Path:
        """A new folder beside what is stored."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="beside-", dir=self._folder))

    def call(
        self, what: str, folder: str, asked: Sequence[dict[str, object]], parts: Sequence[StoredPart]
    ) -> Iterator[tuple[int, Completion, Path]]:
        """Call an object once for each of these arguments, as many at a time as there are slots and as many queued.

        Gives place, end and folder of each as it ends; the folder goes when the next one is asked for. Who stops to
        listen ends the rest. Raises study.driver.Interrupted where `stop` says so.
        """
        executor = self.executor(len(asked))
        waiting, under_way = deque(enumerate(asked)), dict[int, tuple[int, CallTask]]()
        try:
            while waiting or under_way:
                while waiting and len(under_way) < 2 * executor.slots:
                    place, arguments = waiting.popleft()
                    task = self._task(what, folder, arguments, parts)
                    under_way[task.number] = place, task
                    executor.submit(task)
                if self._stop():
                    raise Interrupted
                for end in executor.wait(TICK):
                    place, task = under_way[end.number]
                    if end.status in TRIED_AGAIN and task.attempt < self._machine.retries:
                        under_way[end.number] = place, replace(task, attempt=task.attempt + 1)
                        executor.submit(under_way[end.number][1])
                        continue
                    del under_way[end.number]
                    yield place, end, Path(task.out)
                    shutil.rmtree(task.out, ignore_errors=True)
        finally:
            if under_way:
                executor.cancel()

    def close(self) -> None:
        """Give every process back and remove what was stored. Safe to call twice."""
        if self._executor is not None:
            self._executor.close()
        _take_away(self._folder)

    def _task(self, what: str, folder: str, arguments: dict[str, object], parts: Sequence[StoredPart]) -> CallTask:
        number, machine = next(self._numbers), self._machine
        return CallTask(
            number=number,
            attempt=0,
            out=str(self._folder / f"out-{number}"),
            timeout=machine.trial_timeout or FIRST_TIMEOUT,
            memory=machine.memory_per_trial,
            threads=max(1, int(machine.cpus_per_trial)),
            object=what,
            folder=folder,
            arguments=arguments,
            parts=tuple(parts),
        )


@contextmanager
def local_workers(stop: Callable[[], bool] = lambda: False) -> Iterator[Workers]:
    """Workers of a verb that trains nothing: a process for each core of this machine, if any are needed."""

    def started(calls: int) -> Executor:
        return LocalExecutor.on_shared_child() or LocalExecutor(max(1, min(cores(), calls)))

    with tempfile.TemporaryDirectory(prefix="autodc-") as scratch:
        workers = Workers(started, Path(scratch) / "measured", stop=stop)
        try:
            yield workers
        finally:
            workers.close()


def _take_away(folder: Path) -> None:
    """Remove a folder whose files may be read-only."""
    for path in folder.rglob("*") if folder.is_dir() else ():
        with suppress(OSError):
            path.chmod(0o700 if path.is_dir() else 0o600)
    shutil.rmtree(folder, ignore_errors=True)
