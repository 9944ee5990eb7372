"""`autodc.load_model`: the model that a run ended with, to predict rows of one's own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.adapters.methods import make_method
from autodc.errors import InputError
from autodc.study.view import spec_of
from autodc.table import Table
from autodc.trial.executor import MethodRef
from autodc.trial.outputs import CheckedMethod
from autodc.verbs.folder import open_state

Array = np.ndarray[Any, Any]
ROWS = "rows"
TABLE, TEXT, FILES = "table", "text", "files"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """What predicts rows, as the study's validation rows were predicted."""

    folder: str
    """Of the run."""
    inputs: Mapping[str, Any]
    """What the base's inputs are: {kind, …} of its card."""
    method: CheckedMethod

    def predict(self, x: Any) -> Array:
        """Scores (n, classes), classes in sorted order; or values, or images, a row each.

        x: an array (n, ...) of the base's shape; a DataFrame with its columns; a list of texts or of paths. Raises
        InputError ADC-METHOD-020 where it is none of what the base was.
        """
        rows = self._rows(x)
        return np.asarray(self.method.predict({ROWS: rows})[ROWS])

    def _rows(self, x: Any) -> Any:
        kind = self.inputs.get("kind")
        if isinstance(x, Table) or kind not in (TABLE, TEXT, FILES):
            return x if isinstance(x, Table) else np.asarray(x)
        if kind == TABLE:
            return self._table(x)
        if isinstance(x, str | bytes) or not isinstance(x, Sequence | np.ndarray | pd.Series):
            raise self._unlike("a list of texts" if kind == TEXT else "a list of paths", type(x).__name__)
        if kind == TEXT:
            return Table.of_texts([str(one) for one in x])
        paths = [os.path.abspath(os.fspath(one)) for one in x]
        return Table.of_files(paths, [_digest(one) for one in paths])

    def _table(self, x: Any) -> Table:
        columns: Mapping[str, Any] = self.inputs.get("columns") or {}
        if not isinstance(x, pd.DataFrame) or (missing := [name for name in columns if name not in x]):
            got = type(x).__name__ if not isinstance(x, pd.DataFrame) else f"without {', '.join(missing)}"
            raise self._unlike(f"a DataFrame with the columns {', '.join(columns)}", got)
        return Table.of("table", x[list(columns)], tuple(columns.values()))

    def _unlike(self, wanted: str, got: str) -> InputError:
        return InputError("ADC-METHOD-020", f"this model predicts {wanted}", self.folder, got)


def load_model(run: str | os.PathLike[str]) -> Model:
    """Open the model that a run ended with.

    run: its folder. Raises InputError where there is no study or no model of it yet, TrainerError where its trainer
    cannot predict with a saved model.
    """
    state, folder = open_state(run), os.path.abspath(os.fspath(run))
    spec = spec_of(state)
    ref = MethodRef(name=folder, folder=state.folder or ".", kind=spec.task.kind, row_shape=None)
    return Model(folder=folder, inputs=dict(state.card("base").get("inputs") or {}), method=make_method(ref))


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
