"""How the memory of the process that holds Ray grows with trials: one Tune trial each, and slots that stay."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from autodc.adapters.executors import open_executor
from autodc.studyfile.study import MachineSpec
from autodc.testing.jobs import Jobs, small_dataset
from benchmarks.night.part import Figures, Part

TRIALS, QUICK = 2_000, 200
SLOTS = 2
FIRST = 0.25
"""Growth is counted from this share of the trials on: what is loaded once is loaded by then."""


def ours(runner: str, quick: bool) -> Figures:
    """Slots that stay: the process beside the driver that holds Ray, and the driver."""
    trials = QUICK if quick else TRIALS
    with tempfile.TemporaryDirectory() as folder:
        jobs = Jobs(small_dataset(Path(folder)))
        executor = open_executor(MachineSpec(runner=runner, max_concurrent=SLOTS))
        holder = next(p for p in psutil.Process().children() if any("executors.pool" in w for w in p.cmdline()))
        seen, submitted, ended = [], 0, 0
        while ended < trials:
            while submitted < min(trials, ended + 2 * SLOTS):
                executor.submit(jobs())
                submitted += 1
            for _ in executor.wait():
                ended += 1
                if ended in (int(FIRST * trials), trials):
                    seen.append((_rss(holder), _rss(psutil.Process())))
        executor.close()
    (before, ours_before), (after, ours_after) = seen
    return _figures(trials, before, after, f"{_each(trials, ours_before, ours_after):+.1f}")


def tune_trials(quick: bool) -> Figures:
    """One Tune trial a training, actors reused, all loggers off."""
    trials = QUICK if quick else TRIALS
    os.environ.update(TUNE_DISABLE_AUTO_CALLBACK_LOGGERS="1", TUNE_MAX_PENDING_TRIALS_PG=str(SLOTS))
    os.environ.update(RAY_AUTH_MODE="disabled")
    import ray
    from ray import tune

    seen: dict[int, float] = {}

    class Looks(tune.Callback):  # type: ignore[misc]
        ended = 0

        def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
            self.ended += 1
            seen[self.ended] = _rss(psutil.Process())

    class Quick(tune.Trainable):  # type: ignore[misc]
        def step(self) -> dict[str, Any]:
            return {"score": self.config["k"], "done": True}

        def save_checkpoint(self, checkpoint_dir: str) -> None: ...

        def reset_config(self, new_config: Any) -> bool:
            self.config = new_config
            return True

    with tempfile.TemporaryDirectory() as folder:
        ray.init(address="local", num_cpus=SLOTS, include_dashboard=False, log_to_driver=False, logging_level=50)
        config = tune.TuneConfig(num_samples=trials, reuse_actors=True, max_concurrent_trials=2 * SLOTS)
        run = tune.RunConfig(storage_path=folder, verbose=0, callbacks=[Looks()])
        space = {"k": tune.uniform(0.0, 1.0)}
        trainable = tune.with_resources(Quick, {"cpu": 1})
        tune.Tuner(trainable, tune_config=config, run_config=run, param_space=space).fit()
        ray.shutdown()
    return _figures(trials, seen[int(FIRST * trials)], seen[trials], "")


def _figures(trials: int, before: float, after: float, driver: str) -> Figures:
    return {
        "trials": f"{trials:,}",
        "the process that holds Ray, MB": f"{after / 1e6:.0f}",
        "growth, MB in 1,000 trials": f"{_each(trials, before, after):+.1f}",
        "the driver beside it, growth": driver,
    }


def _each(trials: int, before: float, after: float) -> float:
    """Megabytes in 1,000 trials."""
    return (after - before) / 1e6 / ((1 - FIRST) * trials / 1000)


def _rss(process: psutil.Process) -> float:
    return float(process.memory_info().rss)


CASES: dict[str, Callable[[bool], Figures]] = {
    "`runner: ray`, a Tune trial a slot": partial(ours, "ray"),
    "`runner: actors`": partial(ours, "actors"),
    "Ray Tune, a Tune trial a training": tune_trials,
}
PART = Part(
    title="Memory of the process that holds Ray",
    words=(
        "Trainings of some milliseconds, memory (RSS) from a quarter of them to the last (ray issue 64231: it grows "
        "with trials). Beside us Ray is held by the driver itself."
    ),
    cases=CASES,
)
