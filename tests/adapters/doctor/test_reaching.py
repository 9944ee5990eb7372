"""Who may reach Ray, and whether MLflow is reached: real files, real servers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.doctor.store import store
from autodc.adapters.doctor.workers import token
from autodc.studyfile.study import MachineSpec

OURS, CLUSTER = MachineSpec(), MachineSpec(address="10.0.0.1:6379")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("machine", "given", "status"),
    [
        (OURS, {}, "ok"),
        (OURS, {"RAY_AUTH_MODE": "disabled"}, "warn"),
        (OURS, {"RAY_AUTH_MODE": "token"}, "warn"),
        (CLUSTER, {}, "warn"),
        (CLUSTER, {"RAY_AUTH_TOKEN": "s3cret"}, "ok"),
        (CLUSTER, {"RAY_AUTH_MODE": "token"}, "fail"),
        (CLUSTER, {"RAY_AUTH_TOKEN_PATH": "/nowhere"}, "fail"),
    ],
)
def test_who_may_reach_ray(home: Path, machine: MachineSpec, given: dict[str, str], status: str) -> None:
    found = token(machine, given)
    assert found.status == status, found
    assert bool(found.mend) is (status != "ok")
    assert "s3cret" not in str(found)


def test_a_token_in_its_usual_file_is_found(home: Path) -> None:
    (home / ".ray").mkdir()
    (home / ".ray" / "auth_token").write_text("s3cret\n")
    found = token(CLUSTER, {"RAY_AUTH_MODE": "token"})
    assert found.status == "ok"
    assert "s3cret" not in found.found


def test_a_store_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    found = store(f"sqlite:///{tmp_path}/below/mlflow.db")
    assert found.status == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_can_never_be_fails(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("this is no database, it is a letter")
    assert store(f"sqlite:///{tmp_path}/mlflow.db").status == "fail"
    assert store("none").status == "ok"


@pytest.fixture
def server() -> Iterator[Any]:
    """A server that refuses the names of its host as MLflow does."""

    class Refuses(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 403)
            self.end_headers()
            self.wfile.write(b"Invalid Host header - possible DNS rebinding attack detected")

        def log_message(self, *_: object) -> None:
            pass

    found = HTTPServer(("127.0.0.1", 0), Refuses)
    threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


def test_a_server_that_does_not_know_its_name_is_told_both_names(server: Any) -> None:
    found = store(f"http://127.0.0.1:{server.server_port}")
    assert found.status == "fail"
    assert found.mend == f"mlflow server --allowed-hosts '127.0.0.1,127.0.0.1:{server.server_port}'"


def test_a_server_that_is_away_fails_and_shows_no_password(server: Any) -> None:
    port = server.server_port
    server.shutdown()
    server.server_close()
    found = store(f"http://me:s3cret@127.0.0.1:{port}")
    assert found.status == "fail"
    assert "s3cret" not in str(found)
