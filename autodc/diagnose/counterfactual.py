"""Counterfactuals: the nearest input on which the model succeeds, and which measured attributes change on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.diagnose.causes import comparable
from autodc.diagnose.counterfactual_moves import (
    Asked,
    Moved,
    Predict,
    by_columns,
    by_decoder,
    by_words,
    error_of,
    some_of,
)
from autodc.diagnose.decoder import Components, Decoder
from autodc.diagnose.measured import strata
from autodc.diagnose.restoring import PASSES, PIECES, columns_of
from autodc.diagnose.shifts import Shift, shifts
from autodc.diagnose.view import View
from autodc.errors import DataError
from autodc.large import taken
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]
Measure = Callable[[Inputs], pd.DataFrame]

ROWS = 100
"""Failing rows that are looked at."""


def is_decoded(x: Inputs) -> bool:
    """Whether these inputs are moved by a decoder; columns and words are taken one by one."""
    return not isinstance(x, Table) and x.ndim != 2


def most_asked(x: Inputs) -> int:
    """How many answers of a model one call asks for at most, each of many inputs."""
    if is_decoded(x):
        return 2
    steps = PIECES if isinstance(x, Table) and x.kind == "text" else PASSES * columns_of(x[:1]).shape[1]
    return 2 + steps


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counterfactuals:
    """What would have to be different for the model to succeed. m rows, those it was found for, the nearest first."""

    by: str
    """The decoder, or `columns`, `words`."""
    tried: int
    """Failing rows it was looked for."""
    rows: Array
    """Positions in the view, shape (m,)."""
    inputs: Inputs
    counterfactuals: Inputs
    difference: Array | None
    """Counterfactual minus input, of numbers; of a table which columns had to change, shape (m, columns)."""
    prediction: Array
    """Of the inputs, shape (m, ...)."""
    new_prediction: Array
    truth: Array
    shifts: tuple[Shift, ...] = ()
    left_out: tuple[DataError, ...] = ()
    """What could not be done, and why."""
    needed: tuple[tuple[str, float], ...] = ()
    """Of a table: the columns that had to change, with the share of the rows, the most frequent first."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form: the table, no examples."""
        return {
            "by": self.by,
            "tried": self.tried,
            "found": len(self.rows),
            "shifts": [one.to_dict() for one in self.shifts],
            **({"needed": {name: round(share, 4) for name, share in self.needed}} if self.needed else {}),
            **({"left_out": [f"{one.code}: {one.problem}" for one in self.left_out]} if self.left_out else {}),
        }


def counterfactuals(
    view: View,
    inside: Array,
    predict: Predict,
    measure: Measure,
    *,
    decoder: Decoder | None = None,
    rows: int = ROWS,
    alpha: float = 0.05,
    seed: int = 0,
) -> Counterfactuals:
    """Look for the nearest inputs on which the model succeeds, and tell which attributes change on the way.

    Images and other arrays are moved in the coordinates of a decoder towards passing rows of their class, and what is
    decoded is applied as a difference, so that blur cancels, clamped to the range of the inputs. The nearest success
    is shown, and the shifts are those of the whole way in its direction. Rows of a table and texts take as little as
    success allows from the nearest passing row. Controls are passing rows of the same classes, moved as far, in the
    same columns or by the same share of what differs. Outside classification success is an error of at most the passing
    rows' median.

    inside: shape (n,) of booleans. predict: inputs of any number of rows → outputs, class scores of a classifier;
    measure: inputs → the attributes. decoder: of arrays; principal components where it is left out. What cannot be done
    is in `left_out` (ADC-DIAG-040 to 044), nothing is raised.
    """
    try:
        return _searched(view, np.asarray(inside, dtype=bool), predict, measure, decoder, rows, alpha, seed)
    except DataError as problem:
        none = np.zeros(0, dtype=int)
        some = np.zeros(0) if view.x is None else taken(view.x, none)
        return Counterfactuals(
            by="none", tried=0, rows=none, inputs=some, counterfactuals=some, difference=None,
            prediction=none, new_prediction=none, truth=none, left_out=(problem,),
        )  # fmt: skip


def _searched(
    view: View,
    inside: Array,
    predict: Predict,
    measure: Measure,
    decoder: Decoder | None,
    most: int,
    alpha: float,
    seed: int,
) -> Counterfactuals:
    x = view.x
    if x is None or (isinstance(x, Table) and x.kind == "files") or not _has_success(view):
        raise DataError(
            "ADC-DIAG-044", "counterfactuals need inputs that can be changed, and success that can be told",
            "inputs", "none" if x is None else type(x).__name__ if not isinstance(x, Table) else x.kind,
        )  # fmt: skip
    within = strata(view)
    failing, passing = comparable(within, inside & view.failed, ~view.failed)
    if not failing.any():
        raise DataError(
            "ADC-DIAG-043", "no failing row has a passing row of its class to go to", "rows",
            f"{int((inside & view.failed).sum())} failing, {int((~view.failed).sum())} passing",
        )  # fmt: skip
    rng = seeds.generator(seed, "counterfactuals")
    edge = 0.0 if view.is_classification else float(np.median(error_of(view.prediction, view.target)[passing]))
    search = Asked(view=view, predict=predict, rng=rng, seed=seed, within=within, edge=edge)
    rows = some_of(np.flatnonzero(failing), most, rng)
    if not is_decoded(x):
        found = by_words(search, rows, passing) if isinstance(x, Table) and x.kind == "text" else None
        found = found or by_columns(search, rows, passing)
    else:
        found = by_decoder(search, rows, passing, decoder or Components())
    return _with_shifts(search, found, measure, len(rows), alpha)


def _with_shifts(search: Asked, found: Moved, measure: Measure, tried: int, alpha: float) -> Counterfactuals:
    view, rows = search.view, found.rows
    assert view.x is not None
    inputs = view.x[rows]
    problems, table = list[DataError](), tuple[Shift, ...]()
    try:
        pair = (rows, found.controls)
        frames = [
            _measured_by(measure, one)
            for one in (inputs, view.x[found.controls], found.made if found.there is None else found.there, found.moved)
        ]
        within, groups = (tuple(one[place] for place in pair) for one in (search.within, view.groups))
        table = shifts(
            (frames[0], frames[1]), (frames[2], frames[3]), (within[0], within[1]), (groups[0], groups[1]),
            alpha=alpha, seed=search.seed,
        )  # fmt: skip
    except DataError as problem:
        problems.append(problem)
    return Counterfactuals(
        by=found.by,
        tried=tried,
        rows=rows,
        inputs=inputs,
        counterfactuals=found.made,
        difference=found.difference,
        prediction=view.prediction[rows],
        new_prediction=search.told(search.asked(found.made)) if len(rows) else view.prediction[rows],
        truth=view.target[rows],
        shifts=table,
        left_out=tuple(problems),
        needed=found.needed,
    )


def _measured_by(measure: Measure, x: Inputs) -> pd.DataFrame:
    try:
        frame = measure(x)
    except Exception as problem:
        raise DataError(
            "ADC-DIAG-042", "the attributes of changed inputs cannot be measured", "measure", repr(problem)[:500]
        ) from problem
    if len(frame) != len(x):
        raise DataError(
            "ADC-DIAG-045", "measuring gives another number of rows", "measure", f"{len(frame)} for {len(x)}"
        )
    return frame.reset_index(drop=True)


def _has_success(view: View) -> bool:
    return view.is_classification or all(np.asarray(one).dtype.kind in "biuf" for one in (view.target, view.prediction))
