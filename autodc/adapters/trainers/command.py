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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.adapters.trainers.command_files import inputs_file, part_file
from autodc.adapters.trainers.options import CommandOptions
from autodc.trial.fitting import folder_mb
from autodc.trial.outputs import TrainerError, misplaced
from autodc.trial.trainer import Trained, TrainingJob

Array = np.ndarray[Any, Any]

JOB = "{job}"
OWN_PYTHON = "python"
STDERR_LINES = 20
"""Last lines of stderr that a failed trial tells."""
STDERR_BYTES = 8192


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
        (out / "model").mkdir(parents=True, exist_ok=True)
        file = out / "job.json"
        file.write_text(json.dumps(job_content(job, out)), encoding="utf-8")
        argv = [element.replace(JOB, str(file)) for element in program(self._options.argv)]
        started = time.perf_counter()
        code = _run(argv, self._folder, out)
        seconds = time.perf_counter() - started
        if code != 0:
            ended = f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
            raise TrainerError("ADC-TRAIN-040", "the program failed", argv[0], ended, _last_lines(out))
        outputs = {name: _read_predictions(out, name, len(x)) for name, x in job.predict.items()}
        return Trained(outputs=outputs, train_seconds=seconds, predict_ms=0.0, model_mb=folder_mb(out / "model"))

    def method(self, folder: Path | None = None) -> Program:
        """The program as a method: it is given nothing to train on, and `warm_start` where there is a model folder."""
        return Program(self, folder)


@final
class Program:
    """A method that runs a program once for each call of `predict`, in a folder that goes afterwards."""

    def __init__(self, command: Command, model: Path | None) -> None:
        self._command, self._model = command, model

    def predict(self, parts: Mapping[str, Array]) -> Mapping[str, Array]:
        """Write a job with an empty `train`, run the program, read its predictions. Raises as `Command.train`."""
        with tempfile.TemporaryDirectory(prefix="autodc-predict-") as out:
            job = TrainingJob(
                kind="classification",
                n_classes=0,
                train=(),
                predict=parts,
                hyperparameters={},
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
    """The JSON job of the contract; the npz files it names are written beside the stored datasets, once."""
    return {
        "hyperparameters": dict(job.hyperparameters),
        "recipe": job.recipe,
        "seed": job.seed,
        "fidelity": job.fidelity,
        "warm_start": None if job.warm_start is None else str(job.warm_start.resolve()),
        "out": str(out),
        "train": [
            {"name": part.name, "path": str(part_file(part, out)), "weight": part.weight, "stage": part.stage}
            for part in job.train
        ],
        "predict": [{"name": name, "path": str(inputs_file(name, x, out))} for name, x in job.predict.items()],
    }


def _run(argv: list[str], folder: str, out: Path) -> int:
    """Run the program to its end; it stays in our process group and dies with us, so no orphan holds a slot.

    Its stdout and stderr go to files: a pipe would be held open by whatever it leaves behind.
    """
    with (out / "stdout.txt").open("wb") as stdout, (out / "stderr.txt").open("wb") as stderr:
        try:
            process = subprocess.Popen(
                argv,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                preexec_fn=_die_with_parent(),  # noqa: PLW1509 (it makes two system calls and takes no lock)
            )
        except OSError as error:
            raise TrainerError("ADC-TRAIN-041", "the program cannot be started", argv[0], str(error)) from error
        try:
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


def _read_predictions(out: Path, name: str, count: int) -> Array:
    file = out / f"predictions-{name}.npz"
    if not file.is_file():
        raise TrainerError("ADC-TRAIN-042", f"the program wrote no {file.name}", str(out), "", _last_lines(out))
    try:
        with np.load(file, allow_pickle=False) as arrays:
            found: Mapping[str, Any] = {key: arrays[key] for key in arrays.files if key in ("outputs", "rows")}
            keys = sorted(arrays.files)
    except (OSError, ValueError, EOFError) as error:
        raise TrainerError(
            "ADC-TRAIN-043", f"{file.name} cannot be read", str(out), str(error), _last_lines(out)
        ) from error
    if "outputs" not in found:
        raise TrainerError("ADC-TRAIN-044", f"{file.name} holds no array `outputs`", str(out), ", ".join(keys))
    if "rows" in found and (problem := misplaced(found["rows"], count)):
        hint = "write the outputs of rows 0, 1, 2, … in the order of the inputs"
        raise TrainerError("ADC-TRAIN-048", problem, file.name, "", hint)
    return np.asarray(found["outputs"])


def _last_lines(out: Path) -> str:
    file = out / "stderr.txt"
    if not file.is_file():
        return ""
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - STDERR_BYTES))
        text = stream.read().decode("utf-8", errors="replace")
    lines = [line for line in text.splitlines() if line.strip()][-STDERR_LINES:]
    return "last lines of stderr:\n" + "\n".join(lines) if lines else "it wrote nothing to stderr"
