"""A trainer that does as its hyperparameters say: it learns a little, sleeps, raises, dies, hangs or eats memory."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import threadpoolctl

from autodc.trial.call import Call
from autodc.trial.trainer import Trained, TrainingJob, TrainPart

MEGABYTE = 2**20


@final
class FlakyTrainer:
    """Ridge regression of the target on the inputs, after what the hyperparameter `act` names.

    It is `learn` (nothing else), `sleep` and `spin` (for `seconds`), `raise`, `full_disk` (says so of a disk that has
    room), `leave` (`sys.exit(0)`), `exit` (the process ends with code 3), `exit0` (at once, with code 0), `delete` and
    `truncate` (what it was given to train on), `detach` (learns, and leaves a program behind that has lost its parent),
    `hang` (for ever, in native code), `eat` (`megabytes` of memory, then sleep), `programs` (leaves a program running
    below it that ignores SIGTERM, then hangs), `nan` and `short` (bad answers), `threads` (predicts how many threads it
    has).
    """

    def train(self, job: TrainingJob) -> Trained:
        """Act, then fit and predict; outputs are a function of data, weights and seed alone."""
        settings = job.hyperparameters
        start = time.perf_counter()
        _act(settings, job.out, job.train)
        outputs = _ridge(job)
        if settings.get("act") == "nan":
            outputs = {name: np.full_like(array, np.nan) for name, array in outputs.items()}
        if settings.get("act") == "threads":
            outputs = {name: np.full_like(array, _threads()) for name, array in outputs.items()}
        if settings.get("act") == "short":
            outputs = {name: array[:-1] for name, array in outputs.items()}
        model = job.out / "model"
        model.mkdir(parents=True, exist_ok=True)
        (model / "seed.txt").write_text(str(job.seed))
        (job.out / "scratch.txt").write_text("not to be kept")
        return Trained(outputs=outputs, train_seconds=time.perf_counter() - start, predict_ms=0.0, model_mb=0.0)


def flaky_call(call: Call) -> dict[str, Any]:
    """Act as the argument `act` says, one of `FlakyTrainer`'s, and leave a file."""
    _act(call.arguments, call.out, ())
    (call.out / "made.txt").write_text("made")
    return {"parts": sorted(call.parts), "threads": _threads()}


def _act(settings: Mapping[str, Any], out: Path, parts: Sequence[TrainPart]) -> None:
    if "pid_file" in settings:
        Path(str(settings["pid_file"])).write_text(str(os.getpid()))
    act, seconds = settings.get("act", "learn"), float(settings.get("seconds", 0.5))
    if act == "sleep":
        time.sleep(seconds)
    elif act == "spin":
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            sum(range(1000))
    elif act == "raise":
        raise ValueError("the loss is not a number, as planned")
    elif act == "full_disk":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(out))
    elif act == "leave":
        sys.exit(0)
    elif act == "exit0":
        os._exit(0)
    elif act == "delete":
        for part in parts:
            shutil.rmtree(part.folder)
    elif act == "truncate":
        for part in parts:
            os.truncate(part.folder / "x.npy", 0)
    elif act == "detach":
        _leave_a_program(Path(str(settings["program_file"])), detached=True)
    elif act == "exit":
        print("last words of the trainer", file=sys.stderr, flush=True)
        os._exit(3)
    elif act == "hang":
        _hang()
    elif act == "eat":
        block = np.ones(int(settings["megabytes"]) * MEGABYTE, dtype=np.uint8)
        time.sleep(60 + float(block[0]))
    elif act == "programs":
        _leave_a_program(Path(str(settings["program_file"])))
        _hang()


def _threads() -> int:
    """The most threads that any numerical library of this process would use."""
    return max(int(library["num_threads"]) for library in threadpoolctl.threadpool_info())


def _hang() -> None:
    """Hold the interpreter's lock for ever, as a loop in native code does: no Python thread of this process runs."""
    import ctypes

    ctypes.PyDLL(None).pause()


def _leave_a_program(file: Path, detached: bool = False) -> None:
    import subprocess

    program = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
    if detached:
        start = "import subprocess, sys; print(subprocess.Popen("
        start += f"[sys.executable, '-c', {program!r}], stdout=subprocess.DEVNULL, start_new_session=True).pid)"
        file.write_text(subprocess.check_output([sys.executable, "-c", start], stderr=subprocess.DEVNULL, text=True))
        return
    started = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
    file.write_text(str(started.pid))


def _ridge(job: TrainingJob) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(job.seed)
    x = np.concatenate([np.asarray(p.x, dtype=float).reshape(len(p.x), -1) * p.weight for p in job.train])
    y = np.concatenate([np.asarray(p.y, dtype=float).ravel() * p.weight for p in job.train])
    y = y + 0.01 * rng.standard_normal(len(y))
    coefficients = np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ y)
    return {
        name: np.asarray(part, dtype=float).reshape(len(part), -1) @ coefficients for name, part in job.predict.items()
    }
