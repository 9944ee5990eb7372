"""autodc: the training data as a searched variable. Names are loaded when they are first used."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autodc.errors import AutodcError
    from autodc.plan.plan import Plan
    from autodc.plan.trial import Outcome, Trial
    from autodc.studyfile.load import load, load_machine
    from autodc.studyfile.study import MachineSpec, StudySpec
    from autodc.verbs.compare import CompareResult, compare
    from autodc.verbs.diagnose import diagnose
    from autodc.verbs.diagnosed import DiagnosisResult
    from autodc.verbs.evaluate import EvaluationResult, evaluate
    from autodc.verbs.export import ExportResult, export
    from autodc.verbs.milestone import Milestone, milestone
    from autodc.verbs.model import Model, load_model
    from autodc.verbs.result import Result
    from autodc.verbs.run import run
    from autodc.verbs.shadow import ShadowResult, shadow
    from autodc.verbs.simulate import SimulationResult, simulate
    from autodc.verbs.study import Study
    from autodc.verbs.track import TrackResult, track

_HOMES = {
    "AutodcError": "autodc.errors",
    "CompareResult": "autodc.verbs.compare",
    "DiagnosisResult": "autodc.verbs.diagnosed",
    "EvaluationResult": "autodc.verbs.evaluate",
    "ExportResult": "autodc.verbs.export",
    "MachineSpec": "autodc.studyfile.study",
    "Milestone": "autodc.verbs.milestone",
    "Model": "autodc.verbs.model",
    "Outcome": "autodc.plan.trial",
    "Plan": "autodc.plan.plan",
    "Result": "autodc.verbs.result",
    "ShadowResult": "autodc.verbs.shadow",
    "SimulationResult": "autodc.verbs.simulate",
    "Study": "autodc.verbs.study",
    "StudySpec": "autodc.studyfile.study",
    "TrackResult": "autodc.verbs.track",
    "Trial": "autodc.plan.trial",
    "compare": "autodc.verbs.compare",
    "evaluate": "autodc.verbs.evaluate",
    "export": "autodc.verbs.export",
    "load": "autodc.studyfile",
    "load_machine": "autodc.studyfile",
    "load_model": "autodc.verbs.model",
    "milestone": "autodc.verbs.milestone",
    "run": "autodc.verbs.run",
    "shadow": "autodc.verbs.shadow",
    "simulate": "autodc.verbs.simulate",
    "track": "autodc.verbs.track",
}

__all__ = [
    "AutodcError",
    "CompareResult",
    "DiagnosisResult",
    "EvaluationResult",
    "ExportResult",
    "MachineSpec",
    "Milestone",
    "Model",
    "Outcome",
    "Plan",
    "Result",
    "ShadowResult",
    "SimulationResult",
    "Study",
    "StudySpec",
    "TrackResult",
    "Trial",
    "compare",
    "diagnose",
    "evaluate",
    "export",
    "load",
    "load_machine",
    "load_model",
    "milestone",
    "run",
    "shadow",
    "simulate",
    "track",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'autodc' has no attribute {name!r}")


class _Package(ModuleType):
    """The package, of which `diagnose` is the call, though a room of that name is in it too."""

    @property
    def diagnose(self) -> Any:
        """The call; what is in the room is imported by its whole name: `from autodc.diagnose.view import View`."""
        return import_module("autodc.verbs.diagnose").diagnose

    @diagnose.setter
    def diagnose(self, room: ModuleType) -> None:
        """Let the import system, which hangs every module into its package, leave the call as it is."""


sys.modules[__name__].__class__ = _Package
