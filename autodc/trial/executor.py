"""The executor port: runs tasks in parallel, in supervised child processes, and reports every end of every attempt.

A task is a training, a prediction or a call. All kinds have the same supervision: a process that is not the study's,
a deadline, a memory limit, and an end that is told whatever it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, final, runtime_checkable

import numpy as np

from autodc.errors import InputError
from autodc.plan.plan import Stage, Value

if TYPE_CHECKING:
    from autodc.studyfile.study import TaskKind

Array = np.ndarray[Any, Any]

Work = Literal["training", "prediction", "call"]
"""What a task does."""

Status = Literal["done", "failed", "crashed", "timeout", "memory", "lost", "surroundings"]
"""done: the answer is there; failed: the trainer, method or object raised or answered badly (not run again);
crashed: its process died; timeout: over the deadline; memory: over the limit; lost: the worker or node went away;
surroundings: the disk refused or the like, which no other plan would have escaped."""

PRINTED = "\nlast lines it printed:\n"
"""In the error of a task that failed: what follows is not ours."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPart:
    """A dataset on disk."""

    name: str
    path: str
    """A folder that holds `x.npy`, and for training `y.npy` and `metadata.parquet` beside it."""
    weight: float = 1.0
    stage: Stage = "main"
    tags: tuple[str, ...] = ()
    mixed: int | None = None
    """The seed of the order that the rows lie in (`trial.order`), of rows to predict; None where it is their own.
    Outputs are put back: a completion has them in the order in which the rows are known."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerRef:
    """Which trainer, to be made in the child process."""

    name: str
    """Of ours, installed, or `file.py:Object`."""
    options: Mapping[str, Any]
    folder: str
    """Of the study file."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRef:
    """Which method, to be made in the child process."""

    name: str
    """A METHOD as a person writes it: a run folder, a trainer's model folder, `file.py:Object`, a program with
    `{job}`, or `constant`. Paths are relative to `folder`."""
    folder: str
    """Of the study file."""
    kind: TaskKind
    row_shape: tuple[int, ...] | None
    """Shape of the outputs of one row: (classes,) in classification, () for one value, else that of the targets; None
    in a custom task."""
    trainer: TrainerRef | None = None
    """The study's: it reads model folders that none of our own trainers knows for its own."""
    base: StoredPart | None = None
    """What `constant` learns its constant from."""
    classes: tuple[Any, ...] = ()
    """In classification the labels as the user wrote them, in the order of their codes: a method may answer with them
    in place of scores."""
    tracking: str | None = None
    """Absolute URI of the MLflow store that models are read from, where the environment names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstractTask:
    """One attempt at one task, as plain data that travels between processes."""

    work: ClassVar[Work]
    number: int
    """Of a training its trial; predictions and calls are numbered on their own, together."""
    attempt: int
    out: str
    """Folder this attempt may write to; it is emptied first."""
    timeout: float | None = None
    """Seconds. The driver sets them from the pace of the study where the machine file sets none."""
    memory: float | None = None
    """Bytes."""
    threads: int = 1
    """Cores to use."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StoredForks:
    """What a training is forked into, as `trial.forking.ForkingJob` has it."""

    datasets: tuple[StoredPart, ...]
    after: float
    steps: float
    batch: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TrainTask(AbstractTask):
    """Train a plan with a seed, then predict. `out` goes afterwards, but for `out/model` where keep_model is set."""

    work: ClassVar[Work] = "training"
    trainer: TrainerRef
    kind: TaskKind
    n_classes: int
    classes: tuple[Any, ...] = ()
    """Their names, in the order of their codes."""
    train: tuple[StoredPart, ...]
    predict: tuple[StoredPart, ...]
    """Parts whose folder holds inputs alone (`x.npy`)."""
    hyperparameters: Mapping[str, Value]
    recipe: str
    seed: int
    fidelity: float
    warm_start: str | None
    keep_model: bool = False
    forks: StoredForks | None = None
    """What the training is forked into; outputs are then (1 + forks, rows, ...), the control first, and no model is
    left."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PredictTask(AbstractTask):
    """Let a method predict stored parts. It gets inputs alone, whatever else their folders hold."""

    work: ClassVar[Work] = "prediction"
    method: MethodRef
    parts: tuple[StoredPart, ...]
    measured: bool = False
    """What it costs is measured, too: the completion has it as its value (`adapters.executors.costs`)."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CallTask(AbstractTask):
    """Call an object with a `trial.call.Call`: to make a dataset, attributes, embeddings.

    What it returns is a JSON value; what it writes below `out` stays where it is done.
    """

    work: ClassVar[Work] = "call"
    object: str
    """`path/to/file.py:Object` or `package.module:Object`."""
    folder: str
    """Of the study file."""
    arguments: Mapping[str, Any]
    """JSON."""
    parts: tuple[StoredPart, ...] = ()


