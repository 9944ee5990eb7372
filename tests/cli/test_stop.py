"""A run that is asked to stop does so in seconds, whatever its training does, and says how to go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from autodc.testing.waiting import PATIENCE, until
from autodc.testing.worlds.cells import write_world

HANGS = """
import ctypes, os, pathlib
class Hangs:
    def train(self, job):
        pathlib.Path(__file__).with_name("pid").write_text(str(os.getpid()))
        ctypes.PyDLL(None).pause()
"""
SLOW_READER = """
import pathlib, time
def rows():
    pathlib.Path(__file__).with_name("pid").write_text("0")
    time.sleep(600)
"""
PROMISED = 5.0
"""Seconds in which a run stops."""
BUSY = 12.0
"""How many times as long a busy machine may take."""


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path) -> Iterator[None]:
    """A run that does not stop fails its test, and is ended with it."""
    yield
    for process in psutil.process_iter(["cmdline"]):
        if any(str(tmp_path) in word for word in process.info["cmdline"] or ()):
            process.kill()


def begun(folder: Path, study: Path, machine: Path, *words: object) -> subprocess.Popen[str]:
    """A run that has got as far as its trainer or source says."""
    heard = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)"  # nohup has it ignored by all below it
    program = f"{heard}; import sys; sys.argv[0] = 'autodc'; from autodc.cli import main; main()"
    command = [sys.executable, "-c", program, "run", study, "--machine", machine, "--out", folder / "out", *words]
    process = subprocess.Popen(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    until(lambda: (folder / "pid").exists() and (folder / "pid").read_text(), "it trains or reads", PATIENCE, process)
    return process


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, *(pytest.param(n, marks=pytest.mark.slow) for n in (signal.SIGHUP, signal.SIGINT))]
)
def test_a_hanging_training_holds_up_no_stop(inline: Any, tmp_path: Path, number: Any) -> None:
    (tmp_path / "hangs.py").write_text(HANGS)
    process = begun(tmp_path, write_world(tmp_path, task__trainer="hangs.py:Hangs"), inline)
    training = psutil.Process(int((tmp_path / "pid").read_text()))
    assert training.pid != process.pid
    process.send_signal(number)
    out, err = process.communicate(timeout=BUSY * PROMISED)
    assert process.returncode == 130, err
    assert out == ""
    assert "stopped; the journal is whole. Go on with:" in err
    assert f"autodc run {tmp_path / 'study.yaml'}" in err
    assert not training.is_running() or training.status() == psutil.STATUS_ZOMBIE


@pytest.mark.slow
def test_a_run_that_reads_its_data_stops_too(inline: Any, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW_READER)
    study = write_world(tmp_path, data__base={"source": "slow.py:rows"})
    process = begun(tmp_path, study, inline)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=BUSY * PROMISED)
    assert process.returncode == 130, err
    assert "Go on with:" in err


def test_what_nohup_ignores_stays_ignored() -> None:
    from autodc.cli.live import Stop

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stop(lambda words: None) as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop()
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_second_interrupt_ends_at_once_and_handlers_are_given_back() -> None:
    from autodc.cli.live import Stop

    before, said = signal.getsignal(signal.SIGINT), []
    with Stop(said.append) as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before
    assert said == ["stopping: what is under way will be trained again on resume"]


def test_a_terminal_that_went_away_does_not_hold_up_a_stop() -> None:
    from autodc.cli.live import Stop

    def gone(words: Any) -> None:
        raise OSError(5, "Input/output error")

    with Stop(gone) as stop:
        signal.raise_signal(signal.SIGHUP)
        assert stop()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_verb_that_reads_files_ends_like_ctrl_c(tmp_path: Path, number: Any) -> None:
    (tmp_path / "reader.py").write_text(SLOW_READER)
    study = write_world(tmp_path, data__base={"source": "reader.py:rows"})
    heard = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)"
    program = f"{heard}; from autodc.cli import main; main()"
    command = [sys.executable, "-c", program, "check", str(study)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until((tmp_path / "pid").exists, "it reads", PATIENCE, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=BUSY * PROMISED)
    assert (process.returncode, out, err.strip()) == (130, "", "interrupted")
