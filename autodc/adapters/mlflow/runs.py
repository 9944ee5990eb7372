"""The runs of one study in MLflow: found by their key or made, and told what is to be true of them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from autodc.adapters.mlflow.changes import STUDY, RunChange
from autodc.adapters.mlflow.store import artifact_location, last_line, sqlite_file
from autodc.adapters.mlflow.views import KIND, is_ours

if TYPE_CHECKING:
    from mlflow import MlflowClient

KEY_TAG = "autodc.key"
"""The tag a run is found by, so that none is made twice: identity of the journal / key of the run."""

_LINK = re.compile(r"⟦([^⟧]+)⟧")
_MOST = {"metrics": 800, "parameters": 100, "tags": 100}  # that MLflow takes at once, 1,000 of all together
_REFUSALS = frozenset({"INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_LIMIT_EXCEEDED"})
_GONE = frozenset({"RESOURCE_DOES_NOT_EXIST"})
_MOST_EXPERIMENTS = 1000


@final
class Runs:
    """Calls of MLflow's client, each of which may raise what MLflow raises and may then be made again."""

    def __init__(self, client: MlflowClient, identity: str) -> None:
        """identity: that of the journal."""
        self._client, self._identity = client, identity
        self._generation = 0
        self._ids: dict[str, str] = {}
        self._experiment = ""
        self.refused = ""
        """The first thing that MLflow refused for its content, in a sentence."""

    def resume(self, experiment: str, generation: int, study: str | None) -> None:
        """Go on in an experiment. generation: how often someone deleted the study's run; study: its id, if known."""
        self._experiment, self._generation = experiment, generation
        if study:
            self._ids[STUDY] = study

    def find_or_create(self, change: RunChange, looking: bool) -> str | None:
        """The id of the run that a change is of. looking: it may be there though we have not seen it."""
        run_id = self._ids.get(change.of)
        if run_id is None and (looking or not change.create):
            run_id = self._find(change.of)
        if run_id is None and change.create:
            run_id = self._create(change)
        if run_id is not None:
            self._ids[change.of] = run_id
        return run_id

    def log(self, change: RunChange) -> None:
        """Send metrics, parameters and tags, as many at once as MLflow takes."""
        from mlflow.entities import Metric, Param, RunTag

        run_id = self._ids.get(change.of)
        if run_id is None:
            return
        metrics = [Metric(name, value, at, step) for name, (value, at, step) in change.metrics.items()]
        metrics += [Metric(name, value, at, step) for (name, step), (value, at) in change.history.items()]
        parameters = [Param(name, value) for name, value in change.parameters.items()]
        tags = [RunTag(name, self.linked(value)) for name, value in change.tags.items()]
        for some in _batches(metrics, parameters, tags):
            self._try(change, self._client.log_batch, run_id, *some)

    def linked(self, text: str) -> str:
        """A text whose links are those of this store: ⟦KEY⟧ is the id of a run."""
        return _LINK.sub(lambda match: self._link(match[1]), text)

    def tell_experiment(self, change: RunChange) -> None:
        """Set tags of the experiment. What somebody, or a study before, said of it stays, but for our views."""
        there = self._client.get_experiment(self._experiment).tags
        for name, text in change.experiment.items():
            value = self.linked(text)
            if name not in there or (is_ours(name) and there[name] != value):
                self._try(change, self._client.set_experiment_tag, self._experiment, name, value)

    def log_texts(self, change: RunChange) -> None:
        """Add what is too long for a parameter or tag to the run's artifacts."""
        if (run_id := self._ids.get(change.of)) is not None:
            for path, text in change.texts.items():
                self._try(change, self._client.log_text, run_id, text, path)

    def add_file(self, run_id: str, path: str) -> None:
        """Add a file to a run."""
        self._client.log_artifact(run_id, path)

    def log_datasets(self, change: RunChange) -> None:
        """Send what the run was trained on."""
        if (run_id := self._ids.get(change.of)) is not None:
            self._try(change, self._client.log_inputs, run_id, _inputs(change))

    def set_status(self, change: RunChange) -> None:
        """Start a run anew, or end it."""
        run_id = self._ids.get(change.of)
        if run_id is not None and change.status == "RUNNING":
            self._try(change, self._client.update_run, run_id, status="RUNNING")
        elif run_id is not None:
            self._try(change, self._client.set_terminated, run_id, change.status, change.end)

    def rename(self, change: RunChange) -> None:
        """Give a run that somebody, or an older autodc, called otherwise its name."""
        run_id = self._ids.get(change.of)
        if run_id is not None and change.name:
            self._try(change, self._client.update_run, run_id, name=change.name)

    def know(self, ids: Mapping[str, str]) -> None:
        """Take in runs that were found. ids: key → id."""
        self._ids |= ids

    def interrupt(self, run_id: str) -> None:
        """End the study's run as one that may go on."""
        self._client.set_tag(run_id, "autodc.status", "interrupted")
        self._client.set_terminated(run_id, "KILLED")

    def is_known(self) -> bool:
        """Whether a run of this study is there already."""
        query = f"tags.`{KEY_TAG}` LIKE '{self._tag('')}%'"
        return bool(self._client.search_runs([self._experiment], query, max_results=1))

    def is_there(self, run_id: str) -> bool:
        """Whether nobody deleted this run, or its experiment."""
        from mlflow.exceptions import MlflowException

        try:
            run = self._client.get_run(run_id)
            experiment = self._client.get_experiment(run.info.experiment_id)
        except MlflowException as error:
            if error.error_code in _GONE:
                return False
            raise
        return bool(run.info.lifecycle_stage == "active" and experiment.lifecycle_stage == "active")

    def experiment(self, wanted: str, uri: str) -> str:
        """The id of the experiment, which is made where there is none.

        A deleted one is left alone and its name counted on.
        """
        for number in range(1, _MOST_EXPERIMENTS):
            name = wanted if number == 1 else f"{wanted}-{number}"
            found = self._client.get_experiment_by_name(name)
            if found is None:
                made = self._made_experiment(name, uri)
                if made is not None:
                    return made
                found = self._client.get_experiment_by_name(name)
            if found is not None and found.lifecycle_stage == "active":
                return str(found.experiment_id)
        raise AssertionError("a thousand deleted experiments of one name")

    def _made_experiment(self, name: str, uri: str) -> str | None:
        """The id of a new experiment; None where somebody made it a moment before."""
        from mlflow.exceptions import MlflowException

        try:
            return str(self._client.create_experiment(name, artifact_location(uri, name), KIND))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return None

    def _link(self, key: str) -> str:
        if key == "experiment":
            return self._experiment
        if key not in self._ids and (found := self._find(key)) is not None:
            self._ids[key] = found
        return self._ids.get(key, "")

    def _create(self, change: RunChange) -> str | None:
        tags = {KEY_TAG: self._tag(change.of), **change.tags}
        if change.of != STUDY:
            tags["mlflow.parentRunId"] = self._ids[STUDY]
        run = self._try(change, self._client.create_run, self._experiment, change.start, tags, change.name)
        return None if run is None else str(run.info.run_id)

    def _find(self, key: str) -> str | None:
        query = f"tags.`{KEY_TAG}` = '{self._tag(key)}'"
        found = self._client.search_runs([self._experiment], query, max_results=1)
        return str(found[0].info.run_id) if found else None

    def _tag(self, key: str) -> str:
        generation = f".{self._generation}" if self._generation else ""
        return f"{self._identity}{generation}/{key}"

    def _try(self, change: RunChange, call: Any, *arguments: Any, **named: Any) -> Any:
        """Call MLflow; what it refuses for its content is said once and left out, or it would block all the rest."""
        from mlflow.exceptions import MlflowException

        try:
            return call(*arguments, **named)
        except MlflowException as error:
            if error.error_code not in _REFUSALS:
                raise
            self.refused = self.refused or f"MLflow refuses a part of {change.key}: {last_line(error)}"
            return None


