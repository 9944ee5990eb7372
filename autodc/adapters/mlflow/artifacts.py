"""What lies in a study's folder, put among the artifacts of its run: report, pictures, tables, requests, the model.

What is there already is known by a digest of all of it, a tag of the run, and not sent again.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, final

from autodc.adapters.mlflow.logged_model import ModelFacts, deposit, register
from autodc.adapters.mlflow.question import Question
from autodc.adapters.mlflow.tables import FOLDER, tables_of
from autodc.files import digest

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

DIGEST = "autodc.files"
"""The tag of the study's run that tells which files were added to it."""
MODEL_TAG = "autodc.model"
"""The tag of the study's run that tells where the model of the incumbent is."""
MODEL = Path("models") / "incumbent"
RESULT = "result.json"
_STUDY_FILE = "study.json"
_TABLES = "mlflow.loggedArtifacts"
_FOLDERS = ("report", "requests")

Content = bytes | Path
_NONE: Mapping[str, bytes] = MappingProxyType({})


@final
class Deposit:
    """Puts files among the artifacts, one at a time. Every step may raise what MLflow raises and be made again."""

    def __init__(self, client: MlflowClient, run_id: str, folder: Path, question: Question, name: str) -> None:
        """folder: of the study; name: under which its model is registered, empty: it is not."""
        self._client, self._run_id, self._folder = client, run_id, folder
        self._question, self._register = question, name
        self._steps: list[Callable[[], None]] | None = None
        self.sent = 0
        """How many things were sent, those that were there already not among them."""

    def step(self, content: Mapping[str, Any] | None = None, pages: Mapping[str, bytes] = _NONE) -> bool:
        """Send one thing. False where all are there.

        content: of result.json, left out: what the folder has; pages: path → what the folder has not.
        """
        if self._steps is None:
            self._steps = self._planned(content, pages)
        if not self._steps:
            return False
        self._steps[0]()
        self._steps.pop(0)
        return True

    def _planned(self, content: Mapping[str, Any] | None, pages: Mapping[str, bytes]) -> list[Callable[[], None]]:
        run = self._client.get_run(self._run_id)
        files = {**pages, **files_of(self._folder, self._question.spec, content)}
        files = {path: files[path] for path in sorted(files)}
        whole = _digest(files)
        steps: list[Callable[[], None]] = []
        if run.data.tags.get(DIGEST) != whole:
            steps += [lambda path=path, file=file: self._add(path, file) for path, file in files.items()]  # type: ignore[misc]
            steps.append(lambda: self._sign(files, whole))
        model = self._folder / MODEL
        if model.is_dir():
            steps.append(lambda: self._add_model(run, model))
        return steps

    def _add(self, path: str, content: Content) -> None:
        where = PurePosixPath(path)
        above = None if len(where.parts) == 1 else str(where.parent)
        if isinstance(content, Path):
            self._client.log_artifact(self._run_id, str(content), above)
        else:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / where.name
                file.write_bytes(content)
                self._client.log_artifact(self._run_id, str(file), above)
        self.sent += 1

    def _sign(self, files: Mapping[str, Content], whole: str) -> None:
        tables = [{"path": path, "type": "table"} for path in files if path.startswith(f"{FOLDER}/")]
        self._client.set_tag(self._run_id, _TABLES, json.dumps(tables))
        self._client.set_tag(self._run_id, DIGEST, whole)
        self.sent += 1

    def _add_model(self, run: Run, model: Path) -> None:
        facts = ModelFacts.of(self._question, self._question.folder)
        model_id, new = deposit(self._client, run, model, facts)
        where = f"models:/{model_id}"
        if self._register:
            version, moved = register(self._client, model_id, self._run_id, self._register)
            where = f"models:/{self._register}@champion (version {version}, {where})"
            new = new or moved
        if run.data.tags.get(MODEL_TAG) != where:
            self._client.set_tag(self._run_id, MODEL_TAG, where)
        self.sent += new


def files_of(
    folder: Path, specification: Mapping[str, Any], content: Mapping[str, Any] | None = None
) -> dict[str, Content]:
    """Path among the artifacts → what stands there. content: of result.json, left out: what the folder has."""
    if content is None:
        try:
            content = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            content = {}
    found: dict[str, Content] = {_STUDY_FILE: json.dumps(dict(specification), indent=2).encode()}
    for name in _FOLDERS:
        files = sorted(path for path in (folder / name).rglob("*") if path.is_file())
        found |= {path.relative_to(folder).as_posix(): path for path in files if not path.name.startswith(".")}
    if content:
        told = {key: value for key, value in content.items() if key != "mlflow"}  # where else it is tells nothing here
        found[RESULT] = (json.dumps(told, indent=2) + "\n").encode()
        found |= tables_of(content)
    return found


def _digest(files: Mapping[str, Content]) -> str:
    told = {path: digest(one) if isinstance(one, Path) else sha256(one).hexdigest() for path, one in files.items()}
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
