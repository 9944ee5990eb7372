"""Starts Ray, or joins a cluster, and wires a desk to workers that a pool keeps alive there."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import math
import os
import secrets
from typing import Any, Protocol, final

from autodc.adapters.executors.desk import Desk
from autodc.adapters.executors.link import Switchboard
from autodc.errors import InputError, SurroundingsError
from autodc.spec.study import MachineSpec
from autodc.trial.executor import Completion, Job

OBJECT_STORE_BYTES = 80 * 2**20
"""Ray's own minimum is 75 MB; data and outcomes do not travel through it."""
LOOPBACK = "127.0.0.1"
LOCAL = "local"

_QUIET = {
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_RECORD_ACTOR_TASK_LOGGING": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
}
"""Set before Ray starts, unless the person has set them."""


class Pool(Protocol):
    """Keeps one worker per slot alive on Ray, each of them serving the switchboard."""

    def start(self) -> None:
        """Start the workers; returns at once."""
        ...

    def stop(self) -> None:
        """Let the workers go; they have been told to go home."""
        ...


def open_on_ray(machine: MachineSpec, log_folder: str | None) -> RayExecutor:
    """Open the Ray executor of the machine file: workers in Ray Tune trials, or in plain actors."""
    ours = _start(machine)
    slots, host = _slots(machine), _host(machine)
    return RayExecutor(machine, slots=slots, host=host, log_folder=log_folder, shut_down=ours)


@final
class RayExecutor:
    """Trains on Ray: this end keeps queue, deadlines and heartbeats; the pool keeps one worker per slot alive."""

    def __init__(self, machine: MachineSpec, *, slots: int, host: str, log_folder: str | None, shut_down: bool) -> None:
        self._slots = slots
        self._shut_down = shut_down
        self._desk = Desk()
        self._switchboard = Switchboard(self._desk, host)
        self._pool = _pool(machine, slots, self._desk, self._switchboard, log_folder)
        self._pool.start()
        self._closed = False

    @property
    def slots(self) -> int:
        """How many jobs train at once."""
        return self._slots

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._desk.submit(job)

    def wait(self, timeout: float | None = None) -> list[Completion]:
        """Return completions as soon as there is one. Raises SurroundingsError when no worker can be kept alive."""
        return self._desk.wait(timeout)

    def cancel(self) -> None:
        """Forget what is queued and end what runs."""
        self._desk.cancel()

    def close(self) -> None:
        """Cancel, let the workers go, and shut Ray down where we started it."""
        if self._closed:
            return
        self._closed = True
        self._desk.close()
        self._switchboard.close()
        self._pool.stop()
        if self._shut_down:
            _ray().shutdown()


def _pool(machine: MachineSpec, slots: int, desk: Desk, switchboard: Switchboard, log_folder: str | None) -> Pool:
    if machine.runner == "actors":
        from autodc.adapters.executors.actors import ActorPool

        return ActorPool(machine, slots, desk, switchboard, log_folder)
    from autodc.adapters.executors.tune import TunePool

    return TunePool(machine, slots, desk, switchboard, log_folder)


def _ray() -> Any:
    if importlib.util.find_spec("ray") is None:
        hint = "pip install 'autodc-optimizer[ray]', or set runner: inline in the machine file"
        raise InputError("ADC-EXEC-020", "Ray is not installed", "machine file: runner", "runner ray", hint)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    return ray


def _authenticate(machine: MachineSpec) -> None:
    """Say outright how Ray authenticates, unless the person has: left alone it depends on files that lie about.

    Ray's processes listen on every interface, also on a laptop: a run of our own gets a token for itself, which is
    in no file. A cluster is joined with a token where one is given, without where none is.
    """
    if "RAY_AUTH_MODE" in os.environ:
        return
    given = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ)
    if not given and _is_local(machine):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
        given.add("RAY_AUTH_TOKEN")
    os.environ["RAY_AUTH_MODE"] = "token" if given else "disabled"


def _is_local(machine: MachineSpec) -> bool:
    return machine.address in (None, LOCAL)


def _start(machine: MachineSpec) -> bool:
    """Make Ray ready; say whether it is ours to shut down."""
    _authenticate(machine)
    ray = _ray()
    if ray.is_initialized():
        return False
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}
    try:
        if not _is_local(machine):
            ray.init(address=machine.address, **quiet)
        else:
            cores = max(_cores(), math.ceil((machine.max_concurrent or 1) * machine.cpus_per_trial))
            ray.init(
                address=LOCAL,
                num_cpus=cores,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                _node_ip_address=LOOPBACK,
                **quiet,
            )
    except (RuntimeError, ConnectionError, OSError, TimeoutError, ValueError) as error:
        with contextlib.suppress(RuntimeError):
            ray.shutdown()
        where = f"machine file: address {machine.address}" if machine.address else "this machine"
        hint = "check the address, or leave it out to use the cores of this machine"
        raise SurroundingsError("ADC-EXEC-021", "Ray does not start", where, str(error), hint) from error
    return True


def _slots(machine: MachineSpec) -> int:
    """How many trials the cluster holds at once, or the machine file allows."""
    there = _ray().cluster_resources()
    fits = [there.get("CPU", 0.0) / machine.cpus_per_trial]
    if machine.gpus_per_trial:
        fits.append(there.get("GPU", 0.0) / machine.gpus_per_trial)
    slots: int = math.floor(min(fits) + 1e-9)
    if slots < 1:
        got = f"{there.get('CPU', 0):g} CPU, {there.get('GPU', 0):g} GPU"
        hint = "lower cpus_per_trial or gpus_per_trial, or add a node"
        raise InputError("ADC-EXEC-022", "no trial fits on the machine", "machine file", got, hint)
    return min(slots, machine.max_concurrent or slots)


def _host(machine: MachineSpec) -> str:
    """The address at which workers reach this process."""
    if _is_local(machine):
        return LOOPBACK
    return str(_ray().util.get_node_ip_address())


def _cores() -> int:
    return len(os.sched_getaffinity(0))
