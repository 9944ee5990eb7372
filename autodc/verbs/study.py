"""For those who own their loop: ask for trials, train them any way you like, tell what came of them."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

import numpy as np

from autodc.adapters.executors import open_executor
from autodc.adapters.executors.opening import training_job
from autodc.adapters.journal import SqliteJournal
from autodc.data.admit import Candidate
from autodc.errors import InputError
from autodc.plan.trial import Outcome, Trial
from autodc.review.result import result
from autodc.study import tasks
from autodc.study.core import StudyCore
from autodc.study.jobs import JobMaker
from autodc.study.journal.events import SessionStarted
from autodc.studyfile.study import MachineSpec, Role, SliceSpec, StudySpec
from autodc.trial.executor import Completion
from autodc.trial.outputs import checked_outputs, misplaced
from autodc.trial.trainer import TrainingJob
from autodc.values import objects
from autodc.wire.admitting import Entrance
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.promoting import admit_slice
from autodc.wire.separate import Diagnosis, diagnosis_of
from autodc.wire.study import admit, entrance_of, job_maker, open_study

Array = np.ndarray[Any, Any]


@final
class Study:
    """A study without a runner of its own. Use it as a context manager, or call `close`.

    with autodc.Study.open(spec, "runs/mine") as study:
        while trials := study.ask(2):
            for trial in trials:
                job = study.job(trial)
                study.tell(trial, study.outcome(trial, my_training(job)))
        print(study.result()["kept"])
    """

    def __init__(
        self,
        inputs: Inputs,
        core: StudyCore,
        journal: SqliteJournal,
        jobs: JobMaker,
        folder: Path,
        entrance: Entrance,
    ) -> None:
        self._inputs, self._core, self._journal, self._jobs, self._folder = inputs, core, journal, jobs, folder
        self._entrance = entrance

    @classmethod
    def open(cls, spec: StudySpec, out: str | os.PathLike[str]) -> Study:
        """Open a study in a folder, or go on where it stopped. Raises InputError for a folder of another study."""
        folder = Path(out).absolute()
        inputs = read_inputs(spec, folder)
        entrance = entrance_of(inputs, folder)
        core, journal = open_study(inputs, folder, entrance=entrance)
        core.record(SessionStarted(slots=1, machine={}, pid=os.getpid(), folder=spec.folder))
        jobs = job_maker(inputs, core.state, MachineSpec(runner="inline"), folder, own_loop=True)
        return cls(inputs, core, journal, jobs, folder, entrance)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, n: int = 1) -> list[Trial]:
        """Up to n trials to train now; fewer where the next ones wait for outcomes; none when the study is over.

        Data that the study makes are made before this returns.
        """
        found = self._core.ask(n)
        while len(found) < n and self._make():
            found += self._core.ask(n - len(found))
        return found

    def _make(self) -> bool:
        """Make what the study awaits, in a child of this process; False where it awaits nothing."""
        if not (awaited := self._core.state.awaited):
            return False
        with closing(open_executor(MachineSpec(runner="inline"))) as executor:
            for told in awaited:
                self._core.made(str(told["name"]), tasks.run(self._core, executor, self._jobs.making(told)))
        return True

    def job(self, trial: Trial) -> TrainingJob:
        """What a trial trains on and predicts, as arrays: inputs memory-mapped and read-only, no targets to predict."""
        return training_job(self._jobs.job(trial, 0))

    def outcome(
        self,
        trial: Trial,
        outputs: Mapping[str, Any],
        train_seconds: float = 0.0,
        predict_ms: float = 0.0,
        model_mb: float = 0.0,
        rows: Mapping[str, Array] | None = None,
    ) -> Outcome:
        """Score predictions.

        outputs: for every part of `job.predict` the predictions in row order, in a custom task also a list of JSON
        values; train_seconds, predict_ms, model_mb: the
        trade-offs, where they were measured; rows: part → the row number of each prediction, to be sure of their order.
        Raises InputError ADC-RUN-017 where they are not 0, 1, 2, …
        """
        for part, numbers in (rows or {}).items():
            count = len(outputs[part]) if part in outputs else 0
            if problem := misplaced(numbers, count):
                hint = "give the predictions in the order of the inputs"
                raise InputError("ADC-RUN-017", problem, f"outputs of {part}, trial {trial.number}", "", hint)
        if self._inputs.spec.task.kind == "custom":
            outputs = checked_outputs(outputs, outputs, None, f"trial {trial.number}")
        now = time.time()
        completion = Completion(
            number=trial.number,
            attempt=0,
            status="done",
            outputs=outputs,
            train_seconds=train_seconds,
            started=now - train_seconds,
            ended=now,
            predict_ms=predict_ms,
            model_mb=model_mb,
        )
        return self._core.score(trial, completion)

    def failed(self, error: str) -> Outcome:
        """The outcome of a training that gave no predictions."""
        return Outcome(status="failed", error=error)

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Journal what came of a trial."""
        self._core.tell(trial, outcome)

    def open_test(self, force: bool = False) -> None:
        """End search and gate here and open the sealed test set: `ask` then gives the trials of the last measurement.

        Raises InputError ADC-RUN-014 without a test set, 015 where it was opened before and force is not set.
        """
        self._core.open_test(force)

    def admit_dataset(self, candidate: Candidate) -> None:
        """Let a dataset of your own proposer (`autodc.propose.Proposer`) join where the round under way ends.

        The next round searches it beside the others and judges it; trainings of before are of plans without it. It
        stays when the study is opened again. Raises DataError for what does not agree with the base, for rows that
        validation or test also hold as `data.overlap` says, ADC-DATA-027 for a name that is taken, and ADC-PROP-007
        for rows that the base or another dataset has already.
        """
        admit(self._entrance, self._core, self._folder, candidate)

    def admit_slice(
        self,
        name: str,
        where: str,
        role: Role = "target",
        margin: float | None = None,
        weight: float | None = None,
    ) -> None:
        """Make rows of validation a slice of the study, as if its file had named it.

        Trainings of before have their value there, all that comes is held to it, on the sealed test set too. It stays
        when the study is opened again.

        Raises InputError ADC-RUN-090 for a name that is taken and ADC-DIAG-015 for a rule that cannot be read on the
        test set, SpecError for terms that do not fit, DataError for a rule that does not or has no rows.
        """
        admit_slice(
            self._inputs, self._core, SliceSpec(name=name, where=where, role=role, margin=margin, weight=weight)
        )

    def outputs(self) -> Mapping[str, Array] | None:
        """Predictions of one training of the incumbent, part → row order, images too; None before it was trained.

        JSON values of a custom task come as an array of Python objects.
        """
        found = self._outputs()
        return None if found is None else {part: objects(rows) for part, rows in found.items()}

    def _outputs(self) -> Mapping[str, Array] | None:
        incumbent = self._core.state.incumbent
        return None if incumbent is None else self._core.outputs(incumbent)

    def diagnosis(self) -> Diagnosis:
        """The explore rows of validation, with what the incumbent makes of them, for your own diagnosers.

        Raises InputError ADC-RUN-018 where the rows are not cut, 019 before the incumbent was trained.
        """
        inputs = self._inputs
        separation = inputs.separation
        if not separation.is_cut:
            why = separation.note or "data.explore_share is 0"
            hint = "begin a study with data.explore_share, 0.4 say; its gate then decides on the other rows"
            raise InputError("ADC-RUN-018", "this study sets no rows apart for diagnosis", "", why, hint)
        outputs = self._outputs()
        if outputs is None:
            hint = "ask for trials and tell their outcomes first"
            raise InputError("ADC-RUN-019", "the incumbent was not trained yet", hint=hint)
        return diagnosis_of(inputs.catalogue, separation, outputs, inputs.spec.task.kind, inputs.metric)

    def result(self) -> dict[str, Any]:
        """The study so far, in the form of result.json."""
        return {**result(self._core.state), "mlflow": None}

    def close(self) -> None:
        """Give the folder back. Safe to call twice."""
        self._journal.close()
