"""A model that a study kept, as `mlflow.pyfunc.load_model` gives it back: the trainer that saved it predicts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.adapters.trainers import make_trainer
from autodc.table import TEXT, Inputs, Table
from autodc.trial.executor import TrainerRef


@final
class Served:
    """Predicts rows as the study's trainer does."""

    def __init__(self, folder: Path) -> None:
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        self._inputs: Mapping[str, Any] = facts["inputs"]
        ref = TrainerRef(name=facts["trainer"]["name"], options=facts["trainer"]["options"], folder=facts["folder"])
        self._method = make_trainer(ref).method(folder / "model")

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Class probabilities or scores, values or images, in row order.

        model_input: an array, or a frame with the columns of the base, a column `text`, or one of paths.
        """
        return self._method.predict({"x": self._rows(model_input)})["x"]

    def _rows(self, given: Any) -> Inputs:
        kind = self._inputs.get("kind", "arrays")
        if kind == "arrays":
            return np.asarray(given, dtype=self._inputs.get("dtype"))
        if kind == "table":
            columns = self._inputs["columns"]
            return Table.of("table", {name: given[name] for name in columns}, list(columns.values()))
        texts = [str(one) for one in given.iloc[:, 0]]
        return Table.of_texts(texts) if kind == TEXT else Table.of_files(texts, [""] * len(texts))


def _load_pyfunc(path: str) -> Served:
    """What MLflow calls. path: the folder of facts and model."""
    return Served(Path(path))
