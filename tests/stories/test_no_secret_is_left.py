"""A study with a secret in every place that one can be in: none is in what it leaves, says, or starts."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from autodc.testing.worlds.cells import write_world

SOURCE, TRACKING, NOTIFY, ARGUMENT, VARIABLE = (
    "Sesame-Source",
    "Sesame-Tracking",
    "Sesame-Notify",
    "Sesame-Arg",
    "Sesame-Env",
)
SECRETS = (SOURCE, TRACKING, NOTIFY, ARGUMENT, VARIABLE)
TRAINER = '''
import os
from pathlib import Path

from autodc.testing.worlds.cells import CellTrainer


class Talkative:
    """Notes which processes there are, and says in every fifth training what it was told."""

    def __init__(self, token):
        self._token, self._inner = token, CellTrainer()

    def train(self, job):
        with open(Path(__file__).with_name("processes.txt"), "a") as file:
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    words = process.read_bytes().replace(b"\\0", b" ").decode(errors="replace")
                except OSError:
                    continue
                file.write(f"{process.parent.name} {words}\\n")
        if job.seed % 5 == 0:
            raise ValueError(f"401 for {self._token} and {os.environ['SERVICE_TOKEN']}")
        return self._inner.train(job)
'''


class Server(http.server.SimpleHTTPRequestHandler):
    """Serves the data; to all else it says that it knows nobody."""

    def do_POST(self) -> None:
        """Refuse."""
        self.send_error(401)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=tmp_path / "data")) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield f"127.0.0.1:{found.server_port}"
        found.shutdown()
        thread.join()


@pytest.mark.slow(seconds=25)
def test_no_secret_is_left_anywhere(server: str, tmp_path: Path) -> None:
    (tmp_path / "trainer.py").write_text(TRAINER)
    study = write_world(
        tmp_path,
        budget__trainings=20,
        loop__rounds=1,
        task__trainer="trainer.py:Talkative",
        task__options={"token": "left-open"},
        data__candidates=[{"name": "lamps", "source": f"http://bob:{SOURCE}@{server}/lamps.npz"}],
        tracking={"uri": f"http://me:{TRACKING}@{server}"},
    )
    (tmp_path / "machine.yaml").write_text("runner: inline\n")
    places = {name: tmp_path / name for name in ("cache", "temporary", "home")}
    for place in places.values():
        place.mkdir()
    known = {
        **os.environ,
        "XDG_CACHE_HOME": str(places["cache"]),
        "TMPDIR": str(places["temporary"]),
        "HOME": str(places["home"]),
        "AUTODC_NOTIFY": f"http://{server}/hook/{NOTIFY}",
        "SERVICE_TOKEN": VARIABLE,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }
    out, given = tmp_path / "out", ["--set", f"task.options.token={ARGUMENT}"]
    said = list[str]()
    drivers = list[int]()

    def autodc(*words: object) -> int:
        command = [sys.executable, "-c", "from autodc.cli import main; main()", *map(str, words)]
        process = subprocess.Popen(
            command, cwd=tmp_path, env=known, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        drivers.append(process.pid)
        said.extend(process.communicate(timeout=500))
        return process.returncode

    code = autodc("run", study, "--machine", tmp_path / "machine.yaml", "--out", out, *given)
    assert code == 0, said
    assert autodc("status", out, "--json") == autodc("why", out, "lamps") == autodc("report", out) == 0, said
    assert autodc("check", study, *given) == 0, said
    assert (
        autodc("run", study, "--out", out, "--set", f"task.options.token={ARGUMENT}", "--set", "loop.nonsense=1") == 2
    )

    assert "401 for ***" in (out / "report" / "index.html").read_text() + "".join(said)
    for secret in SECRETS:
        assert not [text for text in said if secret in text]
        ours = {study, tmp_path / "trainer.py", tmp_path / "processes.txt"}
        files = [path for path in tmp_path.rglob("*") if path.is_file() and path not in ours]
        assert len(files) > 20
        assert not [path for path in files if secret.encode() in path.read_bytes()]
        assert not [path for path in tmp_path.rglob("*") if secret in str(path)]
    processes = (tmp_path / "processes.txt").read_text().splitlines()
    typed = tuple(f"{pid} " for pid in drivers)
    assert any(line.startswith(typed) for line in processes)
    assert not [line for line in processes if not line.startswith(typed) and any(secret in line for secret in SECRETS)]
    assert out.stat().st_mode & 0o777 == 0o700
