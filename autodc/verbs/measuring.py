"""Lets methods predict the same held-out rows in the same order, each in a supervised child, and times them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, final

import numpy as np

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.executors import LocalExecutor
from autodc.errors import InputError, SurroundingsError
from autodc.evaluation.slices import held_parts
from autodc.study.attempts import TICK
from autodc.study.driver import Interrupted
from autodc.studyfile.study import StudySpec
from autodc.trial import order
from autodc.trial.executor import Completion, PredictTask, StoredPart
from autodc.verbs.predicting import named_method
from autodc.wire.inputs import Inputs

Array = np.ndarray[Any, Any]
Outputs = Mapping[str, Array]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """What a method made of the held-out rows, and what it took."""

    outputs: Outputs
    """Part → outputs in row order."""
    predict_ms: float
    cost: Mapping[str, Any]
    """As `adapters.executors.costs.predict_measured` says it."""
    seconds: float
    """Of the whole task."""


@final
class Measurer:
    """Measures one method after the other on rows that are stored once."""

    def __init__(
        self,
        inputs: Inputs,
        parts: tuple[StoredPart, ...],
        work: Path,
        timeout: float,
        threads: int,
        stop: Callable[[], bool],
    ) -> None:
        self._inputs, self._parts, self._work = inputs, parts, work
        self._timeout, self._threads, self._stop, self._count = timeout, threads, stop, 0

    def measure(self, name: str, place: str) -> Measured:
        """Let the method predict every row once. It sees inputs alone.

        place: the option that names it. Raises InputError ADC-EVAL-002 where it fails, answers badly or takes too long,
        SurroundingsError ADC-EVAL-003 where the machine does, study.driver.Interrupted where it is stopped.
        """
        number, self._count = self._count, self._count + 1
        method = named_method(self._inputs.spec, self._inputs.catalogue, name, self._work)
        task = PredictTask(
            number=number,
            attempt=0,
            out=str(self._work / f"out-{number}"),
            timeout=self._timeout,
            threads=self._threads,
            method=method,
            parts=self._parts,
            measured=True,
        )
        executor = LocalExecutor.on_shared_child() or LocalExecutor(1, threads=self._threads)
        try:
            end = self._ended(executor, task)
        finally:
            executor.close()
        if end.status == "done":
            return Measured(outputs=end.outputs, predict_ms=end.predict_ms, cost=end.value, seconds=end.seconds)
        if end.status in ("surroundings", "lost"):
            raise SurroundingsError("ADC-EVAL-003", "the rows could not be predicted here", name, end.error)
        hints = {
            "timeout": f"raise --timeout, which is {self._timeout:g} s, or make it faster",
            "crashed": "run it by itself on some rows of validation: its process died",
        }
        hint = hints.get(end.status, "a method predicts every row of validation, in order, from its inputs alone")
        raise InputError("ADC-EVAL-002", f"the method cannot be evaluated: {name}", place, end.error, hint)

    def _ended(self, executor: LocalExecutor, task: PredictTask) -> Completion:
        executor.submit(task)
        while not (done := executor.wait(TICK)):
            if self._stop():
                executor.cancel()
                raise Interrupted
        return done[0]


@contextmanager
def measuring(
    inputs: Inputs, timeout: float, threads: int, stop: Callable[[], bool] = lambda: False
) -> Iterator[Measurer]:
    """A measurer of the held-out rows of a study: validation, and the own rows of slices with a file of their own.

    The sealed test set is not among them. threads: cores that a method may use.
    """
    with TemporaryDirectory(prefix="autodc-") as work:
        store, mixed = ArtefactStore(Path(work) / "rows"), order.seed_of(inputs.spec.seed)
        parts = tuple(
            StoredPart(name=name, path=str(store.put_dataset(data, inputs_only=True, mixed=mixed)), mixed=mixed)
            for name, data in held_parts(inputs.catalogue).items()
        )
        yield Measurer(inputs, parts, Path(work), timeout, threads, stop)


def lean(spec: StudySpec) -> StudySpec:
    """The study without the data that a method is not evaluated on: candidates, pool, inbox, the sealed test set."""
    without = {"candidates": (), "pool": None, "generators": (), "inbox": None, "test": None}
    return spec.model_copy(update={"data": spec.data.model_copy(update=without)})
