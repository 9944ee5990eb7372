"""What a trial takes of a node, and how many of them nodes hold.

It is the part of a machine file that Ray's process needs: pydantic, which reads such files, need not be imported there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from autodc.errors import InputError

if TYPE_CHECKING:
    from autodc.studyfile.study import MachineSpec


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Fields of a machine file, of the same names."""

    runner: str
    cpus_per_trial: float
    gpus_per_trial: float
    max_concurrent: int | None

    @classmethod
    def of(cls, machine: MachineSpec) -> Share:
        """The share that a machine file gives to each trial."""
        return cls(
            runner=machine.runner,
            cpus_per_trial=machine.cpus_per_trial,
            gpus_per_trial=machine.gpus_per_trial,
            max_concurrent=machine.max_concurrent,
        )


def room(nodes: Sequence[Mapping[str, float]], share: Share) -> int:
    """How many trials fit, node by node: a trial lies on one node, and a share of a GPU on one GPU."""
    return sum(_room_on(node, share) for node in nodes)


def slots(nodes: Sequence[Mapping[str, Any]], share: Share) -> tuple[int, int]:
    """How many trials the machine file allows at once, and how many the cluster holds. nodes: as Ray tells them.

    Raises InputError ADC-EXEC-022 where it holds none.
    """
    there = alive(nodes)
    most = room(there, share)
    if most < 1:
        each = sorted({f"{node.get('CPU', 0):g} CPU and {node.get('GPU', 0):g} GPU" for node in there})
        wanted = f"{share.cpus_per_trial:g} CPU and {share.gpus_per_trial:g} GPU"
        raise InputError(
            "ADC-EXEC-022",
            f"no trial fits: it needs {wanted} on one node",
            "machine file: cpus_per_trial, gpus_per_trial",
            "nodes with " + "; ".join(each) if each else "no node",
            "lower cpus_per_trial or gpus_per_trial, or add a node",
        )
    return min(most, share.max_concurrent or most), most


def alive(nodes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, float]]:
    """What each node has that is there."""
    return [node.get("Resources", {}) for node in nodes if node.get("Alive")]


def _room_on(node: Mapping[str, float], share: Share) -> int:
    fits = math.floor(node.get("CPU", 0.0) / share.cpus_per_trial + 1e-9)
    if not share.gpus_per_trial:
        return fits
    gpus = node.get("GPU", 0.0)
    if share.gpus_per_trial < 1:
        return min(fits, math.floor(gpus) * math.floor(1 / share.gpus_per_trial + 1e-9))
    return min(fits, math.floor(gpus / share.gpus_per_trial + 1e-9))
