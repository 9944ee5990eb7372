"""Where MLflow keeps a study: the address is that of the folder, whatever its name, and is refused where it is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodc.adapters.mlflow.store import absolute_uri, artifact_location, opening, place, refusal, sqlite_file

NAMES = ("a%2Fb", "what?", "run#3", "with spaces", "ü", "~tilde", "100%", "a+b&c=d;e", "it's", "?#%", "a:b@c")


@pytest.mark.parametrize(
    ("given", "absolute"),
    [
        ("sqlite:///mlflow.db", "sqlite:////studies/night/mlflow.db"),
        ("sqlite:///../shared/m.db?timeout=9", "sqlite:////studies/shared/m.db?timeout=9"),
        ("sqlite:////data/m.db", "sqlite:////data/m.db"),
        ("mlruns", "file:///studies/night/mlruns"),
        ("./mlruns", "file:///studies/night/mlruns"),
        ("file:mlruns", "file:///studies/night/mlruns"),
        ("file:my%20runs", "file:///studies/night/my%20runs"),
        ("http://mlflow:5000", "http://mlflow:5000"),
        ("postgresql://u:p@db/mlflow", "postgresql://u:p@db/mlflow"),
        ("databricks", "databricks"),
        ("databricks-uc", "databricks-uc"),
    ],
)
def test_a_uri_does_not_depend_on_the_working_directory(given: str, absolute: str) -> None:
    assert absolute_uri(given, "/studies/night") == absolute


@pytest.mark.parametrize("name", NAMES)
def test_the_database_lies_in_the_folder_of_the_study_whatever_its_name(name: str) -> None:
    engine = pytest.importorskip("sqlalchemy.engine")
    uri = absolute_uri("sqlite:///mlflow.db", f"/studies/{name}")
    assert engine.make_url(uri).database == f"/studies/{name}/mlflow.db"
    assert not engine.make_url(uri).query
    assert sqlite_file(uri) == Path(f"/studies/{name}/mlflow.db")
    assert absolute_uri(uri, "/elsewhere") == uri
    assert str(sqlite_file(uri)) in place(uri)
    location = artifact_location(uri, "night/one")
    assert location == Path(f"/studies/{name}/mlartifacts/night_one").as_uri()


def test_how_to_open_it_is_fit_for_a_shell() -> None:
    ids = {"experiment_id": "7", "run_id": "abc"}
    assert opening({"uri": "sqlite:////s/mlflow.db", **ids}) == "mlflow ui --backend-store-uri sqlite:////s/mlflow.db"
    odd = opening({"uri": absolute_uri("sqlite:///m.db", "/it's what?"), **ids})
    assert odd == """mlflow ui --backend-store-uri 'sqlite:////it'"'"'s what%3F/m.db'"""
    assert opening({"uri": "http://host:5000/", **ids}) == (
        "http://host:5000/#/experiments/7/runs/abc?workflowType=machine_learning"
    )


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("http://", "no host"),
        ("http://host:123456", "[Pp]ort"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:///{folder}", "is a folder"),
        ("sqlite:///{folder}/text.db", "no SQLite database"),
        ("sqlite:///{folder}/text.db/m.db", "not a folder"),
    ],
)
def test_an_address_that_can_never_work_is_refused(tmp_path: Path, uri: str, words: str) -> None:
    (tmp_path / "text.db").write_text("a diary, not a database")
    assert words.replace("[Pp]", "P").lower() in refusal(uri.format(folder=tmp_path)).lower()


def test_what_may_work_is_not_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    for uri in (
        "http://127.0.0.1:9",
        "https://u:p@host/x",
        f"sqlite:///{tmp_path}/new/m.db",
        f"sqlite:///{tmp_path}/empty.db",
    ):
        assert refusal(uri) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("file:///tmp/mlruns", "maintenance mode"),
        ("foo://bar", "unsupported URI"),
        ("postgres://u:geheim@host/x", ""),
        ("mysql+nosuchdriver://u:geheim@host/x", ""),
    ],
)
def test_mlflow_says_itself_what_it_refuses(uri: str, words: str) -> None:
    pytest.importorskip("mlflow")
    said = refusal(uri)
    assert said
    assert words in said
    assert "geheim" not in said


@pytest.mark.slow
def test_a_file_store_that_is_allowed_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    assert refusal((tmp_path / "mlruns").as_uri()) == ""
