"""Predictions and calls of a study: journalled before they are submitted, tried again like trainings, answered once.

A task is what it asks for: who changes a file behind a name gives another argument. What was answered is not asked
again, also after a restart; what was planned and has no answer, or whose answer is lost or damaged, is run again under
its number. A task that failed is planned anew when it is asked for again: its cause may have been mended.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from autodc import fingerprint
from autodc.errors import SurroundingsError
from autodc.files import digests
from autodc.study import pace
from autodc.study.attempts import RESTORES, TICK, TRIED_AGAIN
from autodc.study.journal import events as ev
from autodc.study.journal.records import TaskState
from autodc.trial.executor import CallTask, Completion, Executor, PredictTask, Status

if TYPE_CHECKING:
    from autodc.study.core import StudyCore

Array = np.ndarray[Any, Any]
Asked = PredictTask | CallTask

_NOT_ASKED = ("number", "attempt", "out", "timeout", "memory", "threads")
"""Fields of a task that say how it is run, not what is asked for."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a task."""

    status: Status
    outputs: Mapping[str, Array] = field(default_factory=dict)
    """Of a prediction: part → row order."""
    value: Any = None
    """Of a call: what it returned."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Of a call: path below the task's `out` → SHA-256."""
    predict_ms: float = 0.0
    seconds: float = 0.0
    attempts: int = 1
    code: str = ""
    """Of a call that failed and says why itself: the code of it."""
    error: str = ""


def run(
    core: StudyCore,
    executor: Executor,
    task: Asked,
    *,
    retries: int = 1,
    restore: Callable[[], bool] = lambda: False,
    others: Callable[[Completion], None] = lambda completion: None,
) -> Answer:
    """Run one task and wait for its answer. The task's number and attempt are set here.

    retries, restore: as the driver has them; others: gets completions of what else is under way on the executor.
    Raises SurroundingsError ADC-RUN-007 where the disk refuses or stored data is not there.
    """
    tasks = Tasks(core, executor, retries=retries, restore=restore)
    number = tasks.submit(task)
    while (answer := tasks.answers.get(number)) is None:
        for completion in executor.wait(TICK):
            if not tasks.take(completion):
                others(completion)
    return answer


@final
class Tasks:
    """The tasks of one turn at a study."""

    def __init__(
        self, core: StudyCore, executor: Executor, *, retries: int = 1, restore: Callable[[], bool] = lambda: False
    ) -> None:
        self._core, self._executor, self._retries, self._restore = core, executor, retries, restore
        self._under_way: dict[int, Asked] = {}
        self._restores: dict[int, int] = {}
        self.answers: dict[int, Answer] = {}
        """Number of a task → its answer."""

    def submit(self, task: Asked) -> int:
        """Plan a task, journal it and hand it to the executor, and return its number.

        One that was answered before has its answer at once.
        """
        digest = identity(task)
        known = self._known(digest)
        if known is not None and known.answer is not None and (answer := self._read(known.answer, task)) is not None:
            self.answers[known.number] = answer
            return known.number
        if known is None:
            number = len(self._core.state.tasks)
            asked = dataclasses.asdict(task)
            self._core.record(ev.TaskPlanned(number=number, work=task.work, digest=digest, asked=asked))
        else:
            number = known.number
        if number not in self._under_way:
            self._submit(replace(task, number=number, attempt=0))
        return number

    def take(self, completion: Completion) -> bool:
        """Take the end of an attempt; False where it is none of these tasks."""
        if completion.work == "training":
            return False
        task = self._under_way.get(completion.number)
        if task is None or task.attempt != completion.attempt:
            return True
        if completion.status == "surroundings":
            self._put_in_place(task, completion)
        elif completion.status in TRIED_AGAIN and task.attempt - self._restores.get(task.number, 0) < self._retries:
            self._submit(replace(task, attempt=task.attempt + 1))
        else:
            del self._under_way[task.number]
            self._finish(completion)
        return True

    def _submit(self, task: Asked) -> None:
        self._under_way[task.number] = task
        if task.timeout is None:
            task = replace(task, timeout=pace.making_timeout(self._core.state))
        self._executor.submit(task)

    def _known(self, digest: str) -> TaskState | None:
        """The task that asks for this and has not failed."""
        for task in reversed(self._core.state.tasks):
            if task.digest == digest and (task.answer is None or task.answer["status"] == "done"):
                return task
        return None

    def _put_in_place(self, task: Asked, completion: Completion) -> None:
        """Restore stored data and run the task again. Raises where that is of no use."""
        done = self._restores[task.number] = self._restores.get(task.number, 0) + 1
        if completion.missing and done <= RESTORES and self._restore():
            self._submit(replace(task, attempt=task.attempt + 1))
            return
        self._executor.cancel()
        problem = "stored data is not there where a task looks for it" if completion.missing else "the disk refuses"
        hint = "mend it, then give the same command again: it runs the task once more"
        raise SurroundingsError("ADC-RUN-007", problem, f"task {task.number}", completion.error, hint)

    def _finish(self, completion: Completion) -> None:
        """Store what the answer holds, journal it, and only then give it out."""
        address = self._core.store.put(completion.outputs) if completion.outputs else ""
        answer = Answer(
            status=completion.status,
            outputs=completion.outputs,
            value=completion.value,
            files=completion.files,
            predict_ms=completion.predict_ms,
            seconds=completion.seconds,
            attempts=completion.attempt + 1,
            code=completion.code,
            error=completion.error,
        )
        told = {f.name: getattr(answer, f.name) for f in dataclasses.fields(answer)} | {"outputs": address}
        self._core.record(ev.TaskFinished(number=completion.number, answer=told))
        self.answers[completion.number] = answer

    def _read(self, told: Mapping[str, Any], task: Asked) -> Answer | None:
        """An answer of before; None where what it holds is lost or damaged."""
        out = Path(task.out)
        if told["files"] and (not out.is_dir() or digests(out) != dict(told["files"])):
            return None
        try:
            outputs = self._core.store.get(told["outputs"]) if told["outputs"] else {}
        except SurroundingsError:
            return None
        return Answer(**{**told, "outputs": outputs})


def identity(task: Asked) -> str:
    """Fingerprint of what a task asks for."""
    asked = {name: value for name, value in dataclasses.asdict(task).items() if name not in _NOT_ASKED}
    return fingerprint.of({"work": task.work, **asked}, kind="task")
