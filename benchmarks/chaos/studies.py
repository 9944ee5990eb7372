"""Small real studies that go through all phases: files, commands, and the trainer that writes down when it begins."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.testing.worlds.cells import CELLS, rows, write_world
from benchmarks.chaos.axe import hang

PATIENCE = 900.0
"""Seconds for one command; a study takes about three, with Ray half a minute."""
IMPORTED = ("autodc.cli.main", "autodc.verbs.run", "autodc.wire.diagnosis", "autodc.wire.proposing", "optuna")
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

class Broken:
    parameters = {{"bright": {{"type": "float", "low": 0.0, "high": 1.0}}}}
    def generate(self, parameters, rows, seed):
        raise ValueError("this generator is broken, as planned")
"""
SMALL = {"budget__trainings": 40, "loop__rounds": 1, "loop__findings": 0}
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "given": {"budget__trainings": 60, "baselines": ["constant"], "search__sampler": "mixture"},
    "forked": {**SMALL, "search__probes": "fork", "search__trials_per_round": 16, "gate__evidence": "each"},
    "cheap": {**SMALL, "search__fidelity": {"low": 0.25, "pairs": 8}, "search__trials_per_round": 16},
    "mined": {
        "budget__trainings": 70,
        "slices": [{"name": "overall", "role": "target"}],
        "data__candidates": None,
        "data__pool": {"source": "data/pool.npz", "cost_per_row": 0.01},
        "data__generators": [{"name": "broken", "generator": "logged.py:Broken", "rows": 40}],
        "loop__propose": ["pool", "generate"],
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
    np.savez(folder / "data" / "pool.npz", **_pool(np.random.default_rng(seed)))
    (folder / "machine.yaml").write_text(f"{machine}\n")
    return Study(name, file, folder / "machine.yaml")


def _pool(rng: np.random.Generator) -> dict[str, Any]:
    """Rows of which a tenth are of the dark cells, which the base does not know."""
    bright, dark = rows(rng, 1800, np.arange(CELLS // 2)), rows(rng, 200, np.arange(CELLS // 2, CELLS))
    return {name: np.concatenate([bright[name], dark[name]]) for name in bright}


@final
class Command:
    """A command of autodc in a process of its own, forked from one that has imported what it needs.

    A kill a second or two after a start would else meet imports alone.

    axe: where it ends itself (`axe.hang`).
    """

    def __init__(self, words: Sequence[str], axe: Sequence[str] = ()) -> None:
        self._said = tempfile.NamedTemporaryFile("r")  # noqa: SIM115
        context = get_context("forkserver")
        context.set_forkserver_preload(list(IMPORTED))
        self._process = context.Process(target=_run, args=(list(words), list(axe), self._said.name))
        self._process.start()

    @property
    def code(self) -> int | None:
        """Its exit code, minus the number of the signal that ended it; None while it runs."""
        return self._process.exitcode

    def signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self._process.pid is not None and self.code is None:
            os.kill(self._process.pid, number)

    def ended(self, seconds: float = PATIENCE) -> int | None:
        """Wait for its end, at most so long; its exit code."""
        self._process.join(seconds)
        return self.code

    def said(self) -> str:
        """What it said last."""
        return self._said.read()[-2000:]


def finish(study: Study, out: Path, fails: Callable[[str], object]) -> None:
    """Give all commands, also those that are done; fails: told what went wrong."""
    for words in study.commands(out):
        command = Command(words)
        if code := command.ended():
            fails(f"{study.name}: `autodc {' '.join(words)}` ended with {code}: {command.said()}")


def calm(study: Study, out: Path) -> Path:
    """The folder of the same study, whose runs nobody disturbs."""

    def fails(said: str) -> None:
        raise SystemExit(said)

    finish(study, out, fails)
    return out


def _run(words: list[str], axe: list[str], said: str) -> None:
    """The command, in the fork."""
    for number, path in ((1, os.devnull), (2, said)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND), number)
    sys.stdout, sys.stderr = (open(n, "w", buffering=1, closefd=False) for n in (1, 2))  # noqa: SIM115
    sys.argv = ["autodc", *words]
    if axe:
        hang(*axe)
    from autodc.cli.main import main

    main()
