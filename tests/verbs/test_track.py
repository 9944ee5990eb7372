"""A finished study of an earlier autodc, written into stores of MLflow that have none of it, some and all."""

from __future__ import annotations

import importlib.util
import json
import socket
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.adapters.journal import open_for_reading
from autodc.errors import InputError, SurroundingsError
from autodc.study.journal import events as ev

FROZEN = Path(__file__).resolve().parents[1] / "journals" / "finished.tar.gz"

needs_mlflow = pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="MLflow is not installed")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run, which has a model that scikit-learn saved."""
    import joblib
    from sklearn.linear_model import LogisticRegression

    folder = tmp_path_factory.mktemp("study")
    with tarfile.open(FROZEN) as archive:
        archive.extractall(folder, filter="data")
    model = folder / "run" / "models" / "incumbent"
    model.mkdir(parents=True)
    joblib.dump(LogisticRegression().fit(np.eye(4), [0, 0, 1, 1]), model / "model.joblib")
    return folder / "run"


@pytest.fixture(scope="module")
def tracked(study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, autodc.TrackResult]:
    """A store that was empty, and what the first call said."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('store') / 'other.db'}"
    before = contents(study)
    found = autodc.track(study, uri, register="cells")
    assert contents(study) == before
    return uri, found


def contents(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_size for p in folder.rglob("*") if p.is_file()}


def runs_of(uri: str) -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    return list(client.search_runs([client.get_experiment_by_name("world").experiment_id], max_results=1000))


@needs_mlflow
@pytest.mark.slow
def test_an_empty_store_gets_every_training_once_and_the_second_time_nothing(study: Path, tracked: Any) -> None:
    uri, first = tracked
    with open_for_reading(study / "journal.sqlite") as journal:
        trained = sum(isinstance(event, ev.TrialFinished) for _, event in journal.read())
    runs = runs_of(uri)
    assert first.made == first.runs == len(runs) == trained + 1
    assert len({run.info.run_name for run in runs}) == len(runs)
    assert not any("seed" in run.data.params for run in runs)
    parents = {run.data.tags.get("mlflow.parentRunId") for run in runs}
    assert parents == {None, first.run_id}
    again = autodc.track(study, uri, register="cells")
    assert again.nothing_new
    assert (again.run_id, again.experiment_id) == (first.run_id, first.experiment_id)
    assert state_of(runs_of(uri)) == state_of(runs)


def state_of(runs: list[Any]) -> dict[str, Any]:
    return {run.info.run_id: run.to_dictionary() for run in runs}


@needs_mlflow
@pytest.mark.slow
def test_the_study_tells_what_it_came_to_and_has_its_tables_and_model(study: Path, tracked: Any) -> None:
    import mlflow

    uri, first = tracked
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment(first.experiment_id)
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    run = client.get_run(first.run_id)
    note = run.data.tags["mlflow.note.content"]
    assert "world: kept lamps" in note
    assert "⟦" not in note
    tagged = client.search_runs([first.experiment_id], "tags.`autodc.compare` != ''")
    assert 2 <= len(tagged) <= 500
    assert all(one.info.run_id in note for one in tagged if one.data.tags["autodc.compare"] in ("start", "end"))
    place = Path(run.info.artifact_uri.removeprefix("file://"))
    table = json.loads((place / "tables" / "decisions.json").read_text())
    kept = [row for row in table["data"] if row[table["columns"].index("verdict")] == "keep"]
    assert {row[table["columns"].index("subject")] for row in kept} == {"lamps"}
    assert (place / "report" / "index.html").read_text().rstrip().endswith("</html>")
    version = client.get_model_version_by_alias("cells", "champion")
    assert version.run_id == first.run_id
    assert run.data.tags["autodc.model"].startswith("models:/cells@champion")


@needs_mlflow
@pytest.mark.slow
def test_what_somebody_deleted_or_changed_is_made_good_and_nothing_else(study: Path, tracked: Any) -> None:
    import mlflow

    uri, first = tracked
    client = mlflow.MlflowClient(uri)
    gone, renamed = [run for run in runs_of(uri) if run.data.tags.get("autodc.phase") == "search"][:2]
    client.delete_run(gone.info.run_id)
    client.update_run(renamed.info.run_id, name="mine")
    client.delete_tag(first.run_id, "verdict.lamps")
    again = autodc.track(study, uri)
    assert again.made == 1
    assert again.changed == 2
    names = [run.info.run_name for run in runs_of(uri)]
    assert gone.info.run_name in names
    assert renamed.info.run_name in names
    assert client.get_run(first.run_id).data.tags["verdict.lamps"] == "keep"


@needs_mlflow
@pytest.mark.slow
def test_a_server_that_is_not_there_is_said_and_the_same_call_goes_on(study: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SurroundingsError) as failed:
        autodc.track(study, f"http://me:geheim@127.0.0.1:{port}", patience=0.1)
    assert failed.value.code == "ADC-TRACK-083"
    assert "geheim" not in str(failed.value)


@pytest.mark.parametrize(("uri", "words"), [("none", "nothing is sent"), ("http://", "no host")])
def test_a_store_that_can_never_work_is_refused(study: Path, uri: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        autodc.track(study, uri)
    assert refused.value.code == "ADC-TRACK-084"


@needs_mlflow
@pytest.mark.slow
def test_a_logged_model_predicts_as_the_trainer_does(tmp_path: Path) -> None:
    import joblib
    import mlflow
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    from autodc.adapters.mlflow.logged_model import ModelFacts, deposit, register

    x, y = load_digits(return_X_y=True)
    fitted = LogisticRegression(max_iter=200).fit(x[:500], y[:500])
    model = tmp_path / "model"
    model.mkdir()
    joblib.dump((fitted, None, 64, 10, None), model / "model.joblib")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    client = mlflow.MlflowClient(uri)
    run = client.create_run(client.create_experiment("digits", (tmp_path / "artifacts").as_uri()))
    facts = ModelFacts(
        study="digits",
        kind="classification",
        trainer={"name": "sklearn", "options": {"estimator": "sklearn.linear_model.LogisticRegression"}},
        folder=str(tmp_path),
        inputs={"kind": "arrays", "shape": [64], "dtype": "float64"},
    )
    model_id, new = deposit(client, run, model, facts)
    assert new
    assert deposit(client, run, model, facts) == (model_id, False)
    assert register(client, model_id, run.info.run_id, "digits") == ("1", True)
    assert register(client, model_id, run.info.run_id, "digits") == ("1", False)
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        loaded = mlflow.pyfunc.load_model("models:/digits@champion")
    finally:
        mlflow.set_tracking_uri(before[0])
        mlflow.set_registry_uri(before[1])
    assert loaded.metadata.signature.inputs.inputs[0].shape == (-1, 64)
    np.testing.assert_allclose(loaded.predict(x[500:600]), fitted.predict_proba(x[500:600]))
