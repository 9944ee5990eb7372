"""The process that holds Ray: `python -P -m autodc.adapters.executors.pool CONTROL LIFELINE PARENT`.

Ray takes over the process it is started in: it replaces what SIGTERM does, ends the process with a C++ stack when
its own processes die, and grows with every trial. So the driver of a study never imports it. This process starts
Ray, or joins a cluster, keeps one worker per slot alive there, and tells the driver how it goes; the trainings
themselves go over the driver's server. When Ray is gone it ends, and the driver starts another
(`keeper.Keeper`).

From the driver: an Opening, then a Service, then `("ended", tasks)`, `("slots", n)` and `("close",)`. To the driver:
`("refused", error)` or `("ready", slots, room, host)`, then `("alive", words, said, room)`, `("broken", deaths, why)`,
`("over", why)`.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol, final

from autodc.adapters.executors.deaths import Orders, WorkerDeaths
from autodc.adapters.executors.lifeline import die_with
from autodc.adapters.executors.link import DriverAddress
from autodc.adapters.executors.own_ray import VITAL, patience, spared
from autodc.errors import AutodcError, InputError, SurroundingsError
from autodc.studyfile.study import MachineSpec

OBJECT_STORE_BYTES = 80 * 2**20
"""Ray's own minimum is 75 MB; data and outcomes do not travel through it."""
LOOPBACK = "127.0.0.1"
LOCAL = "local"
BEAT_SECONDS = 3.0
"""How often the driver is told that Ray still answers."""
LOOK_SECONDS = 0.25
"""How often Ray's own processes are looked at."""
DIAL_SECONDS = 10.0
LOG_BYTES = 4096


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What Ray is to be started with."""

    machine: MachineSpec
    address: str | None
    """a cluster to join, None for a Ray of our own."""
    patience: float
    """seconds."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What the workers are for: so many of them at first, and whom they serve."""

    slots: int
    driver: DriverAddress


class Pool(Protocol):
    """Keeps one worker per slot alive on Ray, each of them serving the server."""

    def start(self) -> None:
        """Start the workers; returns at once."""
        ...

    def stop(self) -> None:
        """Let the workers go; they have been told to go home."""
        ...


def main(arguments: list[str]) -> int:
    """Hold Ray until the driver closes. CONTROL, LIFELINE: inherited descriptors; PARENT: process id."""
    control, lifeline, parent = (int(a) for a in arguments)
    for inherited in (control, lifeline):
        os.set_inheritable(inherited, False)
    die_with(parent, lifeline)
    driver = _Driver(Connection(control))
    opening: Opening = driver.receive()
    limit = threading.Timer(opening.patience, _too_late, (driver, opening))
    limit.daemon = True
    limit.start()
    try:
        ray = _start(opening)
        slots, most = _slots(ray.nodes(), opening.machine)
        limit.cancel()
        driver.tell("ready", slots, most, _host(ray, opening))
    except AutodcError as error:
        driver.tell("refused", error)
        _leave(3)
    threading.Thread(target=_watch, args=(ray, driver, opening), name="watch", daemon=True).start()
    threading.Thread(target=_beat, args=(ray, driver, opening.machine), name="beat", daemon=True).start()
    service: Service = driver.receive()
    orders = Orders(service.slots)
    deaths = WorkerDeaths(orders, service.slots, lambda n, why: driver.tell("broken", n, _last_word(ray, why)))
    pool = _pool(opening.machine, service, orders, deaths)
    pool.start()
    with contextlib.suppress(EOFError, OSError):
        while (order := driver.receive())[0] != "close":
            if order[0] == "ended":
                orders.ended = order[1]
            else:
                orders.slots = order[1]
    orders.closed = True
    pool.stop()
    ray.shutdown()
    _leave(0)
    return 0


def room(nodes: Sequence[Mapping[str, float]], machine: MachineSpec) -> int:
    """How many trials fit, node by node: a trial lies on one node, and a share of a GPU on one GPU."""
    return sum(_room_on(node, machine) for node in nodes)


@final
class _Driver:
    """This end of the line to the driver, for several threads. Without a driver there is nothing left to do."""

    def __init__(self, line: Connection[Any, Any]) -> None:
        self._line = line
        self._sending = threading.Lock()

    def receive(self) -> Any:
        return self._line.recv()

    def tell(self, *message: Any) -> None:
        with self._sending:
            try:
                self._line.send(message)
            except OSError:
                _leave(1)


def _leave(code: int) -> None:
    """End at once: what Ray registered for the end of the process may hang, and the driver clears up."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _start(opening: Opening) -> Any:
    """Start Ray or join the cluster. Raises SurroundingsError ADC-EXEC-021, whatever Ray raises."""
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}
    try:
        if opening.address is not None:
            _reach(opening.address)
            ray.init(address=opening.address, **quiet)
            return ray
        machine = opening.machine
        with patience(opening.patience), spared():
            ray.init(
                address=LOCAL,
                num_cpus=max(_cores(), math.ceil((machine.max_concurrent or 1) * machine.cpus_per_trial)),
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                _node_ip_address=LOOPBACK,
                **quiet,
            )
    except Exception as error:  # Ray raises whatever it likes, a bare Exception among it
        raise refusal(opening.address, f"{type(error).__name__}: {error}") from error
    return ray


def _too_late(driver: _Driver, opening: Opening) -> None:
    """End a start that hangs, as Ray's does where no worker comes up."""
    ray = sys.modules.get("ray")
    word = _last_word(ray, "") if ray is not None else ""
    why = f"no answer within {opening.patience:g} s"
    driver.tell("refused", refusal(opening.address, f"{why}; a worker's last line: {word}" if word else why))
    _leave(3)


