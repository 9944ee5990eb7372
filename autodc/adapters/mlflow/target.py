"""Where in MLflow a study is kept: a store, an experiment in it, and the name its model is registered by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from autodc import fingerprint
from autodc.adapters.journal import Cursor, JournalReader
from autodc.adapters.mlflow.store import absolute_uri
from autodc.masking import without_user
from autodc.studyfile.study import StudySpec

OFF = "none"
"""`tracking: {uri: none}`: nothing is sent."""
TRACKER_LOCK = "tracker.lock"
"""Beside the journal: held by the process that follows it."""
_CURSOR = "mlflow:"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MlflowTarget:
    """What a study's runs are sent to."""

    uri: str
    """Absolute, with its secrets."""
    experiment: str
    register: str = ""
    """Name under which the model is registered; empty: it is not."""

    @classmethod
    def of(cls, spec: StudySpec) -> MlflowTarget | None:
        """What a study file says; None where nothing is sent."""
        tracking = spec.tracking
        if tracking.uri == OFF:
            return None
        uri = absolute_uri(tracking.uri, spec.folder)
        return cls(uri=uri, experiment=experiment_of(spec), register=tracking.registered_model or "")

    @property
    def cursor(self) -> str:
        """Name under which a journal keeps how far the store has it; that of another password is the same."""
        return _CURSOR + fingerprint.of([without_user(self.uri), self.experiment], kind="mlflow-target")[:16]


def experiment_of(spec: StudySpec) -> str:
    """The experiment a study belongs to."""
    return spec.tracking.experiment or spec.name


def remembered(journal: JournalReader) -> dict[str, str] | None:
    """Where MLflow keeps the study of a journal, as its writer noted: `uri`, `experiment_id` and `run_id`."""
    known = [c for _, c in journal.cursors(_CURSOR) if {"uri", "experiment_id", "run_id"} <= c.extra.keys()]
    if not known:
        return None
    furthest: Cursor = max(known, key=lambda cursor: cursor.position)
    return {name: str(furthest.extra[name]) for name in ("uri", "experiment_id", "run_id")}
