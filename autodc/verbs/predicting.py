"""What a METHOD makes of rows, in a supervised process of its own, a dataset at a time; nothing is journalled."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.executors.choose import open_executor
from autodc.adapters.simple_methods import LEARNED
from autodc.data.catalogue import Catalogue
from autodc.data.dataset import Dataset
from autodc.errors import InputError, SurroundingsError
from autodc.studyfile.study import MachineSpec, StudySpec
from autodc.trial import order
from autodc.trial.executor import Executor, MethodRef, PredictTask, StoredPart
from autodc.wire.methods import method_ref

Array = np.ndarray[Any, Any]

PART = "rows"


@final
class Predictor:
    """Predicts datasets with one method."""

    def __init__(self, method: MethodRef, executor: Executor, work: Path, mixed: int) -> None:
        """mixed: the seed of the order that rows are handed out in."""
        self._method, self._executor, self._work, self._mixed, self._count = method, executor, work, mixed, 0

    def predict(self, data: Dataset) -> Array:
        """Outputs in row order. The method sees inputs alone.

        Raises InputError ADC-SHDW-010 where the method fails, SurroundingsError ADC-SHDW-011 where the machine does.
        """
        number, self._count = self._count, self._count + 1
        folder, out = self._work / f"part-{number}", str(self._work / f"out-{number}")
        try:
            path = ArtefactStore(folder).put_dataset(data, inputs_only=True, mixed=self._mixed)
            part = StoredPart(name=PART, path=str(path), mixed=self._mixed)
            self._executor.submit(PredictTask(number=number, attempt=0, out=out, method=self._method, parts=(part,)))
            while not (done := self._executor.wait()):
                pass
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        (end,) = done
        if end.status == "done":
            return np.asarray(end.outputs[PART])
        if end.status in ("surroundings", "lost"):
            raise SurroundingsError(
                "ADC-SHDW-011", "the rows could not be predicted here", self._method.name, end.error
            )
        hint = "it is given rows of the stream as it is given those of validation"
        raise InputError(
            "ADC-SHDW-010", f"the method cannot predict ({end.status})", self._method.name, end.error, hint
        )


@contextmanager
def predicting(spec: StudySpec, catalogue: Catalogue, name: str) -> Iterator[Predictor]:
    """A predictor of the METHOD that a person names. A path is looked for where the command is given, too."""
    with tempfile.TemporaryDirectory(prefix="autodc-") as work:
        executor = open_executor(MachineSpec(runner="inline"))
        try:
            method = named_method(spec, catalogue, name, Path(work))
            yield Predictor(method, executor, Path(work), order.seed_of(spec.seed))
        finally:
            executor.close()


def named_method(spec: StudySpec, catalogue: Catalogue, name: str, work: Path) -> MethodRef:
    """What a child process makes the method of. work: gets the base where the method learns from it."""
    base = None
    if name in LEARNED:
        base = StoredPart(name="base", path=str(ArtefactStore(work / "base").put_dataset(catalogue.base)))
    return method_ref(spec, catalogue, where_it_lies(name), base)


def where_it_lies(name: str) -> str:
    """An absolute path where one lies below the working folder; else the name as it is."""
    file, colon, thing = name.rpartition(":")
    for path, rest in ((name, ""), (file, f"{colon}{thing}")):
        if path and os.path.exists(path):
            return os.path.abspath(path) + rest
    return name
