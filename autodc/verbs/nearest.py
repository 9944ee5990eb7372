"""For each finding the nearest inputs on which the model succeeds: its model is asked in a child, as any method is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.adapters.decoders import decoder_named
from autodc.data.dataset import Dataset
from autodc.diagnose.counterfactual import Counterfactuals, counterfactuals, is_decoded, most_asked
from autodc.diagnose.decoder import Components
from autodc.diagnose.restoring import columns_of
from autodc.diagnose.view import View
from autodc.errors import InputError
from autodc.review.numbers import duration
from autodc.study.driver import Interrupted
from autodc.table import Inputs as Rows
from autodc.table import Table
from autodc.verbs.predicting import Predictor, predicting
from autodc.wire.explored import measure_of
from autodc.wire.inputs import Inputs
from autodc.wire.shown_pictures import pictures_of

Array = np.ndarray[Any, Any]

FINDINGS, ROWS, SHOWN = 3, 60, 6
"""Findings that are looked at, the first; failing rows of each; those that are shown."""
LONG = 60.0
"""Seconds from which on a person is told beforehand."""


def nearest(
    inputs: Inputs,
    rows: View,
    findings: Sequence[Mapping[str, Any]],
    method: str,
    stop: Callable[[], bool] = lambda: False,
    *,
    decoder: str = Components.name,
    stage: Callable[[str], None] = lambda words: None,
) -> dict[str, dict[str, Any]]:
    """Id of a finding → its shift table and examples, as values for a page (report/findings.py).

    rows: the explore rows; findings: with `id` and `ids`, the first ones are looked at; method: the model as a METHOD;
    decoder: of pictures and other arrays; stage: is told where a slow model will take long. What cannot be done is told
    in `left_out`, nothing is raised but Interrupted.
    """
    measure, found, looked = measure_of(inputs), dict[str, dict[str, Any]](), findings[:FINDINGS]
    with predicting(inputs.spec, inputs.catalogue, method) as predictor:
        most = 0 if rows.x is None else len(looked) * most_asked(rows.x)
        asking = _Asking(predictor, stop, stage, most)
        for one in looked:
            inside = np.isin(rows.ids, one["ids"])
            try:
                seen = counterfactuals(
                    rows, inside, asking, measure, decoder=decoder_named(decoder), rows=ROWS, seed=inputs.spec.seed
                )
                found[str(one["id"])] = {**seen.to_dict(), **_examples(rows, seen)}
            except Exception as error:  # what is found stands without it
                found[str(one["id"])] = {**_NOTHING, "left_out": [f"{type(error).__name__}: {error}"]}
            if stop():
                raise Interrupted
    return found


def refuse_unused(decoder: str, inputs: Inputs) -> None:
    """Raise InputError ADC-DIAG-046 to 048 where this decoder cannot be had, or would move nothing in this study."""
    decoder_named(decoder)
    x = inputs.catalogue.base.x
    if decoder != Components.name and not is_decoded(x):
        got = x.kind if isinstance(x, Table) else "columns"
        hint = "leave --decoder out: of columns and texts the nearest passing row is restored step by step"
        raise InputError("ADC-DIAG-048", "a decoder moves pictures and other arrays alone", "--decoder", got, hint)


def slow_words(seconds: float, answers: int) -> str:
    """What a person should know before a slow model is asked so often; empty where it takes under LONG seconds.

    seconds: of one answer; answers: still to come, at most.
    """
    if seconds * answers < LONG:
        return ""
    return (
        f"one answer of the model takes {duration(seconds)}, and up to {answers} more are asked for, "
        f"{duration(seconds * answers)} at most; --quick leaves this out"
    )


_NOTHING: Mapping[str, Any] = {"by": "nothing", "tried": 0, "found": 0, "shifts": [], "examples": []}


@final
class _Asking:
    """What the model predicts of changed inputs; after its first answer it is told where all will take long."""

    def __init__(self, predictor: Predictor, stop: Callable[[], bool], stage: Callable[[str], None], most: int) -> None:
        self._predictor, self._stop, self._stage, self._most, self._asked = predictor, stop, stage, most, 0

    def __call__(self, x: Rows) -> Array:
        if self._stop():
            raise Interrupted
        start = time.monotonic()
        metadata = pd.DataFrame(index=pd.RangeIndex(len(x)))
        out = self._predictor.predict(Dataset(name="changed", x=x, y=None, metadata=metadata))
        self._asked += 1
        if self._asked == 1 and (words := slow_words(time.monotonic() - start, self._most - 1)):
            self._stage(words)
        return out


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
        elif seen.inputs.kind == "table":
            _say_changes(told, seen)
        return {"examples": told}
    if np.asarray(seen.inputs).ndim == 2:
        _say_changes(told, seen)
        return {"examples": told}
    pair = pictures_of(np.concatenate([np.asarray(seen.inputs)[:count], np.asarray(seen.counterfactuals)[:count]]))
    return {"examples": told, **({} if pair is None else {"pictures": (pair[:count], pair[count:])})}


def _say_changes(told: Sequence[dict[str, Any]], seen: Counterfactuals) -> None:
    """Add to each example the columns that had to change, before and after."""
    before, after = columns_of(seen.inputs[: len(told)]), columns_of(seen.counterfactuals[: len(told)])
    for k, one in enumerate(told):
        changed = np.flatnonzero(np.asarray(seen.difference)[k]).tolist()
        one["changed"] = [
            {"name": str(before.columns[j]), "before": _plain(before.iloc[k, j]), "after": _plain(after.iloc[k, j])}
            for j in changed
        ]


def _plain(value: Any) -> str:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "missing"
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
