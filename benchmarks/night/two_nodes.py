"""A study on a cluster whose nodes are lost: one is killed, one freezes; how long until their trials train again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, final

from autodc.adapters.journal import state_of
from autodc.testing.waiting import until
from autodc.testing.worlds.cells import CellTrainer, write_world
from autodc.trial.trainer import Trained, TrainingJob
from benchmarks.night.busy import COMMAND
from benchmarks.night.nodes import ROOT, Nodes, freeze, kill, why_not
from benchmarks.night.part import RUNNERS, Figures, Part

SECONDS, LOOK = 3.0, 0.05
PATIENCE = 300.0
PORT = 6379
RAY = [
    sys.executable,
    "-m",
    "ray.scripts.scripts",
    "start",
    "--num-cpus=1",
    "--block",
    "--object-store-memory=80000000",
]
STARTED = "Ray runtime started"
HEAD, KILLED, FROZEN = 1, 2, 3


@final
class Slow:
    """Says in the shared folder where and when it trains, takes some seconds until all is seen, then trains."""

    def __init__(self, shared: str) -> None:
        self._shared = Path(shared)

    def train(self, job: TrainingJob) -> Trained:
        """Tell, sleep, count."""
        begun = time.time()
        with (self._shared / "starts").open("a") as told:
            told.write(f"{socket.gethostname()} {job.out.name} {job.seed} {begun}\n")
        while time.time() - begun < SECONDS and not (self._shared / "enough").exists():
            time.sleep(LOOK)
        return replace(CellTrainer().train(job), train_seconds=time.time() - begun)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One training that began."""

    host: str
    number: int
    attempt: int
    seed: int
    time: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A node that was lost while it trained."""

    at: float
    lost: Start
    again: Start
    """The next attempt at the same trial."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What came of it."""

    killed: Loss
    frozen: Loss
    state: Any
    """Of the finished study."""


def night(folder: Path, runner: str) -> Night:
    """Run a study on three nodes; kill one, freeze another, let the head go on alone."""
    shared, ray = folder / "shared", Path(tempfile.mkdtemp(prefix="adc", dir="/tmp"))
    shared.mkdir()
    env = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
    env |= {"PYTHONPATH": str(ROOT), "HOME": "/root", "TMPDIR": "/tmp"}
    nodes = Nodes(folder, shared)
    try:
        where = f"{nodes.address(HEAD)}:{PORT}"
        with (folder / "head.log").open("w") as log:
            options = ["--head", f"--port={PORT}", f"--temp-dir={ray}", "--include-dashboard=false"]
            head = nodes.head([*RAY, *options, f"--node-ip-address={nodes.address(HEAD)}"], env, stdout=log, stderr=log)
        _up(folder / "head.log", head)
        lost = {}
        for number in (KILLED, FROZEN):
            with (folder / f"node-{number}.log").open("w") as log:
                joins = [*RAY, f"--address={where}", f"--node-ip-address={nodes.address(number)}"]
                lost[number] = nodes.node(number, joins, env, stdout=log, stderr=log)
        for number, node in lost.items():
            _up(folder / f"node-{number}.log", node)
        study = write_world(
            folder,
            task__trainer="benchmarks.night.two_nodes:Slow",
            task__options={"shared": str(shared)},
            search__trials_per_round=40,
            search__lag=6,
            loop__rounds=1,
            budget__trainings=80,
        )
        machine = folder / "machine.yaml"
        settings = f"runner: {runner}\naddress: {where}\nmax_concurrent: 3\nretries: 3\ncache_dir: {shared}/cache\n"
        machine.write_text(settings)
        words = ["run", str(study), "--machine", str(machine), "--out", str(shared / "out"), "--json"]
        with (folder / "run.json").open("w") as out, (folder / "run.err").open("w") as err:
            driver = nodes.head([*COMMAND, *words], env, stdout=out, stderr=err)
        killed = _lost(shared, driver, KILLED, lambda: kill(lost[KILLED]))
        frozen = _lost(shared, driver, FROZEN, lambda: freeze(lost[FROZEN]))
        (shared / "enough").write_text("")
        if driver.wait(PATIENCE):
            raise RuntimeError((folder / "run.err").read_text()[-3000:])
        return Night(killed=killed, frozen=frozen, state=state_of(shared / "out"))
    finally:
        nodes.close()
        shutil.rmtree(ray, ignore_errors=True)


def lost_nodes(runner: str, quick: bool) -> Figures:
    """Figures of both losses."""
    if why := why_not():
        return {"not measured": why}
    with tempfile.TemporaryDirectory() as folder:
        found = night(Path(folder), runner)
    both = (found.killed, found.frozen)
    return {
        "killed: back at work after, s": f"{found.killed.again.time - found.killed.at:.1f}",
        "frozen: back at work after, s": f"{found.frozen.again.time - found.frozen.at:.1f}",
        "goal, s": "30",
        "same number and seed": "yes" if all(one.again.seed == one.lost.seed for one in both) else "no",
        "trials": str(len(found.state.trials)),
        "trials lost": str(sum(t.outcome is None or t.outcome.status != "done" for t in found.state.trials)),
    }


def _lost(shared: Path, driver: subprocess.Popen[Any], number: int, end: Callable[[], None]) -> Loss:
    """Wait until a node trains, end it, and wait until what it trained trains elsewhere."""
    since, host = time.time(), f"node-{number}"

    def trains() -> Start | None:
        return next((s for s in reversed(_starts(shared)) if s.host == host and s.time > since), None)

    begun = until(trains, f"{host} trains", PATIENCE, driver)
    assert begun is not None
    at = time.time()
    end()

    def again() -> Start | None:
        mine = (s for s in _starts(shared) if s.number == begun.number and s.attempt > begun.attempt)
        return next(mine, None)

    elsewhere = until(again, "it trains again", PATIENCE, driver)
    assert elsewhere is not None
    return Loss(at=at, lost=begun, again=elsewhere)


def _starts(shared: Path) -> list[Start]:
    """Trainings of the search that began so far: the folder of an attempt tells its number."""
    found, file = [], shared / "starts"
    for line in file.read_text().splitlines() if file.exists() else ():
        host, name, seed, at = line.split()
        if (words := name.split("-"))[0] == "trial" and len(words) == 3:
            found.append(Start(host=host, number=int(words[1]), attempt=int(words[2]), seed=int(seed), time=float(at)))
    return found


def _up(log: Path, process: subprocess.Popen[Any]) -> None:
    def has_started() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"{log.stem}: {log.read_text()[-3000:]}")
        return STARTED in log.read_text()

    until(has_started, f"{log.stem} is up", PATIENCE)


PART = Part(
    title="Nodes that are lost",
    words=(
        "A Ray cluster of three nodes in network namespaces, two with a file-system root of their own (cache_dir "
        f"and the folder of the run alone are shared), trainings of {SECONDS:g} s. All processes of one node are "
        "killed, those of another stopped where they stand (SIGSTOP); from then until the trial that trained there "
        "trains elsewhere. Needs root and a kernel that lets namespaces be made."
    ),
    cases={f"one killed, one frozen: {runner}": partial(lost_nodes, runner) for runner in RUNNERS},
)
