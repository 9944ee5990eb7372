"""From a trial to the job an executor runs: which stored datasets it trains on, what it predicts, where it writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from autodc.evaluation.slices import TEST
from autodc.plan.trial import Trial
from autodc.studyfile.study import MachineSpec, StudySpec
from autodc.trial.executor import Job, StoredPart, TrainerRef


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class JobMaker:
    """What all jobs of a study share.

    datasets: name → folder of a training dataset; held: part → folder with its inputs alone, the sealed test set
    among them: it goes only to the trials of the last measurement; models: folder of the models that are kept;
    restore: puts stored datasets that are gone or damaged in place again, and says whether there were any;
    lost_model: trial → what is gone or damaged of the model it left, empty where that is whole.
    """

    spec: StudySpec
    machine: MachineSpec
    n_classes: int
    datasets: Mapping[str, str]
    held: Mapping[str, str]
    work: Path
    models: Path
    restore: Callable[[], bool] = lambda: False
    lost_model: Callable[[int], str] = lambda number: ""

    def job(self, trial: Trial, attempt: int) -> Job:
        """Return one attempt at a trial."""
        plan, task = trial.plan, self.spec.task
        keep = self._keeps_model(trial)
        out = self.models / f"trial-{trial.number}" if keep else self.work / f"trial-{trial.number}-{attempt}"
        warm = None if trial.warm_start is None else str(self.models / f"trial-{trial.warm_start}" / "model")
        held = {part: path for part, path in self.held.items() if part != TEST or trial.phase == "test"}
        return Job(
            number=trial.number,
            attempt=attempt,
            trainer=TrainerRef(name=task.trainer, options=task.options, folder=self.spec.folder),
            kind=task.kind,
            n_classes=self.n_classes,
            train=tuple(
                StoredPart(name=name, path=self.datasets[name], weight=weight, stage=plan.stage(name))
                for name, weight in plan.mixture
            ),
            predict=tuple(StoredPart(name=part, path=path) for part, path in held.items()),
            hyperparameters=plan.settings,
            recipe=plan.recipe,
            seed=trial.seed,
            fidelity=trial.fidelity,
            warm_start=warm,
            out=str(out),
            keep_model=keep,
            timeout=self.machine.trial_timeout,
            memory=self.machine.memory_per_trial,
            threads=max(1, int(self.machine.cpus_per_trial)),
        )

    def _keeps_model(self, trial: Trial) -> bool:
        """Models are kept where one may be handed over or continued."""
        last = "test" if self.spec.data.test is not None else "gate"
        return trial.phase == last or ("continue" in self.spec.recipes and trial.phase in ("calibration", "gate"))
