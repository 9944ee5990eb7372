"""Cores, memory, shared memory, files and threads of this machine, against what a machine file asks of it."""

from __future__ import annotations

import math
import os
import resource
import shutil
from collections.abc import Mapping
from pathlib import Path

import psutil

from autodc.adapters.doctor.check import Check, size
from autodc.adapters.doctor.limits import Limits
from autodc.adapters.executors.threads import VARIABLES
from autodc.studyfile.study import MachineSpec

RAY_BYTES = 2**30
"""What Ray and the driver take, about."""
TRAINING_BYTES = 400 * 2**20
"""What a training process takes with torch and small data, where the machine file does not say how much it may."""
STORE_BYTES = 128 * 2**20
"""Ray's store for objects and a little: it lies in shared memory."""
FILES = 4096
"""Fewer open files and Ray warns of connections that fail."""
RAISED = 65536
"""So far Ray raises the limit itself, where it may."""

_PINNING = ("OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY")
"""Each process would bind its threads to the first cores, all trainings to the same."""


def cores(machine: MachineSpec, limits: Limits) -> Check:
    """How many cores there are, and whether the trainings at once fit in them."""
    there = len(os.sched_getaffinity(0))
    allowed = min(there, limits.cores) if limits.cores is not None else float(there)
    said = f"{there} usable" + (f", the control group allows {allowed:g}" if allowed < there else "")
    if machine.address is not None:
        return Check(name="cores", found=f"{said}; trainings run on the cluster")
    slots = _slots(machine, there)
    wanted = slots * machine.cpus_per_trial
    said += f"; {slots} at once"
    if wanted <= allowed:
        return Check(name="cores", found=said)
    fit = math.floor(allowed / machine.cpus_per_trial)
    mend = f"max_concurrent: {fit} in the machine file" if fit else f"cpus_per_trial: {max(1, math.floor(allowed))}"
    return Check(name="cores", status="warn", found=f"{said} want {wanted:g}", mend=mend)


def memory(machine: MachineSpec, limits: Limits) -> Check:
    """How much memory is free, and whether the trainings at once fit in it."""
    seen = psutil.virtual_memory()
    free, total, whose = seen.available, seen.total, ""
    if limits.memory is not None and limits.memory < total:
        free, total, whose = min(free, limits.memory - limits.used), limits.memory, " that the control group allows"
    said = f"{size(max(free, 0))} free of {size(total)}{whose}"
    beside = 0 if machine.runner == "inline" or machine.address is not None else RAY_BYTES
    if free < beside + TRAINING_BYTES:
        mend = f"end other programs, or give it {size(beside + TRAINING_BYTES)} at least"
        return Check(name="memory", status="fail", found=said, mend=mend)
    if machine.address is not None:
        return Check(name="memory", found=said)
    each = machine.memory_per_trial or TRAINING_BYTES
    slots, fit = _slots(machine, len(os.sched_getaffinity(0))), math.floor((free - beside) / each)
    if fit >= slots:
        return Check(name="memory", found=said)
    found = f"{said}; {slots} at once want {size(beside + slots * each)}"
    mend = f"max_concurrent: {fit} in the machine file, or a smaller memory_per_trial" if fit else "more memory"
    return Check(name="memory", status="warn", found=found, mend=mend)


def shared_memory(machine: MachineSpec, folder: Path = Path("/dev/shm")) -> Check:
    """Whether shared memory has room for Ray's store."""
    if not folder.is_dir():
        found = "not there: Ray's store lies on the disk"
        return Check(name="/dev/shm", status="warn", found=found, mend=f"mount a tmpfs at {folder}")
    free = shutil.disk_usage(folder).free
    said = f"{size(free)} free"
    if machine.runner == "inline" or free >= STORE_BYTES:
        return Check(name="/dev/shm", found=said)
    mend = "remove what lies there; in a container: --shm-size=1g, or an emptyDir of medium Memory"
    return Check(name="/dev/shm", status="warn", found=f"{said}: too little for Ray's store", mend=mend)


def descriptors(machine: MachineSpec) -> Check:
    """Whether a process may open enough files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = (RAISED if limit == resource.RLIM_INFINITY else limit for limit in (soft, hard))
    most = soft if machine.runner == "inline" else max(soft, min(hard, RAISED))
    if most >= FILES or (machine.runner == "inline" and most >= 256):
        raised = f", Ray raises it to {most}" if most > soft else ""
        return Check(name="open files", found=f"{soft} allowed{raised}")
    return Check(
        name="open files", status="warn", found=f"{most} allowed, {FILES} wanted", mend=f"ulimit -n {2 * FILES}"
    )


def threads(machine: MachineSpec, environment: Mapping[str, str]) -> Check:
    """Whether the environment says of threads what a training's share of the cores does not bear."""
    share = max(1, int(machine.cpus_per_trial))
    if bound := [name for name in _PINNING if environment.get(name, "").lower() not in ("", "false", "disabled")]:
        return Check(
            name="threads",
            status="warn",
            found=f"{', '.join(bound)} would bind all trainings to the same cores",
            mend=f"unset {' '.join(bound)}",
        )
    said = f"{share} a training"
    if other := [name for name in VARIABLES if environment.get(name, str(share)) != str(share)]:
        more = f" and {len(other) - 1} more" if len(other) > 1 else ""
        said += f", whatever {other[0]}={environment[other[0]]}{more} says"
    return Check(name="threads", found=said)


def _slots(machine: MachineSpec, cores: int) -> int:
    """How many trainings run at once on this machine."""
    if machine.runner == "inline":
        return 1
    return machine.max_concurrent or max(1, math.floor(cores / machine.cpus_per_trial + 1e-9))
