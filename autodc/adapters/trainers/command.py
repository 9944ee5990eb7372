"""The trainer `command`: any program in any language, told by a JSON job, answering with files."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast, final

import numpy as np

from autodc.adapters.executors.prints import bounded
from autodc.adapters.trainers.command_files import Written, inputs_file, part_file
from autodc.adapters.trainers.difficulty import by_difficulty
from autodc.adapters.trainers.options import CommandOptions
from autodc.adapters.trainers.predictions import last_lines, read_predictions, relay
from autodc.adapters.trainers.templates import filled
from autodc.large import distinct_values, pieces_of
from autodc.masking import secret_options
from autodc.program import VARIABLE
from autodc.studyfile.study import TaskKind
from autodc.table import Inputs
from autodc.trial.fitting import folder_mb
from autodc.trial.outputs import TrainerError
from autodc.trial.recipes import TrainPhase, phases
from autodc.trial.trainer import Trained, TrainingJob, TrainPart

Array = np.ndarray[Any, Any]

OWN_PYTHON = "python"
SETTINGS = "autodc.json"
"""The kind of task, classes and hyperparameters of a model, beside it: told again to a program that only predicts."""


@final
class Command:
    """Runs the program once a job, without a shell, in the folder of the study file."""

    def __init__(self, options: CommandOptions, folder: str) -> None:
        self._options, self._folder = options, folder

    def train(self, job: TrainingJob) -> Trained:
        """Write the job, run the program, read its predictions.

        train_seconds is the program's whole run; predict_ms is 0, for a program's prediction cannot be told apart.
        Raises TrainerError with the last lines of stderr on a non-zero exit or a missing or unreadable file.
        """
        out = job.out.resolve()
        model = out / "model"
        model.mkdir(parents=True, exist_ok=True)
        told = job_content(job, out)
        argv = filled(program(self._options.argv), _values(told, out))
        started = time.perf_counter()
        code = run_program(argv, self._folder, out)
        seconds = time.perf_counter() - started
        if job.train:
            relay(out, secret_options({"argv": self._options.argv}))
        if code != 0:
            ended = f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
            raise TrainerError("ADC-TRAIN-040", "the program failed", argv[0], ended, last_lines(out))
        outputs = {name: read_predictions(out, name, len(x)) for name, x in job.predict.items()}
        size = folder_mb(model)
        if any(model.iterdir()):
            known = {name: told[name] for name in ("kind", "classes", "hyperparameters")}
            (model / SETTINGS).write_text(json.dumps(known), encoding="utf-8")
        return Trained(outputs=outputs, train_seconds=seconds, predict_ms=0.0, model_mb=size)

    def method(self, folder: Path | None = None) -> Program:
        """The program as a method: it is given nothing to train on, and `warm_start` where there is a model folder."""
        return Program(self, folder)


@final
class Program:
    """A method that runs a program once for each call of `predict`, in a folder that goes afterwards."""

    def __init__(self, command: Command, model: Path | None) -> None:
        self._command, self._model = command, model

    def predict(self, parts: Mapping[str, Inputs]) -> Mapping[str, Array]:
        """Write a job with an empty `train`, run the program, read its predictions. Raises as `Command.train`.

        It is told what the model was trained with.
        """
        settings = {} if self._model is None else _settings(self._model)
        with tempfile.TemporaryDirectory(prefix="autodc-predict-") as out:
            job = TrainingJob(
                kind=cast(TaskKind, settings.get("kind", "")),
                n_classes=len(settings.get("classes", ())),
                classes=tuple(settings.get("classes", ())),
                train=(),
                predict=parts,
                hyperparameters=settings.get("hyperparameters", {}),
                recipe="concat" if self._model is None else "continue",
                seed=0,
                fidelity=1.0,
                warm_start=self._model,
                out=Path(out),
            )
            return self._command.train(job).outputs


def program(argv: tuple[str, ...]) -> tuple[str, ...]:
    """The argv to run: `python` alone is the interpreter that runs autodc, anything else is looked up as it stands."""
    return (sys.executable, *argv[1:]) if argv[0] == OWN_PYTHON else argv


def job_content(job: TrainingJob, out: Path) -> dict[str, Any]:
    """The JSON job of the contract; the data files it names are written beside the stored datasets, once.

    `legs` says what the recipe comes to: which datasets, at which weight, for which share of the budget, and so on.
    """
    legs = by_difficulty(phases(job), job) if job.train else ()
    return {
        "kind": job.kind,
        "classes": list(job.classes),
        "hyperparameters": dict(job.hyperparameters),
        "recipe": job.recipe,
        "seed": job.seed,
        "fidelity": job.fidelity,
        "warm_start": None if job.warm_start is None else str(job.warm_start.resolve()),
        "out": str(out),
        "train": [
            {
                **_entry(part.name, part_file(part, out)),
                "weight": part.weight,
                "stage": part.stage,
                **({"tags": list(part.tags)} if part.tags else {}),
                **_of_recipe(part, job, legs, out),
            }
            for part in job.train
        ],
        "legs": [_leg(leg) for leg in legs],
        "predict": [_entry(name, inputs_file(name, x, out)) for name, x in job.predict.items()],
    }


def _of_recipe(part: TrainPart, job: TrainingJob, legs: Sequence[TrainPhase], out: Path) -> dict[str, Any]:
    """What some recipes need to know of a dataset: the classes it names, and a file with the places of its rows."""
    found: dict[str, Any] = {}
    if job.recipe == "label_adapt" and job.kind == "classification":
        found["named"] = sorted({int(one) for rows in pieces_of(len(part.y)) for one in distinct_values(part.y[rows])})
    for leg in legs:
        for one, ranks in zip(leg.parts, leg.pace.ranks if leg.pace else (), strict=False):
            if one.name == part.name:
                np.save(out / f"ranks-{part.name}.npy", ranks)
                found["ranks"] = str(out / f"ranks-{part.name}.npy")
    return found


def _leg(leg: TrainPhase) -> dict[str, Any]:
    """A leg of the recipe; `shares`: from which share of it on which share of the rows is in."""
    told = {"share": leg.share, "lr_factor": leg.lr_factor, "frozen_layers": leg.frozen}
    shares = {} if leg.pace is None else {"shares": [list(one) for one in leg.pace.shares()]}
    return {**told, **shares, "parts": [{"name": part.name, "weight": part.weight} for part in leg.parts]}


def _entry(name: str, written: Written) -> dict[str, Any]:
    return {"name": name, "path": str(written.path), "format": written.format}


def _values(told: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """What the placeholders of the arguments stand for; the files of the job are written."""
    files = {"job": told, "train": told["train"], "predict": told["predict"]}
    for name, content in files.items():
        (out / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    rest = {name: told[name] for name in ("out", "warm_start", "seed", "fidelity", "recipe")}
    paths = {name: str(out / f"{name}.json") for name in files}
    return {**told["hyperparameters"], **rest, **paths, "model": str(out / "model")}


def _settings(model: Path) -> dict[str, Any]:
    """What a model was trained with; nothing where it does not say."""
    try:
        found = json.loads((model / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def run_program(argv: list[str], folder: str, out: Path) -> int:
    """Run a program to its end and return its exit code.

    It stays in our process group and dies with us, so no orphan holds a slot. Its stdout and stderr go to files, of
    which the end is kept: a pipe would be held open by whatever it leaves behind.
    """
    with (out / "stdout.txt").open("a+b") as stdout, (out / "stderr.txt").open("a+b") as stderr:
        try:
            process = subprocess.Popen(
                argv,
                cwd=folder,
                env={**os.environ, VARIABLE: str(out / "job.json")},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                preexec_fn=_die_with_parent(),  # noqa: PLW1509 (it makes two system calls and takes no lock)
            )
        except (OSError, ValueError) as error:
            raise TrainerError("ADC-TRAIN-041", "the program cannot be started", argv[0], str(error)) from error
        try:
            with bounded(stdout.fileno()), bounded(stderr.fileno()):
                return process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux, what makes the kernel kill the program when the thread that started it ends, however it ends."""
    if not sys.platform.startswith("linux"):
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def before_exec() -> None:
        prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return before_exec
