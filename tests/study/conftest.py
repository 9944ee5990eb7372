"""A study driven by hand: in memory, no executor, no disk beyond the data files."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.mlflow.tracker import NullTracker
from autodc.plan.plan import Plan
from autodc.plan.trial import Forks, Outcome, Trial
from autodc.review.result import result
from autodc.search.engine import Recommendation, SearchEngine, Suggestion
from autodc.study.core import StudyCore
from autodc.study.driver import Driver
from autodc.study.jobs import JobMaker
from autodc.study.phases.order import ORDER
from autodc.study.phases.phase import Phase
from autodc.study.phases.tools import Diagnoser
from autodc.study.ports import Journal
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.testing.memory import MemoryJournal, MemoryStore
from autodc.testing.worlds.cells import CellTrainer, write_world
from autodc.trial.executor import Completion, TrainTask
from autodc.trial.forking import ForkingJob
from autodc.trial.outputs import CheckedTrainer
from autodc.trial.trainer import TrainingJob, TrainPart
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.problem import search_problem
from autodc.wire.study import _open_test, cut, engine_of, given_events, started_event

#: A source whose targets say when they are read.
SEALED = """
import numpy as np

class Sealed:
    def __init__(self, values):
        self.values = values
    def __array__(self, dtype=None, copy=None):
        with open({log!r}, "a") as log:
            log.write("read\\n")
        return np.asarray(self.values, dtype=dtype)

def rows():
    data = np.load({data!r})
    return data["x"], Sealed(data["y"]), {{"region": data["region"]}}
"""


class Hand:
    """Opens a study again and again over the same rows and arrays, and trains its trials in place."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs, self.spec = inputs, inputs.spec
        self.store = MemoryStore()
        self._log = Path(inputs.spec.folder) / "reads.log"
        self.trainer = CellTrainer(**inputs.spec.task.options)
        self._known: dict[Any, Completion] = {}

    def log(self) -> int:
        """How often the targets of `sealed.py:rows` were read."""
        return len(self._log.read_text().splitlines()) if self._log.exists() else 0

    def open(
        self,
        rows: list[Any],
        engine: SearchEngine | None = None,
        order: tuple[Phase, ...] = ORDER,
        rules: int = 1,
        diagnoser: Diagnoser | None = None,
        journal: Journal | None = None,
    ) -> StudyCore:
        """Open over these journal rows; they grow as the study goes on. engine: left out, that of the study file.

        journal: over the same rows, where it is one that does more.
        """
        spec, inputs = self.spec, self.inputs
        return StudyCore(
            spec,
            replace(started_event(inputs), rules=rules),
            journal=MemoryJournal(rows) if journal is None else journal,
            store=self.store,
            table=inputs.table,
            sides=inputs.sides,
            metric=inputs.metric,
            problem=search_problem(spec),
            engine=partial(engine_of, spec) if engine is None else lambda problem: engine,
            given=given_events(inputs),
            open_test=partial(_open_test, inputs),
            cut=partial(cut, inputs),
            diagnoser=diagnoser,
            clock=lambda: 0.0,
            order=order,
        )

    def outcome(self, study: StudyCore, trial: Trial) -> Outcome:
        """Train and score, once for each question asked."""
        return study.score(trial, self.completion(trial))

    def completion(self, trial: Trial) -> Completion:
        """What training gives, remembered by plan, seed and phase."""
        key = (trial.plan, trial.seed, trial.phase, trial.fidelity, trial.forks)
        if key not in self._known:
            self._known[key] = self._train(trial)
        return self._known[key]

    def drive(self, study: StudyCore, executor: HandExecutor, **wishes: Any) -> None:
        """Run a study with the driver."""
        Driver(study, executor, self.jobs(study), NullTracker(), clock=executor.clock, **wishes).run()

    def jobs(self, study: StudyCore) -> JobMaker:
        """Jobs that name their data by content."""
        return JobMaker(
            spec=self.spec,
            machine=MachineSpec(runner="inline"),
            n_classes=len(self.inputs.catalogue.classes),
            state=study.state,
            folder=str,
            held={"validation": "validation", "test": "test"},
            work=Path("work"),
            models=Path("models"),
        )

    def advance(self, study: StudyCore, count: int = 1) -> None:
        """Train so many trials, one after the other."""
        for _ in range(count):
            (trial,) = study.ask(1)
            study.tell(trial, self.outcome(study, trial))

    def finish(self, study: StudyCore, flight: int = 1, order: np.random.Generator | None = None) -> None:
        """Keep `flight` trials in flight to the end; order: which of them ends next."""
        under_way: list[Trial] = []
        while not study.finished:
            under_way += study.ask(flight - len(under_way))
            if study.finished:
                break
            assert under_way, "nothing is under way and nothing can be planned"
            trial = under_way.pop(0 if order is None else int(order.integers(len(under_way))))
            study.tell(trial, self.outcome(study, trial))

    def _train(self, trial: Trial) -> Completion:
        catalogue = self.inputs.catalogue
        held = {"validation": catalogue.validation.x}
        if trial.phase == "test" and catalogue.test is not None:
            held["test"] = catalogue.test.x
        job = TrainingJob(
            kind=self.spec.task.kind,
            n_classes=len(catalogue.classes),
            train=tuple(_part(name, catalogue[name], weight) for name, weight in trial.plan.mixture),
            predict=held,
            hyperparameters=dict(trial.plan.hyperparameters),
            recipe=trial.plan.recipe,
            seed=trial.seed,
            fidelity=trial.fidelity if trial.forks is None else 1.0,
            warm_start=None,
            out=Path("nowhere"),
        )
        try:
            outputs = self.trainer.train(job).outputs if trial.forks is None else self._forked(job, trial.forks)
        except ValueError as error:
            return Completion(number=trial.number, attempt=0, status="failed", error=str(error))
        return Completion(number=trial.number, attempt=0, status="done", outputs=outputs, started=1.0, ended=2.0)

    def _forked(self, job: TrainingJob, forks: Forks) -> Mapping[str, Any]:
        datasets = tuple(_part(name, self.inputs.catalogue[name], 1.0) for name in forks.datasets)
        shares = {"after": forks.after, "steps": forks.steps, "batch": forks.batch}
        return CheckedTrainer(self.trainer, "cells").fork(ForkingJob(training=job, datasets=datasets, **shares)).outputs


