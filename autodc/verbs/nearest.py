"""For each finding the nearest inputs on which the model succeeds: its model is asked in a child, as any method is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.executors import open_executor
from autodc.data.dataset import Dataset
from autodc.diagnose.counterfactual import Counterfactuals, counterfactuals
from autodc.diagnose.view import View
from autodc.study.driver import TICK, Interrupted
from autodc.table import Inputs as Rows
from autodc.table import Table
from autodc.trial.executor import Executor, PredictTask, StoredPart
from autodc.verbs.predicting import QUICK, method_ref
from autodc.wire.exhibits import pictures_of
from autodc.wire.explored import measure_of
from autodc.wire.inputs import Inputs

Array = np.ndarray[Any, Any]

FINDINGS, ROWS, SHOWN = 3, 60, 6
"""Findings that are looked at, the first; failing rows of each; those that are shown."""


def nearest(
    inputs: Inputs,
    rows: View,
    findings: Sequence[Mapping[str, Any]],
    method: str,
    folder: Path,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, dict[str, Any]]:
    """Id of a finding → its shift table and examples, as values for a page (report/findings.py).

    rows: the explore rows; findings: with `id` and `ids`, the first ones are looked at; method: the model as a METHOD;
    folder: for scratch. What cannot be done is told in `left_out`, nothing is raised but Interrupted.
    """
    executor = open_executor(QUICK)
    try:
        model = _Model(inputs, method, folder, executor, stop)
        measure = measure_of(inputs)
        found = {}
        for one in findings[:FINDINGS]:
            inside = np.isin(rows.ids, one["ids"])
            try:
                seen = counterfactuals(rows, inside, model, measure, rows=ROWS, seed=inputs.spec.seed)
                found[str(one["id"])] = {**seen.to_dict(), **_examples(rows, seen)}
            except Interrupted:
                raise
            except Exception as error:  # what is found stands without it
                why = f"{type(error).__name__}: {error}"
                found[str(one["id"])] = {**_NOTHING, "left_out": [why]}
        return found
    finally:
        executor.close()


_NOTHING: Mapping[str, Any] = {"by": "nothing", "tried": 0, "found": 0, "shifts": [], "examples": []}


@final
class _Model:
    """Asks a method about inputs, a task at a time."""

    def __init__(self, inputs: Inputs, method: str, folder: Path, executor: Executor, stop: Callable[[], bool]) -> None:
        self._ref = method_ref(inputs, method, ArtefactStore(folder / "data"))
        self._folder, self._executor, self._stop, self._asked = folder, executor, stop, 0

    def __call__(self, x: Rows) -> Array:
        """What it predicts of rows. Raises RuntimeError where it fails."""
        self._asked += 1
        data = Dataset(name="changed", x=x, y=None, metadata=pd.DataFrame(index=pd.RangeIndex(len(x))))
        place = ArtefactStore(self._folder / "changed").put_dataset(data, inputs_only=True)
        out = str(self._folder / "asked")
        part = StoredPart(name="changed", path=str(place))
        task = PredictTask(number=self._asked, attempt=0, out=out, method=self._ref, parts=(part,))
        self._executor.submit(task)
        while not (ended := self._executor.wait(TICK)):
            if self._stop():
                raise Interrupted
        if ended[0].status != "done":
            raise RuntimeError(ended[0].error or ended[0].status)
        return np.asarray(ended[0].outputs["changed"])


def _examples(rows: View, seen: Counterfactuals) -> dict[str, Any]:
    """Some pairs of input and counterfactual for people: pictures, texts, or the columns that had to change."""
    count = min(SHOWN, len(seen.rows))
    told = [
        {
            "id": int(rows.ids[seen.rows[k]]),
            "target": str(seen.truth[k]),
            "prediction": str(seen.prediction[k]),
            "new_prediction": str(seen.new_prediction[k]),
        }
        for k in range(count if np.ndim(seen.truth) == 1 else 0)
    ]
    if isinstance(seen.inputs, Table):
        if seen.inputs.kind == "text":
            for k, one in enumerate(told):
                one |= {"before": seen.inputs.texts()[k], "after": seen.counterfactuals[k : k + 1].texts()[0]}  # type: ignore[union-attr]
        return {"examples": told}
    pair = pictures_of(np.concatenate([np.asarray(seen.inputs)[:count], np.asarray(seen.counterfactuals)[:count]]))
    return {"examples": told, **({} if pair is None else {"pictures": (pair[:count], pair[count:])})}
