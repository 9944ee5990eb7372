"""Where MLflow keeps the study is said, refused at the start where it cannot be, and told without secrets."""

from __future__ import annotations

import http.server
import json
import sqlite3
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from autodc.testing.worlds.cells import write_world

SECRET, NEXT = "opensesame", "closesesame"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "data")) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield f"127.0.0.1:{found.server_port}"
        found.shutdown()
        thread.join()


def study_at(folder: Path, server: str, password: str) -> Path:
    candidates = [{"name": "lamps", "source": f"http://bob:{password}@{server}/lamps.npz"}]
    return write_world(folder, budget__trainings=30, loop__rounds=1, data__candidates=candidates)


@pytest.mark.slow
def test_the_password_of_a_source_is_nowhere_and_may_change(
    autodc: Any, inline: Any, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "out"
    study = study_at(tmp_path, server, SECRET)
    words = ["run", study, "--machine", inline, "--out", out, "--json"]
    first = autodc(*words)
    assert first.code == 0, first.err
    study_at(tmp_path, server, NEXT)
    said = [first, autodc(*words), autodc("status", out, "--json"), autodc("why", out, "lamps"), autodc("check", study)]
    assert [one.code for one in said] == [0] * 5, said
    assert json.loads(said[1].out) == json.loads(first.out)
    assert kinds(out)["StudyStarted"] == 1
    assert "StudyExtended" not in kinds(out)
    for secret in (SECRET, NEXT):
        assert not any(secret in one.out + one.err for one in said)
        assert not [p for p in out.rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]


@pytest.mark.slow
def test_a_journal_of_before_with_a_password_in_it_goes_on(
    autodc: Any, inline: Any, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "out"
    words = ["run", study_at(tmp_path, server, SECRET), "--machine", inline, "--out", out, "--json"]
    first = autodc(*words)
    assert first.code == 0, first.err
    with sqlite3.connect(out / "journal.sqlite") as journal:
        (payload,) = journal.execute("SELECT payload FROM events WHERE position = 1").fetchone()
        old = {**json.loads(payload.replace("bob:***@", f"bob:{SECRET}@")), "fingerprint": "0" * 64}
        assert SECRET in json.dumps(old)
        journal.execute("ALTER TABLE events DROP COLUMN seal")
        journal.execute("UPDATE events SET version = 2")
        journal.execute("UPDATE events SET payload = ? WHERE position = 1", (json.dumps(old),))
    journal.close()
    again = autodc(*words)
    assert again.code == 0, again.err
    assert {**json.loads(again.out), "fingerprint": ""} == {**json.loads(first.out), "fingerprint": ""}
    assert "StudyExtended" not in kinds(out)
    shown = [autodc("report", out), autodc("status", out, "--json"), again]
    assert not any(SECRET in one.out + one.err for one in shown)
    assert SECRET not in (out / "report" / "index.html").read_text() + (out / "result.json").read_text()


@pytest.mark.parametrize(
    ("uri", "words"),
    [("http://", "no host"), ("sqlite://", "in memory"), ("sqlite:///data", "is a folder")],
)
def test_a_store_that_can_never_work_ends_check_and_run_at_the_start(
    autodc: Any, inline: Any, tmp_path: Path, uri: Any, words: Any
) -> None:
    study = write_world(tmp_path, tracking={"uri": uri})
    for command in (["check", study], ["run", study, "--machine", inline, "--out", tmp_path / "out"]):
        said = autodc(*command)
        assert said.code == 2
        assert "ADC-TRACK-080" in said.err
        assert words in said.err
        assert "tracking.uri" in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("uri", "words"),
    [("./mlruns", "maintenance mode"), ("file:mlruns", "MLFLOW_ALLOW_FILE_STORE"), ("foo://bar", "unsupported URI")],
)
def test_what_mlflow_refuses_is_told_in_its_own_words(
    autodc: Any, inline: Any, tmp_path: Path, uri: Any, words: Any
) -> None:
    pytest.importorskip("mlflow")
    study = write_world(tmp_path, tracking={"uri": uri})
    for command in (["check", study], ["run", study, "--machine", inline, "--out", tmp_path / "out"]):
        said = autodc(*command)
        assert said.code == 2
        assert words in said.err
        assert "slow" not in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_check_says_where_mlflow_keeps_the_study(autodc: Any, tmp_path: Path) -> None:
    said = autodc("check", write_world(tmp_path, tracking={"uri": "sqlite:///mlflow.db"}))
    assert said.code == 0, said.err
    assert f"MLflow keeps the study in the file {tmp_path / 'mlflow.db'}" in " ".join(said.out.split())
    none = autodc("check", write_world(tmp_path, tracking={"uri": "none"}), "--json")
    assert json.loads(none.out)["tracking"] == "nothing is sent to MLflow (tracking.uri: none)"
    server = autodc("check", write_world(tmp_path, tracking={"uri": f"http://me:{SECRET}@host:5000"}), "--json")
    assert json.loads(server.out)["tracking"] == "MLflow keeps the study at http://me:***@host:5000"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a%2Fb", "what?", "run#3 it's ü", "~x"])
def test_the_store_lies_in_the_study_folder_whatever_its_name(
    autodc: Any, inline: Any, tmp_path: Path, name: Any
) -> None:
    mlflow = pytest.importorskip("mlflow")
    folder = tmp_path / name
    study = write_world(folder, budget__trainings=30, loop__rounds=1, tracking={"uri": "sqlite:///mlflow.db"})
    said = autodc("run", study, "--machine", inline, "--out", folder / "runs" / name)
    assert said.code == 0, said.err
    assert "behind" not in said.err
    assert f"MLflow keeps the study in the file {folder / 'mlflow.db'}" in " ".join(said.err.split())
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]
    assert (folder / "mlflow.db").stat().st_size > 0
    kept = json.loads((folder / "runs" / name / "result.json").read_text())["mlflow"]
    run = mlflow.MlflowClient(kept["uri"]).get_run(kept["run_id"])
    assert run.info.status == "FINISHED"
    files = {p.name for p in (folder / "mlartifacts").rglob("*") if p.is_file()}
    assert {"index.html", "result.json", "study.json", "decisions.json", "slices.json"} <= files


def kinds(out: Path) -> dict[str, int]:
    with sqlite3.connect(out / "journal.sqlite") as journal:
        return dict(journal.execute("SELECT kind, count(*) FROM events GROUP BY kind").fetchall())
