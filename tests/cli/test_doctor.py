"""`autodc doctor`: a line for each thing, how to mend it, exit codes, and nothing that stays."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from autodc.adapters.doctor.check import Check
from autodc.verbs.doctor import doctor, within

NAMES = ("cores", "memory", "/dev/shm", "open files", "threads", "disk: runs", "clock", "gpu", "mlflow store")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def machine(place: Path, text: str) -> Path:
    file = place / "machine.yaml"
    file.write_text(text)
    return file


def test_a_look_that_hangs_or_raises_fails_and_holds_nothing_up() -> None:
    for_ever = threading.Event()
    late = within("disk", 0.05, lambda: Check(name="disk", found=str(for_ever.wait())))
    assert (late.status, late.name) == ("fail", "disk")
    for_ever.set()
    raised = within("disk", 5.0, lambda: Check(name="disk", found=str(1 // 0)))
    assert (raised.status, "ZeroDivisionError" in raised.found) == ("fail", True)


def test_a_machine_file_that_is_wrong_ends_with_2(autodc: Any, place: Path) -> None:
    said = autodc("doctor", "--machine", machine(place, "runer: inline\n"))
    assert (said.code, said.out) == (2, "")
    assert "runer" in said.err


@pytest.mark.slow(seconds=4)
def test_a_machine_that_trains_alone_is_well_and_told_in_lines(autodc: Any, place: Path) -> None:
    said = autodc("doctor", "--machine", machine(place, "runner: inline\n"))
    assert said.code == 0, said.out
    lines = said.out.splitlines()
    assert max(map(len, lines)) <= 80
    told = [line[6:19].strip() for line in lines if line.startswith(("ok ", "warn ", "fail "))]
    assert [name for name in (*NAMES, "workers") if name not in told] == []
    assert "ray token" not in told
    assert list((place / "here").iterdir()) == []


@pytest.mark.slow(seconds=15)
def test_ray_is_really_started_and_ended(autodc: Any, place: Path) -> None:
    said = autodc("doctor", "--machine", machine(place, "max_concurrent: 1\n"), "--json")
    found = json.loads(said.out)
    checks = {check["name"]: check for check in found["checks"]}
    assert set(checks["ray"]) == {"name", "status", "found", "mend"}
    assert checks["ray"]["status"] == "ok", checks["ray"]
    assert checks["ray token"]["status"] == "ok"
    assert (said.code, found["passed"]) == (0, True)
    assert list((place / "here").iterdir()) == []
    below = [word for child in psutil.Process().children(recursive=True) for word in child.cmdline()]
    assert not [word for word in below if "executors.pool" in word or "raylet" in word]


@pytest.mark.slow(seconds=6)
def test_what_will_not_do_ends_with_3_and_says_the_mend(autodc: Any, place: Path) -> None:
    bad = 'address: "127.0.0.1:1"\non_finish: [no-such-program, now]\n'
    said = autodc("doctor", "--machine", machine(place, bad), "--uri", "http://127.0.0.1:1")
    assert said.code == 3
    lines = said.out.splitlines()
    for name in ("ray ", "on_finish", "mlflow store"):
        (k,) = [k for k, line in enumerate(lines) if line.startswith(f"fail  {name}")]
        assert lines[k + 1].startswith("      ")
    assert max(map(len, lines)) <= 80


@pytest.mark.slow(seconds=3)
def test_each_check_is_told_as_soon_as_it_is_known(place: Path) -> None:
    from autodc.studyfile.study import MachineSpec

    told: list[Check] = []
    found = doctor(MachineSpec(runner="inline"), "none", told.append)
    assert tuple(told) == found.checks
    assert found.to_dict()["passed"] is found.passed
