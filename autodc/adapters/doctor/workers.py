"""Workers, really: started or joined as `run` does it, given one call, and ended again."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from autodc.adapters.doctor.answering import versions
from autodc.adapters.doctor.check import Check
from autodc.adapters.doctor.disks import existing
from autodc.adapters.executors import open_executor
from autodc.adapters.executors.ray_process import environment as rays_environment
from autodc.errors import AutodcError
from autodc.study.driver import Interrupted
from autodc.studyfile.study import MachineSpec
from autodc.trial.executor import CallTask, Completion

PATIENCE = 150.0
"""Seconds until a worker must have answered; Ray alone takes 5 to 20, on a busy machine minutes."""
LISTEN_SECONDS = 1.0


def workers(machine: MachineSpec, stop: Callable[[], bool] = lambda: False) -> Check:
    """Open the executor of the machine file, have one call answered, and close it. stop: asked meanwhile."""
    name = "workers" if machine.runner == "inline" else "ray"
    begun = time.monotonic()
    told: list[str] = []

    def over() -> bool:
        return stop() or time.monotonic() - begun > PATIENCE

    try:
        with tempfile.TemporaryDirectory(prefix="autodc-doctor-", dir=_seen_by_all(machine)) as folder:
            executor = open_executor(
                machine,
                log_folder=os.path.join(folder, "logs"),
                notice=told.append,
                stop=over,
            )
            with contextlib.closing(executor):
                ready, slots = time.monotonic() - begun, executor.slots
                executor.submit(_call(folder))
                done = next(_ends(executor.wait, over), None)
    except Interrupted:
        return _late(name, told)
    except AutodcError as error:
        return Check(name=name, status="fail", found=error.brief, mend=" ".join(error.hint.split()))
    except OSError as error:
        return Check(name=name, status="fail", found=str(error), mend="see the lines on the disks")
    return _late(name, told) if done is None else _answered(name, machine, done, ready, slots)


def token(machine: MachineSpec, given: Mapping[str, str]) -> Check:
    """Who may reach Ray: its mode of authentication, as `run` will set it. given: the environment."""
    ours = machine.address is None
    mode = rays_environment(given, ours)["RAY_AUTH_MODE"]
    page = "docs/guide/cluster.md"
    if mode != "token":
        said = "RAY_AUTH_MODE is " + mode + ("" if "RAY_AUTH_MODE" in given else ": no token is given")
        found = f"{said}; who reaches Ray's ports runs code"
        mend = "unset RAY_AUTH_MODE" if ours else f"RAY_AUTH_MODE=token and RAY_AUTH_TOKEN, on every node: {page}"
        return Check(name="ray token", status="warn", found=found, mend=mend)
    if "RAY_AUTH_TOKEN" in given:
        return Check(name="ray token", found="token, of RAY_AUTH_TOKEN")
    if path := given.get("RAY_AUTH_TOKEN_PATH"):
        return _of_file(Path(path), f"RAY_AUTH_TOKEN_PATH names {path}", page)
    if ours and "RAY_AUTH_MODE" not in given:
        return Check(name="ray token", found="token, made for each run and in no file")
    usual = Path.home() / ".ray" / "auth_token"
    if ours and not usual.exists():
        found = "RAY_AUTH_MODE is token: Ray will write one into ~/.ray/auth_token"
        return Check(name="ray token", status="warn", found=found, mend="unset RAY_AUTH_MODE: each run makes its own")
    return _of_file(usual, "RAY_AUTH_MODE is token, the token in ~/.ray/auth_token", page)


def _answered(name: str, machine: MachineSpec, done: Completion, ready: float, slots: int) -> Check:
    """What a call came to. ready: seconds until the executor was open, slots: how many trainings it runs at once."""
    if done.status != "done":
        found = f"a worker came and failed: {done.error}"
        return Check(name=name, status="fail", found=found, mend="mend what it says; docs/guide/running.md tells more")
    host = done.value["host"]
    if other := [f"{key} {done.value.get(key)}, here {ours}" for key, ours in versions().items()
                 if done.value.get(key) != ours]:  # fmt: skip
        found = f"a worker on {host} has {'; '.join(other)}"
        return Check(name=name, status="warn", found=found, mend="install the same on every node, as one image has it")
    if machine.address is None:
        return Check(name=name, found=f"starts in {ready:.0f} s, {slots} at once; a worker answered")
    found = f"{machine.address} answers in {ready:.0f} s, {slots} at once; a worker on {host} answered"
    return Check(name=name, found=found)


def _of_file(file: Path, said: str, page: str) -> Check:
    try:
        there = bool(file.read_text().strip())
    except (OSError, UnicodeDecodeError):
        there = False
    if there:
        return Check(name="ray token", found=said)
    mend = f"put the cluster's token there, or into RAY_AUTH_TOKEN: {page}"
    return Check(name="ray token", status="fail", found=f"{said}, where there is none", mend=mend)


def _late(name: str, told: list[str]) -> Check:
    said = f": {told[-1]}" if told else ""
    mend = "end what keeps the machine busy, or runner: inline; `logs/ray.log` of a run says more"
    return Check(name=name, status="fail", found=f"no worker answered within {PATIENCE:g} s{said}", mend=mend)


def _seen_by_all(machine: MachineSpec) -> str | None:
    """Where the call may write: on a cluster a place that every node is to see, as a run's folder is."""
    if machine.address is None:
        return None
    return str(existing(Path(machine.cache_dir or ".")))


def _call(folder: str) -> CallTask:
    return CallTask(
        number=0,
        attempt=0,
        out=os.path.join(folder, "work", "call"),
        object=f"{__package__}.answering:answer",
        folder=folder,
        arguments={},
        timeout=PATIENCE,
    )


def _ends(wait: Callable[[float], list[Completion]], over: Callable[[], bool]) -> Iterator[Completion]:
    while not over():
        yield from wait(LISTEN_SECONDS)
