"""GPUs of this machine, against what a machine file asks of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping

from autodc.adapters.doctor.check import Check, Verdict
from autodc.studyfile.study import MachineSpec

SMI_SECONDS = 20.0
TORCH_SECONDS = 60.0


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
