"""Models of MLflow as methods, and an evaluation as a run of the study's experiment."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.adapters.methods import make_method
from autodc.adapters.mlflow.fetched_model import fetched
from autodc.errors import AutodcError, InputError
from autodc.testing.method_contract import MethodContract
from autodc.testing.trainer_contract import digits
from autodc.trial.executor import MethodRef

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="MLflow is not installed"),
    pytest.mark.slow(seconds=20),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A SQLite store with a registered model of scikit-learn that gives labels, and its folder."""
    import mlflow
    from sklearn.naive_bayes import GaussianNB

    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    experiment = mlflow.create_experiment("models", (folder / "artifacts").as_uri())
    x, y = digits()
    model = GaussianNB().fit(x[:800].reshape(800, -1), y[:800])
    with mlflow.start_run(experiment_id=experiment):
        mlflow.sklearn.log_model(model, name="model", registered_model_name="reader", pip_requirements=[])
    saved = folder / "saved"
    mlflow.sklearn.save_model(model, str(saved), pip_requirements=[])
    mlflow.set_tracking_uri(before)
    return {"uri": uri, "folder": folder, "saved": saved, "model": model}


def ref(name: str, store: dict[str, Any]) -> MethodRef:
    return MethodRef(
        name=name,
        folder=".",
        kind="classification",
        row_shape=(10,),
        classes=tuple(range(10)),
        tracking=store["uri"],
    )


class TestMlflowFolder(MethodContract):
    @pytest.fixture
    def ref(self, store: dict[str, Any]) -> MethodRef:
        return ref(str(store["saved"]), store)

    @pytest.fixture
    def rows(self) -> np.ndarray[Any, Any]:
        x = digits()[0][:700]
        return x.reshape(len(x), -1)


def test_a_registered_model_predicts_by_its_address(store: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    x = digits()[0][:300].reshape(300, -1)
    method = make_method(ref("models:/reader/1", store))
    assert method.predict({"rows": x})["rows"].argmax(axis=1).tolist() == store["model"].predict(x).tolist()
    assert method.labels
    assert method.size_mb is not None
    assert method.size_mb > 0
    with pytest.raises(InputError, match="ADC-METHOD-010"):
        fetched("models:/readr/1", store["uri"], "--method")


def test_a_damaged_model_is_told(store: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {}\n")
    with pytest.raises(AutodcError, match="ADC-METHOD-011"):
        make_method(ref(str(tmp_path), store))


def test_an_evaluation_is_a_run_of_the_experiment_with_values_and_page(
    store: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = store["folder"]
    x, y = digits()
    x = x.reshape(len(x), -1)
    np.savez(folder / "base.npz", x=x[:300], y=y[:300])
    np.savez(folder / "validation.npz", x=x[800:1400], y=y[800:1400])
    written = {
        "schema_version": 1,
        "name": "night",
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "GaussianNB"}},
        "data": {"base": {"source": "base.npz"}, "validation": {"source": "validation.npz"}},
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "tracking": {"uri": "sqlite:///mlflow.db", "experiment": "nights"},
    }
    (folder / "study.yaml").write_text(json.dumps(written))
    spec = autodc.load(folder / "study.yaml")
    found = autodc.evaluate(spec, "models:/reader/1", "constant", out=folder / "out", threads=1).to_dict()
    assert found["slices"]["overall"]["value"] == np.mean(store["model"].predict(x[800:1400]) == y[800:1400])
    client = MlflowClient(store["uri"])
    run = client.get_run(found["mlflow"]["run_id"])
    assert client.get_experiment(run.info.experiment_id).name == "nights"
    assert run.info.status == "FINISHED"
    assert run.data.params["method"] == "models:/reader/1"
    assert run.data.metrics["validation/overall"] == pytest.approx(found["slices"]["overall"]["value"])
    assert run.data.metrics["difference.overall"] > 0
    assert run.data.tags["autodc.regression"] == "none shown"
    assert "index.html" in [one.path for one in client.list_artifacts(run.info.run_id)]
