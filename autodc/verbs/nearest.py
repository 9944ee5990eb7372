"""For each finding the nearest inputs on which the model succeeds: its model is asked in a child, as any method is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from autodc.data.dataset import Dataset
from autodc.diagnose.counterfactual import Counterfactuals, counterfactuals
from autodc.diagnose.view import View
from autodc.study.driver import Interrupted
from autodc.table import Inputs as Rows
from autodc.table import Table
from autodc.verbs.predicting import Predictor, predicting
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
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, dict[str, Any]]:
    """Id of a finding → its shift table and examples, as values for a page (report/findings.py).

    rows: the explore rows; findings: with `id` and `ids`, the first ones are looked at; method: the model as a METHOD.
    What cannot be done is told in `left_out`, nothing is raised but Interrupted.
    """
    measure, found = measure_of(inputs), dict[str, dict[str, Any]]()
    with predicting(inputs.spec, inputs.catalogue, method) as predictor:
        for one in findings[:FINDINGS]:
            inside = np.isin(rows.ids, one["ids"])
            try:
                asked = partial(_asked, predictor, stop)
                seen = counterfactuals(rows, inside, asked, measure, rows=ROWS, seed=inputs.spec.seed)
                found[str(one["id"])] = {**seen.to_dict(), **_examples(rows, seen)}
            except Exception as error:  # what is found stands without it
                found[str(one["id"])] = {**_NOTHING, "left_out": [f"{type(error).__name__}: {error}"]}
            if stop():
                raise Interrupted
    return found


_NOTHING: Mapping[str, Any] = {"by": "nothing", "tried": 0, "found": 0, "shifts": [], "examples": []}


def _asked(predictor: Predictor, stop: Callable[[], bool], x: Rows) -> Array:
    """What the model predicts of changed inputs."""
    if stop():
        raise Interrupted
    metadata = pd.DataFrame(index=pd.RangeIndex(len(x)))
    return predictor.predict(Dataset(name="changed", x=x, y=None, metadata=metadata))


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
