"""A METHOD as a child process is told of it, and the simple baselines of a study as tasks."""

from __future__ import annotations

from autodc.adapters.mlflow.target import MlflowTarget
from autodc.adapters.simple_methods import LEARNED
from autodc.data.catalogue import Catalogue
from autodc.evaluation.slices import TEST
from autodc.plan.mixture import BASE
from autodc.study.jobs import JobMaker
from autodc.studyfile.study import StudySpec
from autodc.trial.executor import MethodRef, PredictTask, StoredPart, TrainerRef
from autodc.wire.inputs import Inputs

LONGEST = 120.0
"""Seconds that a simple baseline may take, at most: what takes longer is no quick thing."""


def method_ref(spec: StudySpec, catalogue: Catalogue, name: str, base: StoredPart | None) -> MethodRef:
    """What a child process makes a method of. base: of the study, for a method that learns from it."""
    task, y, target = spec.task, catalogue.base.y, MlflowTarget.of(spec)
    row_shape: tuple[int, ...] | None = None
    if catalogue.classes is not None:
        row_shape = (len(catalogue.classes),)
    elif task.kind != "custom" and y is not None:
        row_shape = tuple(y.shape[1:])
    return MethodRef(
        name=name,
        folder=spec.folder,
        kind=task.kind,
        row_shape=row_shape,
        trainer=TrainerRef(name=task.trainer, options=task.options, folder=spec.folder),
        base=base,
        classes=tuple(catalogue.classes or ()),
        tracking=None if target is None else target.uri,
    )


def baseline_tasks(inputs: Inputs, jobs: JobMaker) -> dict[str, PredictTask]:
    """Name → the task that lets a simple baseline of the study file predict validation; never the sealed test set."""
    machine, base = jobs.machine, inputs.catalogue.base
    parts = tuple(
        StoredPart(name=part, path=path, mixed=jobs.mixed) for part, path in jobs.held.items() if part != TEST
    )
    found = {}
    for number, name in enumerate(inputs.spec.baselines):
        learns = StoredPart(name=BASE, path=jobs.folder(base.fingerprint)) if name in LEARNED else None
        found[name] = PredictTask(
            number=0,
            attempt=0,
            out=str(jobs.work / f"baseline-{number}"),
            timeout=min(LONGEST, machine.trial_timeout or LONGEST),
            memory=machine.memory_per_trial,
            threads=max(1, int(machine.cpus_per_trial)),
            method=method_ref(inputs.spec, inputs.catalogue, name, learns),
            parts=parts,
        )
    return found