def refusal(address: str | None, why: str) -> SurroundingsError:
    """What is told when Ray does not start or a cluster does not answer."""
    words = " ".join(why.split())[:400]
    if address is None:
        hint = "the machine may be too busy or short of memory: give the same command again, or set runner: inline"
        return SurroundingsError("ADC-EXEC-021", "Ray does not start", "this machine", words, hint)
    hint = "check the address, or leave it out to use the cores of this machine"
    where = f"machine file: address {address}"
    return SurroundingsError("ADC-EXEC-021", "the Ray cluster does not answer", where, words, hint)


def _reach(address: str) -> None:
    """Knock at the cluster's port: Ray itself would wait for long, or for ever. Raises OSError."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=DIAL_SECONDS).close()


def _slots(nodes: Sequence[Mapping[str, Any]], machine: MachineSpec) -> tuple[int, int]:
    """How many trials the machine file allows at once, and how many the cluster holds.

    Raises InputError ADC-EXEC-022 where it holds none.
    """
    alive = _alive(nodes)
    slots = room(alive, machine)
    if slots < 1:
        each = sorted({f"{node.get('CPU', 0):g} CPU and {node.get('GPU', 0):g} GPU" for node in alive})
        wanted = f"{machine.cpus_per_trial:g} CPU and {machine.gpus_per_trial:g} GPU"
        raise InputError(
            "ADC-EXEC-022",
            f"no trial fits: it needs {wanted} on one node",
            "machine file: cpus_per_trial, gpus_per_trial",
            "nodes with " + "; ".join(each) if each else "no node",
            "lower cpus_per_trial or gpus_per_trial, or add a node",
        )
    return min(slots, machine.max_concurrent or slots), slots


def _alive(nodes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, float]]:
    return [node.get("Resources", {}) for node in nodes if node.get("Alive")]


def _room_on(node: Mapping[str, float], machine: MachineSpec) -> int:
    fits = math.floor(node.get("CPU", 0.0) / machine.cpus_per_trial + 1e-9)
    if not machine.gpus_per_trial:
        return fits
    gpus = node.get("GPU", 0.0)
    if machine.gpus_per_trial < 1:
        return min(fits, math.floor(gpus) * math.floor(1 / machine.gpus_per_trial + 1e-9))
    return min(fits, math.floor(gpus / machine.gpus_per_trial + 1e-9))


def _host(ray: Any, opening: Opening) -> str:
    """The address at which workers reach the driver, which is on this machine."""
    return LOOPBACK if opening.address is None else str(ray.util.get_node_ip_address())


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _pool(machine: MachineSpec, service: Service, orders: Orders, deaths: WorkerDeaths) -> Pool:
    if machine.runner == "actors":
        from autodc.adapters.executors.actors import ActorPool

        return ActorPool(machine, orders, deaths, service.driver)
    from autodc.adapters.executors.tune import TunePool

    return TunePool(machine, orders, deaths, service.driver)


def _watch(ray: Any, driver: _Driver, opening: Opening) -> None:
    """End this process when a Ray of our own has lost one of its vital processes."""
    if opening.address is not None:
        return
    node = ray._private.worker._global_node
    while True:
        for name in VITAL:
            for info in node.all_processes.get(name, ()):
                code = info.process.poll()
                if code is not None and not _closing(ray):
                    driver.tell("over", f"its {name} ended with {code}")
                    _leave(4)
        time.sleep(LOOK_SECONDS)


def _closing(ray: Any) -> bool:
    return ray._private.worker._global_node is None


def _beat(ray: Any, driver: _Driver, machine: MachineSpec) -> None:
    """Tell the driver what is free, as long as Ray answers and has a node; silence tells it that Ray is gone."""
    while True:
        with contextlib.suppress(Exception):  # Ray raises whatever it likes; the driver hears nothing, and that is true
            there, free = _alive(ray.nodes()), ray.available_resources()
            if fitting := room(there, machine):
                kinds = {k: sum(node.get(k, 0.0) for node in there) for k in ("CPU", "GPU")}
                words = ", ".join(f"{free.get(k, 0.0):g} of {n:g} {k}" for k, n in kinds.items() if n)
                driver.tell("alive", f"{words} free", _last_word(ray, ""), fitting)
        time.sleep(BEAT_SECONDS)


def _last_word(ray: Any, why: str) -> str:
    """The last line of a worker that printed one on this machine, else the last line of what Ray said."""
    found = ""
    with contextlib.suppress(OSError, AttributeError):
        found = last_line(Path(ray._private.worker._global_node.get_session_dir_path()) / "logs")
    said = [line.strip() for line in why.splitlines() if line.strip()]
    return found or (said[-1] if said else "")


def last_line(logs: Path) -> str:
    """The last line that any worker wrote to its error file in a folder of Ray's logs; empty where none did.

    What a worker says before it has a file of its own is in the raylet's.
    """
    files = sorted([*logs.glob("worker-*.err"), *logs.glob("raylet.err")], key=lambda f: f.stat().st_mtime)[::-1]
    for file in files:
        with open(file, "rb") as opened:
            opened.seek(max(0, file.stat().st_size - LOG_BYTES))
            lines = [line.strip() for line in opened.read().decode(errors="replace").splitlines()]
        if told := [line for line in lines if line and not line.startswith(":")]:
            return told[-1]
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
