"""The model of the incumbent as MLflow keeps models: logged once, with a signature, and registered where it is asked.

`mlflow.pyfunc.load_model` reads it by `autodc.adapters.mlflow_served`.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from autodc.adapters.mlflow.question import COLUMNS, Question
from autodc.adapters.mlflow.trial import mixture_words
from autodc.adapters.mlflow.views import TAG
from autodc.files import DIGESTS, digests

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

ALIAS = "champion"
"""The alias of the version that was kept last."""
CONTENT = "autodc.content"
"""The tag of a model that tells its files apart from those of another."""
DATA = "autodc"
"""Folder of a logged model in which the trainer's own stands, and `facts.json` beside it."""

_REGISTERED = (
    "Models that autodc kept. The alias `champion` is on the one kept last: "
    '`mlflow.pyfunc.load_model("models:/{name}@champion").predict(x)`'
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What is to be known of a model to load it and to call it."""

    study: str
    kind: str
    """Of the task."""
    trainer: Mapping[str, Any]
    """{name, options} as in the study file."""
    folder: str
    """Of the study's run: code of a user's own is looked for beside the study file."""
    inputs: Mapping[str, Any]
    """The base's card: kind; of arrays shape and dtype, of a table its columns. Empty in older journals."""

    @classmethod
    def of(cls, question: Question, folder: str) -> ModelFacts:
        """Read them of what the journal tells. folder: of the study file."""
        task = question.part("task")
        return cls(
            study=str(question.spec.get("name", "study")),
            kind=str(task.get("kind", "")),
            trainer={"name": task.get("trainer", ""), "options": task.get("options") or {}},
            folder=folder,
            inputs=question.cards.get("base", {}).get("inputs") or {},
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {key: getattr(self, key) for key in self.__slots__}


def deposit(client: MlflowClient, run: Run, model: Path, facts: ModelFacts) -> tuple[str, bool]:
    """Log a model as one of a run and return its id, and whether it is new: the same files are logged once.

    model: the folder that the trainer saved. Raises what MLflow raises; one that was begun and broke is begun anew.
    """
    from mlflow.entities import LoggedModelOutput

    content = sha256(json.dumps([digests(model), facts.to_dict()], sort_keys=True).encode()).hexdigest()
    experiment, run_id = run.info.experiment_id, run.info.run_id
    found = client.search_logged_models([experiment], f"tags.`{CONTENT}` = '{content}'")
    known = next((one for one in found if str(one.status) == "READY" and one.source_run_id == run_id), None)
    if known is not None:
        return str(known.model_id), False
    name = re.sub(r"[^\w-]", "_", facts.study)
    plan = json.loads(run.data.tags.get("autodc.incumbent", "{}"))
    tags = {CONTENT: content, "autodc.study": facts.study, TAG: _described(run, plan)}
    told: dict[str, Any] = {"source_run_id": run_id, "tags": tags, "params": _parameters(plan), "model_type": "autodc"}
    made = client.create_logged_model(experiment, name=name, **told)
    with tempfile.TemporaryDirectory() as folder:
        _written(Path(folder), model, facts, made.model_id)
        client.log_model_artifacts(made.model_id, folder)
    client.finalize_logged_model(made.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(made.model_id, 0)])
    return str(made.model_id), True


def register(client: MlflowClient, model_id: str, run_id: str, name: str) -> tuple[str, bool]:
    """Register a logged model and give its version the alias `champion`; return the version, and whether it changed."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, description=_REGISTERED.format(name=name))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    versions = client.search_model_versions(f"name = '{name}'")
    known = next((one for one in versions if one.tags.get("autodc.model_id") == model_id), None)
    version = known
    if version is None:  # by its place: MLflow would look for `models:/…` in the store of the process, not in this one
        logged, tags = client.get_logged_model(model_id), {"autodc.model_id": model_id}
        told: dict[str, Any] = {"tags": tags, "model_id": model_id, "description": logged.tags.get(TAG)}
        version = client.create_model_version(name, logged.artifact_location, run_id, **told)
    aliases = client.get_registered_model(name).aliases
    moved = str(aliases.get(ALIAS)) != str(version.version)
    if moved:
        client.set_registered_model_alias(name, ALIAS, str(version.version))
    return str(version.version), moved or known is None


def _described(run: Any, plan: Mapping[str, Any]) -> str:
    """What a model is and why it is there, in a sentence or two."""
    data = mixture_words(plan.get("mixture", {}))
    kept = run.data.tags.get("autodc.kept")
    return f"The model at the end of {run.info.run_name}, trained on {data or 'its base'}; kept: {kept or 'nothing'}."


def _parameters(plan: Mapping[str, Any]) -> dict[str, str]:
    weights = {f"weight.{name}": f"{weight:g}" for name, weight in plan.get("mixture", {}).items()}
    settings = {name: str(value) for name, value in plan.get("hyperparameters", {}).items()}
    return {**settings, **({"recipe": plan["recipe"]} if "recipe" in plan else {}), **weights}


def signature_of(facts: ModelFacts) -> Any:
    """What the model takes and gives, as MLflow says it; None where the journal does not tell."""
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    told = facts.inputs
    if told.get("kind") == "arrays":
        inputs = Schema([TensorSpec(np.dtype(told["dtype"]), (-1, *told["shape"]))])
    elif told.get("kind") == "table":
        columns = told["columns"].items()
        inputs = Schema([ColSpec(COLUMNS.get(kind, "string"), name, required=False) for name, kind in columns])
    elif told.get("kind") in ("text", "files"):
        inputs = Schema([ColSpec("string", "text" if told["kind"] == "text" else "path")])
    else:
        return None
    shapes = {"classification": (-1, -1), "regression": (-1,)}
    outputs = None
    if facts.kind in shapes:
        outputs = Schema([TensorSpec(np.dtype("float64"), shapes[facts.kind])])
    return ModelSignature(inputs=inputs, outputs=outputs)


def _written(folder: Path, model: Path, facts: ModelFacts, model_id: str) -> None:
    """Write a model in MLflow's layout: MLmodel, what is needed, and below it the trainer's own."""
    from importlib.metadata import version

    from mlflow.models import Model
    from mlflow.pyfunc import add_to_model

    shutil.copytree(model, folder / DATA / "model", ignore=shutil.ignore_patterns(DIGESTS))
    (folder / DATA / "facts.json").write_text(json.dumps(facts.to_dict(), indent=2), encoding="utf-8")
    (folder / "requirements.txt").write_text(f"autodc-optimizer=={version('autodc-optimizer')}\n", encoding="utf-8")
    described = Model(signature=signature_of(facts), model_id=model_id)
    add_to_model(described, loader_module="autodc.adapters.mlflow_served", data=DATA)
    described.save(str(folder / "MLmodel"))
