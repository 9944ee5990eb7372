"""What tests of Ray share: its processes, slots that are seen at work, and a study that takes its time."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import psutil
import yaml

from autodc.testing.waiting import until
from autodc.testing.worlds.cells import write_world

SLOTS = 2
HOUR = 3600.0
PATIENCE = 400.0
COMMAND = [sys.executable, "-c", "import sys; sys.argv[0] = 'autodc'; from autodc.cli.main import main; main()"]


def all_slots_train(executor: Any, jobs: Any, seconds: float = PATIENCE) -> None:
    """Every slot is seen training at the same time, within so many seconds."""
    files = [jobs.folder / f"busy-{jobs.made}-{k}" for k in range(executor.slots)]
    for file in files:
        executor.submit(jobs("sleep", seconds=HOUR, pid_file=str(file)))
    until(lambda: all(f.exists() and f.read_text() != "" for f in files), "all slots train", seconds)


def command_of(process: Any) -> Any:
    """The command line of a process, which may be gone."""
    try:
        return process.cmdline() or [""]
    except psutil.Error:
        return [""]


def below(process: Any, word: Any) -> Any:
    """The process below `process` that has `word` in its command line's beginning."""
    found = [p for p in process.children(recursive=True) if word in os.path.basename(command_of(p)[0])]
    assert found, f"no {word} below {process}"
    return found[0]


def pool() -> Any:
    """The process that holds Ray for this one."""
    (found,) = [p for p in psutil.Process().children() if "autodc.adapters.executors.pool" in command_of(p)]
    return found


def slow_study(folder: Path, machine: Any, out: Path | None = None) -> Any:
    """A study whose trainer, named by a relative path, takes its time, and what the command needs to run it."""
    (folder / "slow.py").write_text(
        "import pathlib, time\n"
        "from autodc.testing.worlds.cells import CellTrainer\n"
        "class Slow:\n"
        "    def train(self, job):\n"
        "        pathlib.Path(__file__).with_name('begun').touch()\n"
        "        if pathlib.Path(__file__).with_name('slow').exists():\n"
        "            time.sleep(3600)\n"
        "        return CellTrainer().train(job)\n"
    )
    study = write_world(folder, budget__trainings=24, loop__rounds=1, task__trainer="slow.py:Slow")
    (folder / "machine.yaml").write_text(yaml.safe_dump({"max_concurrent": 2, **machine}))
    return ["run", str(study), "--machine", str(folder / "machine.yaml"), "--out", str(out or folder / "out"), "--json"]


def environment() -> Any:
    """What a command of a checkout needs around it."""
    root = str(Path(__file__).parents[3])
    return {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
