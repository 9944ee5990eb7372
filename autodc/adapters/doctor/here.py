"""Cores, memory, shared memory, files, threads and GPUs of this machine, against what a machine file asks of it."""

from __future__ import annotations

import math
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from autodc.adapters.doctor.check import Check, Verdict, size
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
SMI_SECONDS = 20.0
TORCH_SECONDS = 60.0

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


def gpus(machine: MachineSpec, environment: Mapping[str, str]) -> Check:
    """Which GPUs there are, and whether trainings that ask for one can have it."""
    wanted = machine.gpus_per_trial > 0 and machine.address is None
    names, problem = _gpus_there()
    if not names:
        if not wanted:
            return Check(name="gpu", found=problem or "none; none is asked for")
        mend = "gpus_per_trial: 0 in the machine file, or install NVIDIA's driver and give the container its GPUs"
        return Check(name="gpu", status="fail", found=problem or "none, and gpus_per_trial asks for one", mend=mend)
    said = f"{len(names)} × {names[0]}"
    hidden = environment.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and hidden.strip() in ("", "-1"):
        status: Verdict = "fail" if wanted else "ok"
        mend = "unset CUDA_VISIBLE_DEVICES" if wanted else ""
        return Check(name="gpu", status=status, found=f"{said}, hidden by CUDA_VISIBLE_DEVICES", mend=mend)
    if not wanted:
        unused = "" if machine.address is not None else "; unused: gpus_per_trial is 0"
        return Check(name="gpu", found=f"{said}{unused}")
    if why := _torch_cannot():
        mend = "install the torch that belongs to this driver: https://pytorch.org/get-started/locally"
        return Check(name="gpu", status="fail", found=f"{said}; {why}", mend=mend)
    return Check(name="gpu", found=f"{said}, {machine.gpus_per_trial:g} a training")


def _slots(machine: MachineSpec, cores: int) -> int:
    """How many trainings run at once on this machine."""
    if machine.runner == "inline":
        return 1
    return machine.max_concurrent or max(1, math.floor(cores / machine.cpus_per_trial + 1e-9))


def _gpus_there() -> tuple[list[str], str]:
    """Their names, and what is wrong with the driver, if anything."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return [], ""
    command = [program, "--query-gpu=name", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=SMI_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return [], f"nvidia-smi gives no answer within {SMI_SECONDS:g} s"
    lines = [line.strip() for line in said.stdout.splitlines() if line.strip()]
    return (lines, "") if said.returncode == 0 else ([], f"nvidia-smi: {' '.join(lines) or 'it failed'}")


def _torch_cannot() -> str:
    """Why torch, where it is installed, does not see the GPU: asked in a process of its own, which pays the import."""
    code = (
        "import importlib.util as u\n"
        "if u.find_spec('torch'):\n"
        "    import torch\n"
        "    print('' if torch.cuda.is_available() else f'torch {torch.__version__} sees none')"
    )
    try:
        said = subprocess.run(
            [sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=TORCH_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"torch gives no answer within {TORCH_SECONDS:g} s"
    return said.stdout.strip()
