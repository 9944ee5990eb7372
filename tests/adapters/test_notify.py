"""Who is told: a real program, a real server; what goes wrong is told and holds nothing up; no secret is shown."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.notify import Notifier, hidden
from autodc.errors import SpecError

MESSAGE = {"event": "keep", "new": ["fog"]}


@pytest.fixture
def server() -> Iterator[Callable[..., Any]]:
    """Begins a server that answers with these codes in turn; gives its address and what it was sent."""
    servers = []

    def begun(*codes: int) -> tuple[str, list[Any]]:
        got, left = list[Any](), list(codes)

        class Takes(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(left.pop(0))
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Takes)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/services/T0/s3cret", got

    yield begun
    for one in servers:
        one.shutdown()
        one.server_close()


def told(target: str, *messages: Any) -> list[str]:
    """What is said while these are sent."""
    said: list[str] = []
    notifier = Notifier(target, said.append)
    for one in messages:
        notifier.send(one)
    notifier.close()
    notifier.close()
    return said


def test_a_program_gets_json_on_stdin_and_no_shell_reads_its_words(tmp_path: Path) -> None:
    file = tmp_path / "got $HOME; x"
    program = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + chr(10))"
    assert told(f"{sys.executable} -c \"{program}\" '{file}'", MESSAGE, {"event": "done"}) == []
    assert [json.loads(line) for line in file.read_text().splitlines()] == [MESSAGE, {"event": "done"}]


def test_a_program_that_fails_is_told_with_its_last_words() -> None:
    (said,) = told(f"{sys.executable} -c \"import sys; sys.exit('no such channel')\" --token s3cret", MESSAGE)
    assert "keep could not be told: it ended with 1: no such channel" in said
    assert "s3cret" not in said


def test_an_address_is_posted_to(server: Any) -> None:
    url, got = server(204)
    assert told(url, MESSAGE) == []
    assert got == [MESSAGE]


@pytest.mark.parametrize("code", [302, 404])
def test_an_address_that_refuses_is_told_without_its_path_and_not_asked_again(server: Any, code: int) -> None:
    url, got = server(code)
    (said,) = told(url, MESSAGE)
    assert f"it answers {code}" in said
    assert "s3cret" not in said
    assert len(got) == 1


@pytest.mark.slow
def test_a_server_in_trouble_is_asked_again(server: Any) -> None:
    url, got = server(503, 200)
    assert told(url, MESSAGE) == []
    assert got == [MESSAGE, MESSAGE]


@pytest.mark.parametrize(
    "target", ["", "no-such-program-here", "'unclosed", "ftp://host/x", "https://", "http://host:99999/", "https://a b"]
)
def test_what_cannot_be_told_anything_is_refused_before_the_night(target: str) -> None:
    with pytest.raises(SpecError, match=r"--notify.*ADC-RUN-085"):
        Notifier(target, print)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("https://hooks.example/services/T0/s3cret", "https://hooks.example/***"),
        ("https://user:s3cret@hooks.example/", "https://hooks.example/***"),
        ("http://127.0.0.1:8000/?key=s3cret", "http://127.0.0.1:8000/***"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("ntfy --token s3cret pub night", "ntfy --token '***' pub night"),
        ("curl https://user:s3cret@host/x", "curl 'https://user:***@host/x'"),
    ],
)
def test_what_is_shown_of_a_target_has_no_secret(target: str, shown: str) -> None:
    assert hidden(target) == shown
