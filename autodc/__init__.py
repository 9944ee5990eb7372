"""autodc: the training data as a searched variable. Names are loaded when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autodc.build.owned import Study
    from autodc.build.run import Result, run
    from autodc.build.simulation import SimulationResult, simulate
    from autodc.errors import AutodcError
    from autodc.search.plan import Plan
    from autodc.spec.load import load, load_machine
    from autodc.spec.study import MachineSpec, StudySpec
    from autodc.trial.trial import Outcome, Trial

_HOMES = {
    "AutodcError": "autodc.errors",
    "MachineSpec": "autodc.spec.study",
    "Outcome": "autodc.trial.trial",
    "Plan": "autodc.search.plan",
    "Result": "autodc.build.run",
    "SimulationResult": "autodc.build.simulation",
    "Study": "autodc.build.owned",
    "StudySpec": "autodc.spec.study",
    "Trial": "autodc.trial.trial",
    "load": "autodc.spec",
    "load_machine": "autodc.spec",
    "run": "autodc.build.run",
    "simulate": "autodc.build.simulation",
}

__all__ = [
    "AutodcError",
    "MachineSpec",
    "Outcome",
    "Plan",
    "Result",
    "SimulationResult",
    "Study",
    "StudySpec",
    "Trial",
    "load",
    "load_machine",
    "run",
    "simulate",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'autodc' has no attribute {name!r}")
