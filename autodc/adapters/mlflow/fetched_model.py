"""Models of MLflow as methods: by URI, or a folder with an `MLmodel` file, of any flavour with a Python function."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from autodc.adapters.mlflow.environment import TRACKING_URI, patient
from autodc.adapters.mlflow.store import is_installed, last_line
from autodc.errors import AutodcError, InputError
from autodc.masking import masked
from autodc.table import Table
from autodc.trial.method import RowMethod
from autodc.trial.outputs import TrainerError

REMOTE = ("models:/", "runs:/", "mlflow-artifacts:/")
FILE = "MLmodel"


def is_mlflow(name: str) -> bool:
    """Whether a METHOD is the address of a model in MLflow."""
    return name.startswith(REMOTE)


def not_installed(name: str, place: str) -> AutodcError | None:
    """The error where MLflow is not there to be asked."""
    if is_installed():
        return None
    hint = "pip install 'autodc-optimizer[mlflow]', or name the model's folder for the trainer that made it"
    return InputError("ADC-METHOD-009", "models of MLflow need MLflow, which is not installed", place, name, hint)


def fetched(uri: str, tracking: str | None, place: str) -> Path:
    """The folder of a model, downloaded to where it stays until this process ends.

    tracking: the store that is asked where the environment names none. Raises InputError ADC-METHOD-009 and 010.
    """
    if (missing := not_installed(uri, place)) is not None:
        raise missing
    into = tempfile.mkdtemp(prefix="autodc-model-")
    atexit.register(shutil.rmtree, into, ignore_errors=True)
    store = os.environ.get(TRACKING_URI) or tracking
    try:
        with patient():
            import mlflow

            if store is not None:
                mlflow.set_tracking_uri(store)
            return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=into))
    except Exception as error:  # a store's plugin raises types of its own
        got = f"{uri}: {last_line(error)}"
        asked = "MLflow's own store" if store is None else masked(store)
        forms = "models:/NAME/VERSION, models:/NAME@ALIAS, runs:/RUN/PATH"
        hint = f"asked {asked}; set {TRACKING_URI} for another. As in {forms}"
        raise InputError("ADC-METHOD-010", "MLflow does not give this model", place, got, hint) from error


def loaded_model(folder: Path, place: str) -> RowMethod:
    """The method of a folder with an `MLmodel` file. Raises TrainerError ADC-METHOD-011 where it cannot be loaded."""
    if (missing := not_installed(str(folder), place)) is not None:
        raise missing
    try:
        import mlflow.pyfunc

        model = mlflow.pyfunc.load_model(str(folder))
    except Exception as error:  # whatever a flavour's library raises
        hint = "its libraries must be installed here as they were where it was saved"
        problem = "MLflow cannot load this model"
        raise TrainerError("ADC-METHOD-011", problem, place, f"{folder}: {last_line(error)}", hint) from error
    return RowMethod(lambda rows: _numbers(model.predict(rows.for_estimator() if isinstance(rows, Table) else rows)))


def _numbers(answer: Any) -> Any:
    """What a model gives, without the frame or series around it."""
    return answer.to_numpy() if hasattr(answer, "to_numpy") else answer
