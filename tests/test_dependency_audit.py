"""What CI says of the dependencies: with PyPI in reach, with a stored list, and with neither."""

from __future__ import annotations

import datetime
import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / ".ci" / "audit.py"
NOWHERE = "http://127.0.0.1:9/"
TODAY = datetime.datetime.now(datetime.UTC).date().isoformat()
Audit = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Run the script on two pins; answer: what pip-audit says."""
    (tmp_path / "constraints.txt").write_text("# pinned\naiohttp==1.0\nzict==2.0\n")

    def run(*words: str, probe: str = NOWHERE, answer: object = None) -> subprocess.CompletedProcess[str]:
        (tmp_path / "answer.json").write_text(json.dumps(answer))
        command = [sys.executable, str(SCRIPT), "--constraints", str(tmp_path / "constraints.txt")]
        command += ["--list", str(tmp_path / "audit.json"), *words]
        says = f"{sys.executable} -c \"print(open('{tmp_path / 'answer.json'}').read())\""
        known = {"AUDIT_PROBE": probe, "PIP_AUDIT": says}
        return subprocess.run(command, env=known, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def pypi(tmp_path: Path) -> Iterator[str]:
    """Something that answers."""

    class Quiet(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def keep(folder: Path, found: dict[str, list[str]], accepted: dict[str, str] | None = None, date: str = TODAY) -> None:
    (folder / "audit.json").write_text(json.dumps({"date": date, "found": found, "accepted": accepted or {}}))


def test_without_network_and_list_nothing_is_claimed_and_nothing_fails(audit: Audit) -> None:
    said = audit()
    assert said.returncode == 0, said.stderr
    assert "nothing was audited" in said.stdout
    assert audit("--store").returncode == 3


def test_a_stored_list_speaks_for_the_versions_it_was_made_of(audit: Audit, tmp_path: Path) -> None:
    keep(tmp_path, {"aiohttp==1.0": [], "zict==1.9": ["PYSEC-1"]})
    said = audit()
    assert said.returncode == 0, said.stderr
    assert f"from the list of {TODAY}\nnot audited: 1 of 2 (zict==2.0)\n0 known" in said.stdout
    keep(tmp_path, {"aiohttp==1.0": ["PYSEC-1", "PYSEC-2"], "zict==2.0": []}, date="2020-01-01")
    said = audit()
    assert said.returncode == 1
    assert "make it again" in said.stdout
    assert "aiohttp==1.0: PYSEC-2\n2 known" in said.stdout


def test_what_was_accepted_is_told_with_its_reason_and_fails_nothing(audit: Audit, tmp_path: Path) -> None:
    keep(tmp_path, {"aiohttp==1.0": ["PYSEC-1"], "zict==2.0": []}, {"PYSEC-1": "servers alone"})
    said = audit()
    assert (said.returncode, "accepted: servers alone" in said.stdout) == (0, True)


def test_where_pypi_can_be_asked_it_is_and_the_answer_can_be_stored(audit: Audit, pypi: str, tmp_path: Path) -> None:
    answer = {"dependencies": [
        {"name": "aiohttp", "version": "1.0", "vulns": [{"id": "PYSEC-9"}]}, {"name": "zict", "skip_reason": "unknown"},
    ]}  # fmt: skip
    said = audit("--store", probe=pypi, answer=answer)
    assert said.returncode == 1, said.stderr
    assert "aiohttp==1.0: PYSEC-9\nnot audited: 1 of 2" in said.stdout
    assert json.loads((tmp_path / "audit.json").read_text())["date"] == TODAY
    assert audit().returncode == 1
    assert audit(probe=pypi, answer="an error").stdout.startswith("from the list of")
