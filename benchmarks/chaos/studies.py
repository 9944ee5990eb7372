"""Small real studies that go through all phases: files, commands, and the trainer that writes down when it begins."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autodc.testing.worlds.cells import CELLS, rows, write_world

PATIENCE = 900.0
"""Seconds for one command; a study takes about three, with Ray half a minute."""
LOG = "trainings.log"
TRAINER = f"""
import time

from autodc.testing.worlds.cells import CellTrainer

class Logged:
    def __init__(self, seconds=0.0):
        self.seconds = seconds
    def train(self, job):
        self.begins(job.out)
        return CellTrainer().train(job)
    def fork(self, job):
        self.begins(job.training.out)
        return CellTrainer().fork(job)
    def begins(self, out):
        with open(out.parent.parent / "{LOG}", "ab") as log:
            log.write(f"{{out.name}} {{time.time()!r}}\\n".encode())
        time.sleep(self.seconds)
"""
SMALL = {"budget__trainings": 40, "loop__rounds": 1}
POOL = {"source": "data/pool.npz", "cost_per_row": 0.01}
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "given": {"budget__trainings": 60, "baselines": ["constant"], "search__sampler": "mixture"},
    "forked": {**SMALL, "search__probes": "fork", "search__trials_per_round": 16, "gate__evidence": "each"},
    "cheap": {
        **SMALL,
        "budget__trainings": 50,
        "search__fidelity": {"low": 0.25, "pairs": 8},
        "search__trials_per_round": 24,
    },
    "mined": {
        "budget__trainings": 60,
        "data__candidates": None,
        "data__pool": POOL,
        "loop__propose": ["pool"],
    },
    "grown": SMALL,
    "opened": SMALL,
}
"""Study → what it changes of the world of cells."""
LATER: Mapping[str, Sequence[Sequence[str]]] = {
    "given": [("compare", "OUT", "--milestone", "first")],
    "grown": [("run", "--set", "loop.rounds=2", "--set", "budget.trainings=70")],
}
"""What is asked of a study once the first command is done. OUT: its folder; `run` has all else that it needs."""
FIRST: Mapping[str, Sequence[str]] = {"opened": ("run", "--open-test")}


@dataclass(frozen=True)
class Study:
    """A study file, the machine it runs on, and the commands that make the whole of it."""

    name: str
    file: Path
    machine: Path

    def commands(self, out: Path) -> list[list[str]]:
        """What is asked one after the other, in a folder of its own."""
        found = []
        for verb, *more in (FIRST.get(self.name, ("run",)), *LATER.get(self.name, ())):
            usual = [self.file, "--machine", self.machine, "--out", out, "--json"] if verb == "run" else []
            found.append([verb, *map(str, usual), *(str(out) if word == "OUT" else word for word in more)])
        return found


def written(folder: Path, name: str, seed: int = 3, seconds: float = 0.0, machine: str = "runner: inline") -> Study:
    """Write a study with another seed for each call that shall be another one. seconds: how long a training takes."""
    task = {"kind": "classification", "trainer": "logged.py:Logged", "options": {"seconds": seconds}}
    file = write_world(folder, **{**CHANGES[name], "seed": seed, "task": task})
    (folder / "logged.py").write_text(TRAINER)
    np.savez(folder / "data" / "pool.npz", **dict(rows(np.random.default_rng(seed), 1500, np.arange(CELLS))))
    (folder / "machine.yaml").write_text(f"{machine}\n")
    return Study(name, file, folder / "machine.yaml")


def start(words: Sequence[str], through: Sequence[str] = (), before: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Begin a command as a process of its own. through: a module, with its arguments, that runs it; before: a program
    that is given the whole of it."""
    program = ["-m", *through] if through else ["-c", "from autodc.cli.main import main; main()"]
    return subprocess.Popen(
        [*before, sys.executable, *program, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        },
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end of a command: its exit code, and what it said last."""
    _, err = process.communicate(timeout=PATIENCE)
    return process.returncode, err[-2000:]


def finish(study: Study, out: Path, fails: Callable[[str], object]) -> None:
    """Give all commands, also those that are done; fails: told what went wrong."""
    for words in study.commands(out):
        code, said = ended(start(words))
        if code:
            fails(f"{study.name}: `autodc {' '.join(words)}` ended with {code}: {said}")


def calm(study: Study, out: Path) -> Path:
    """The folder of the same study, whose runs nobody disturbs."""

    def fails(said: str) -> None:
        raise SystemExit(said)

    finish(study, out, fails)
    return out
