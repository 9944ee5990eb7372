"""Where MLflow keeps a study, found out and refused before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from autodc.adapters.mlflow.store import is_installed, place, refusal
from autodc.adapters.mlflow.target import MlflowTarget
from autodc.errors import SpecError
from autodc.studyfile.study import StudySpec


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """What is to be sent where, and what people are told of it."""

    target: MlflowTarget | None
    """None where nothing is sent."""
    text: str
    """One line for people."""
    warnings: tuple[str, ...] = ()
    """What keeps it from working."""


def tracking_of(spec: StudySpec) -> Tracking:
    """Say where MLflow will keep the study. Raises SpecError ADC-TRACK-080 for an address that can never work."""
    target = MlflowTarget.of(spec)
    if target is None:
        return Tracking(target=None, text="nothing is sent to MLflow (tracking.uri: none)")
    if why := refusal(target.uri):
        raise SpecError(
            "ADC-TRACK-080",
            "MLflow cannot keep the study there",
            spec.place("tracking.uri"),
            f"{spec.tracking.uri!r}: {why}",
            "give sqlite:///mlflow.db, the address of a server, or none",
        )
    missing = () if is_installed() else ("MLflow is not installed (autodc-optimizer[mlflow]); the study runs without",)
    return Tracking(target=target, text=f"MLflow keeps the study {place(target.uri)}", warnings=missing)