def client_of(uri: str) -> MlflowClient:
    """MLflow's client of an absolute tracking URI; a new SQLite store is made here."""
    from mlflow import MlflowClient

    if (file := sqlite_file(uri)) is not None and not file.exists():
        _make_database(file)
    if file is not None and "%" in uri:  # MLflow makes the folder of what it takes for a path: that of the quoted one
        uri = uri.replace("sqlite:///", "sqlite+pysqlite:///", 1)
    return MlflowClient(tracking_uri=uri)


def _make_database(file: Path) -> None:
    """Make a new SQLite store one with a write-ahead log: half the time and a quarter less CPU for each run."""
    file.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode = WAL")
    database.close()


def _batches(metrics: list[Any], parameters: list[Any], tags: list[Any]) -> Iterator[tuple[list[Any], ...]]:
    """What is logged, in as few parts as MLflow takes."""
    sizes = tuple(_MOST.values())
    while metrics or parameters or tags:
        kinds = (metrics, parameters, tags)
        yield tuple(kind[:size] for kind, size in zip(kinds, sizes, strict=True))
        metrics, parameters, tags = (kind[size:] for kind, size in zip(kinds, sizes, strict=True))


def _inputs(change: RunChange) -> list[Any]:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    return [
        DatasetInput(
            Dataset(
                name=d.name,
                digest=d.digest,
                source_type=d.source_type,
                source=d.source,
                profile=d.profile,
                schema=d.schema,
            ),
            tags=[InputTag(name, value) for name, value in sorted(d.tags.items())],
        )
        for d in change.datasets
    ]
