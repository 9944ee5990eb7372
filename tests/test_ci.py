"""The script of CI: a kit or slow tests that fail, fail it; the kit is shown, and ended where it hangs."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

RUN = Path(__file__).resolve().parents[1] / ".ci" / "run"
KIT = "echo the kit speaks"


def project(folder: Path, kit: str, slow: str = "true", seconds: int = 100) -> subprocess.Popen[str]:
    """Start the script on a machine that has all it asks for, where `make` and the kit are a line of shell."""
    home = folder / "project"
    programs = dict.fromkeys(("git", "chromium", "python3", "dpkg"), "true")
    programs["make"] = f'case "$1" in test-slow) {slow} ;; esac'
    for path, does in {
        **{folder / "bin" / name: does for name, does in programs.items()},
        home / ".venv" / "bin" / "python": 'exec bash "$1"',
        folder / "shared" / "contract" / "check.py": kit,
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/bash\n{does}\n")
        path.chmod(0o755)
    (home / ".ci").mkdir()
    shutil.copy(RUN, home / ".ci" / "run")
    known = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "KIT_SECONDS": str(seconds)}
    how: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "env": known}
    return subprocess.Popen(["bash", str(home / ".ci" / "run")], **how)


@pytest.mark.parametrize(
    ("kit", "slow", "passes", "words"),
    [
        (KIT, "true", True, "== all passed"),
        (f"{KIT}; exit 3", "true", False, "contract kit: exit 3"),
        (KIT, "exit 5", False, "make test-slow: exit 5"),
    ],
)
def test_what_fails_is_a_failure_and_the_kit_is_shown(
    tmp_path: Path, kit: str, slow: str, passes: bool, words: str
) -> None:
    process = project(tmp_path, kit, slow)
    told, _ = process.communicate(timeout=300)
    assert (process.returncode == 0) is passes, told
    assert told.count("the kit speaks") == 1
    assert words in told
    assert (tmp_path / "project" / "build" / "contract_kit.log").is_file()


@pytest.mark.slow
def test_a_kit_that_hangs_is_ended_and_shown(tmp_path: Path) -> None:
    process = project(tmp_path, f"{KIT}; sleep 600", seconds=3)
    told, _ = process.communicate(timeout=300)
    assert process.returncode != 0
    assert told.count("the kit speaks") == 1
    assert "the contract kit was ended after 3 s" in told


def test_who_ends_the_script_ends_what_the_kit_started_and_is_shown_it(tmp_path: Path) -> None:
    ends = "while ! [ -s pid ]; do sleep .01; done; kill $PPID"
    process = project(tmp_path, f"{KIT}; sleep 600 & echo $! > pid; wait", ends)
    told, _ = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "the kit speaks" in told
    try:
        child = os.pidfd_open(int((tmp_path / "project" / "pid").read_text()))
    except ProcessLookupError:
        return
    assert select.select([child], [], [], 30)[0], "it has ended"
    os.close(child)
