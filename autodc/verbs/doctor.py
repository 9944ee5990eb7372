"""Looks at each thing a night needs of this machine or cluster: the Python call behind `autodc doctor`."""

from __future__ import annotations

import os
import queue
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from autodc.adapters.calling import is_program
from autodc.adapters.doctor import here
from autodc.adapters.doctor.check import Check
from autodc.adapters.doctor.clock import clock
from autodc.adapters.doctor.disks import disk, existing
from autodc.adapters.doctor.gpu import gpus
from autodc.adapters.doctor.limits import limits
from autodc.adapters.doctor.store import store
from autodc.adapters.doctor.versions import versions
from autodc.adapters.doctor.workers import token, workers
from autodc.adapters.executors.pool import LOCAL
from autodc.adapters.mlflow.store import absolute_uri
from autodc.adapters.mlflow.target import OFF
from autodc.studyfile.study import MachineSpec, TrackingSpec

QUICK_SECONDS = 20.0
"""How long a look at this machine may take: a network disk that is away answers never."""
SLOW_SECONDS = 200.0
"""How long Ray, MLflow and the GPU may, all with deadlines of their own below it."""
LEAVE_SECONDS = 4.0
"""How long one that was interrupted may take to clear up."""

Look = Callable[[], Check]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """All that was looked at."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing failed; a warning is no failure."""
        return all(check.status != "fail" for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """The examination as `--json` prints it."""
        return {"checks": [check.to_dict() for check in self.checks], "passed": self.passed}


def doctor(
    machine: MachineSpec | None = None, uri: str | None = None, told: Callable[[Check], None] = lambda check: None
) -> Examination:
    """Look at everything; nothing stays of it. No look takes longer than its deadline.

    machine: left out: this one, Ray on all cores; uri: of the MLflow store, left out the study file's default; told:
    each check as soon as it is known.
    """
    machine = machine or MachineSpec()
    checks: list[Check] = []
    if machine.address == LOCAL:  # as `run` reads it
        machine = machine.model_copy(update={"address": None})
    for check in _checks(machine, uri or TrackingSpec().uri, dict(os.environ)):
        told(check)
        checks.append(check)
    return Examination(checks=tuple(checks))


def within(name: str, seconds: float, look: Look, leave: threading.Event | None = None) -> Check:
    """What a look came to; one that takes longer has failed and is left behind, one that raises has failed too.

    leave: set where somebody interrupts; the look then has some seconds to clear up.
    """
    answers: queue.SimpleQueue[Check] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(look())
        except Exception as error:  # whatever a strange machine does to a look
            found = f"{type(error).__name__}: {error}"
            answers.put(Check(name=name, status="fail", found=found, mend="the look itself failed"))

    looking = threading.Thread(target=run, name=f"doctor {name}", daemon=True)
    looking.start()
    try:
        return answers.get(timeout=seconds)
    except KeyboardInterrupt:
        if leave is not None:
            leave.set()
            looking.join(LEAVE_SECONDS)
        raise
    except queue.Empty:
        mend = "something below it hangs: a network disk, a driver, a server"
        return Check(name=name, status="fail", found=f"no answer within {seconds:g} s", mend=mend)


def _checks(machine: MachineSpec, uri: str, environment: Mapping[str, str]) -> Iterator[Check]:
    allowed = limits()
    yield from versions(machine)
    quick: dict[str, Look] = {
        "cores": lambda: here.cores(machine, allowed),
        "memory": lambda: here.memory(machine, allowed),
        "/dev/shm": lambda: here.shared_memory(machine),
        "open files": lambda: here.descriptors(machine),
        "threads": lambda: here.threads(machine, environment),
        **{name: _disk(name, *where) for name, where in _folders(machine).items()},
        "clock": lambda: clock(existing(Path("runs")), environment),
    }
    for name, look in quick.items():
        yield within(name, QUICK_SECONDS, look)
    if machine.on_finish:
        yield _release(machine.on_finish[0])
    yield within("gpu", SLOW_SECONDS, lambda: gpus(machine, environment))
    address = uri if uri == OFF else absolute_uri(uri, Path.cwd())
    yield within("mlflow store", SLOW_SECONDS, lambda: store(address))
    if machine.runner != "inline":
        yield token(machine, environment)
    name, leave = "workers" if machine.runner == "inline" else "ray", threading.Event()
    yield within(name, SLOW_SECONDS, lambda: workers(machine, leave.is_set), leave)


def _folders(machine: MachineSpec) -> dict[str, tuple[Path, str]]:
    """Where a run writes, and what helps where it cannot."""
    found = {"disk: runs": (Path("runs"), "`run --out DIR` writes elsewhere")}
    if machine.cache_dir is not None:
        found["disk: cache"] = (Path(machine.cache_dir), "name another cache_dir in the machine file")
    found["disk: temp"] = (Path(tempfile.gettempdir()), "TMPDIR names another folder")
    return found


def _disk(name: str, folder: Path, mend: str) -> Look:
    return lambda: disk(name, folder, mend)


def _release(program: str) -> Check:
    """The program that is to release machines at the end."""
    if is_program(program):
        return Check(name="on_finish", found=f"{program} is there")
    mend = "install it, or give its whole path in the machine file"
    return Check(name="on_finish", status="fail", found=f"there is no program {program}", mend=mend)