class Scripted:
    """A search that always tries the start and recommends, round by round, what it was told to: name → weight."""

    def __init__(self, start: Plan, *mixtures: Mapping[str, float]) -> None:
        self._start, self._mixtures = start, mixtures
        self.required: list[frozenset[str]] = []

    def suggest(
        self, number: int, observed: Any, running: Any, excluded: Any = frozenset(), mixture: Any = None
    ) -> Suggestion:
        return Suggestion(plan=self._start, seed_key=f"trial-{number}", origin="scripted")

    def recommend(
        self, observed: Any, required: frozenset[str] = frozenset(), excluded: Any = frozenset()
    ) -> Recommendation:
        mixture = self._mixtures[min(len(self.required), len(self._mixtures) - 1)]
        self.required.append(required)
        plan = Plan.of({"base": 1.0, **dict.fromkeys(required, 1.0), **mixture}, dict(self._start.hyperparameters))
        return Recommendation(plan=plan, mean=0.0, sd=1.0, worth=dict.fromkeys(plan.mixture.added, 1.0))

    def outlook(self, observed: Any, plans: Any) -> None:
        """It knows nothing of any plan."""

    def settle(self, observed: Any, mixture: Mapping[str, float], recipe: str | None = None) -> Plan:
        return Plan.of(mixture, dict(self._start.hyperparameters), recipe or self._start.recipe)

    def beliefs(self, observed: Any, plan: Any) -> None:
        """It knows nothing of any plan."""

    def guard_beliefs(self, observed: Any, plan: Any) -> None:
        """It knows nothing of any plan."""


class HandExecutor:
    """An executor that trains in `wait` and takes a second of its own clock for it.

    faults: (trial, attempt) → the status it ends with instead of `done`; echo: every completion comes twice;
    missing: what is stored is not there.
    """

    def __init__(
        self,
        hand: Hand,
        study: StudyCore,
        slots: int = 1,
        faults: Mapping[tuple[int, int], Any] | None = None,
        echo: bool = False,
        missing: bool = False,
    ) -> None:
        self._hand, self._study, self._slots, self._echo = hand, study, slots, echo
        self._missing = missing
        self._faults = faults or {}
        self._queue: deque[TrainTask] = deque()
        self.now, self.attempts, self.cancelled = 1000.0, [], False

    @property
    def slots(self) -> int:
        return self._slots

    def submit(self, job: TrainTask) -> None:
        self._queue.append(job)

    def wait(self, timeout: float | None = None) -> list[Completion]:
        done = [self._run(self._queue.popleft()) for _ in range(min(self._slots, len(self._queue)))]
        self.now += 1.0
        return [again for one in done for again in ([one, one] if self._echo else [one])]

    def cancel(self) -> None:
        self._queue.clear()
        self.cancelled = True

    def close(self) -> None:
        self.cancel()

    def clock(self) -> float:
        """Unix time as this executor has it."""
        return self.now

    def _run(self, job: TrainTask) -> Completion:
        self.attempts.append((job.number, job.attempt))
        times = {"attempt": job.attempt, "started": self.now, "ended": self.now + 1.0}
        fault = self._faults.get((job.number, job.attempt))
        if fault is not None:
            words = f"{fault}, as planned"
            return Completion(number=job.number, status=fault, error=words, missing=self._missing, **times)
        trained = self._hand.completion(self._study.state.trials[job.number].trial)
        return replace(trained, number=job.number, **times)


def _part(name: str, data: Any, weight: float) -> TrainPart:
    return TrainPart(
        name=name, x=data.x, y=data.y, metadata=data.metadata, weight=weight, stage="main", folder=Path("nowhere")
    )


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Hand]:
    """A hand on the small world; changes as in `write_world`. The same changes give the same hand."""

    hands: dict[str, Hand] = {}

    def made(**changes: Any) -> Hand:
        key = repr(sorted(changes.items()))
        if key not in hands:
            folder = tmp_path_factory.mktemp("world")
            study = write_world(folder, **changes)
            text = SEALED.format(log=str(folder / "reads.log"), data=str(folder / "data" / "test.npz"))
            (folder / "sealed.py").write_text(text)
            hands[key] = Hand(read_inputs(load(study)))
        return hands[key]

    return made


def told(study: StudyCore) -> dict[str, Any]:
    """What must not depend on chance: trials by number, decisions, incumbent."""
    content = result(study.state)
    return {
        "trials": [t.trial.to_dict() for t in study.state.trials],
        "decisions": content["decisions"],
        "incumbent": content["incumbent"],
        "kept": content["kept"],
        "test": content["test"] and {k: v for k, v in content["test"].items() if k != "opened_at"},
        "because": content["stopped_because"],
    }


@pytest.fixture(scope="session")
def essence() -> Callable[[StudyCore], dict[str, Any]]:
    return told


@pytest.fixture(scope="session")
def scripted() -> type[Scripted]:
    return Scripted


@pytest.fixture(scope="session")
def executor_of() -> type[HandExecutor]:
    return HandExecutor