Task = TrainTask | PredictTask | CallTask


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """How one attempt ended."""

    number: int
    attempt: int
    work: Work = "training"
    status: Status
    outputs: Mapping[str, Array] = field(default_factory=dict)
    """Of trainings and predictions, empty unless `done`: part → row order."""
    value: Any = None
    """Of a call that is done: what it returned, as JSON; of a measured prediction what it cost."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Of a call that is done: path below `out` → SHA-256 of the content."""
    train_seconds: float = 0.0
    predict_ms: float = 0.0
    model_mb: float = 0.0
    started: float = 0.0
    """Unix time of the work itself (in the child, without waiting for a slot), as is `ended`."""
    ended: float = 0.0
    seconds: float = 0.0
    """How long it took by a clock that stands still while the machine sleeps."""
    missing: bool = False
    """With status `surroundings`: a stored dataset was not there where it was needed. The driver puts what is missing
    in place again and runs the task once more; where nothing is missing on its side, that is another file system and
    the run ends."""
    code: str = ""
    """Of the error with which a call failed that says so itself (trial.call.CallError); else empty."""
    error: str = ""
    """One sentence and the last lines of stderr."""


class Executor(Protocol):
    """Runs tasks on a fixed number of slots. Every task comes back exactly once from `wait`, unless cancelled."""

    @property
    def slots(self) -> int:
        """How many tasks run at once."""
        ...

    def submit(self, task: Task) -> None:
        """Queue a task; returns at once (the inline executor may run it in `wait`)."""
        ...

    def wait(self, timeout: float | None = None) -> list[Completion]:
        """Return completions as soon as there is one; empty after `timeout` seconds or when nothing is under way."""
        ...

    def cancel(self) -> None:
        """Drop what is queued and end what runs, at once; nothing submitted before comes back.

        It is called in the midst of a study too: at its deadline, after which the last measurement is submitted.
        """
        ...

    def close(self) -> None:
        """Cancel and give every process back. Safe to call twice."""
        ...


@runtime_checkable
class Adjustable(Protocol):
    """An executor that can be paused and given more or fewer slots while it runs. What runs comes to its end."""

    def hold(self, held: bool) -> None:
        """Begin no task until it is called with False."""
        ...

    def resize(self, slots: int) -> None:
        """Run so many tasks at once from now on. Raises InputError ADC-EXEC-024 where it has no room for so many."""
        ...


def no_room(slots: int, most: int, where: str) -> InputError:
    """What is raised where an executor has no room for so many slots."""
    hint = f"give 1 to {most}" if most > 1 else "it trains one at a time"
    return InputError(
        "ADC-EXEC-024", f"there is no room for {slots} trainings at once", where, f"room for {most}", hint
    )


def key(one: AbstractTask | Completion) -> tuple[Work, int, int]:
    """Which attempt at which task."""
    return one.work, one.number, one.attempt


def model_folder(task: TrainTask) -> Path:
    """Where the attempt's model is saved."""
    return Path(task.out) / "model"


def reads(task: Task) -> tuple[str, ...]:
    """The folders that a task is given to read."""
    if isinstance(task, TrainTask):
        warm = () if task.warm_start is None else (task.warm_start,)
        forked = () if task.forks is None else task.forks.datasets
        return (*(part.path for part in (*task.train, *task.predict, *forked)), *warm)
    base = (task.method.base,) if isinstance(task, PredictTask) and task.method.base else ()
    return tuple(part.path for part in (*task.parts, *base))
