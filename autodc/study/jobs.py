"""From a trial to the job an executor runs: which stored datasets it trains on, what it predicts, where it writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from autodc.data.catalogue import POOL
from autodc.evaluation.slices import TEST
from autodc.plan.plan import Stage
from autodc.plan.trial import Trial
from autodc.propose.proposal import Proposal
from autodc.study.journal.state import State
from autodc.study.phases.order import ORDER
from autodc.study.phases.phase import Phase
from autodc.study.replacing import Standing, standing
from autodc.studyfile.study import MachineSpec, StudySpec
from autodc.trial.executor import CallTask, StoredForks, StoredPart, TrainerRef, TrainTask


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class JobMaker:
    """What all jobs of a study share."""

    spec: StudySpec
    machine: MachineSpec
    n_classes: int
    state: State
    """Its cards say which content the name of a dataset means, also of one that was admitted later."""
    folder: Callable[[str], str]
    """Fingerprint of a training dataset → where its content lies."""
    composed: Callable[[Standing], str] = lambda one: ""
    """Where the content of several datasets lies that take the place of one (wire/composing.py)."""
    held: Mapping[str, str]
    """Part → folder with its inputs alone, the sealed test set among them: few phases' trials get that."""
    mixed: int | None = None
    """The seed of the order that held-out rows lie in; None where it is their own."""
    work: Path
    models: Path
    """Where the models that are kept lie."""
    restore: Callable[[], bool] = lambda: False
    """Puts stored datasets that are gone or damaged in place again, and says whether there were any."""
    lost_model: Callable[[int], str] = lambda number: ""
    """Trial → what is gone or damaged of the model it left, empty where that is whole."""
    classes: tuple[Any, ...] = ()
    """The names of the classes in the order of their codes; empty outside classification."""
    pool: Callable[[], str] = lambda: ""
    """Puts the pool in place and says where it lies."""
    made: Path = Path()
    """Where what is made lies until it was let in."""
    order: tuple[Phase, ...] = ORDER
    """The phases of the study."""

    def job(self, trial: Trial, attempt: int) -> TrainTask:
        """Return one attempt at a trial."""
        plan, task = trial.plan, self.spec.task
        phase = next(p for p in self.order if p.name == trial.phase)
        keep = phase.keeps_model(self.spec)
        out = self.models / f"trial-{trial.number}" if keep else self.work / f"trial-{trial.number}-{attempt}"
        warm = None if trial.warm_start is None else str(self.models / f"trial-{trial.warm_start}" / "model")
        held = {part: path for part, path in self.held.items() if part != TEST or phase.predicts_test}
        return TrainTask(
            number=trial.number,
            attempt=attempt,
            trainer=TrainerRef(name=task.trainer, options=task.options, folder=self.spec.folder),
            kind=task.kind,
            n_classes=self.n_classes,
            classes=self.classes,
            train=tuple(self._standing(one) for one in standing(self.state, plan)),
            predict=tuple(StoredPart(name=part, path=path, mixed=self.mixed) for part, path in held.items()),
            hyperparameters=plan.settings,
            recipe=plan.recipe,
            seed=trial.seed,
            fidelity=trial.fidelity if trial.forks is None else 1.0,
            forks=self._forks(trial),
            warm_start=warm,
            out=str(out),
            keep_model=keep,
            timeout=self.machine.trial_timeout,
            memory=self.machine.memory_per_trial,
            threads=max(1, int(self.machine.cpus_per_trial)),
        )

    def making(self, told: Mapping[str, Any]) -> CallTask:
        """The task that makes a proposal of the journal. It finds its datasets by content; its answer lies in work."""
        one = Proposal.of(told)
        parts = tuple(StoredPart(name=name.partition("=")[0], path=self._lying(name)) for name in one.parts)
        return CallTask(
            number=0,
            attempt=0,
            object=one.maker,
            folder=self.spec.folder,
            arguments=one.arguments,
            parts=parts,
            out=str(self.made / one.name),
            timeout=self.machine.trial_timeout,
            memory=self.machine.memory_per_trial,
            threads=max(1, int(self.machine.cpus_per_trial)),
        )

    def _lying(self, name: str) -> str:
        """Where a part of a proposal lies: of the study, of the pool, or `name=fingerprint` of one that is stored."""
        if "=" in name:
            return self.folder(name.partition("=")[2])
        return self.pool() if name == POOL else self.folder(str(self.state.card(name)["fingerprint"]))

    def _forks(self, trial: Trial) -> StoredForks | None:
        if (forks := trial.forks) is None:
            return None
        datasets = tuple(self._part(name, 1.0, trial.plan.stage(name)) for name in forks.datasets)
        return StoredForks(datasets=datasets, after=forks.after, steps=forks.steps, batch=forks.batch)

    def _standing(self, one: Standing) -> StoredPart:
        if len(one.of) == 1:
            return self._part(one.of[0], one.weight, one.stage)
        return StoredPart(name=one.name, path=self.composed(one), weight=one.weight, stage=one.stage)

    def _part(self, name: str, weight: float, stage: Stage) -> StoredPart:
        card = self.state.card(name)
        path, tags = self.folder(str(card["fingerprint"])), tuple(card.get("tags") or ())
        return StoredPart(name=name, path=path, weight=weight, stage=stage, tags=tags)
