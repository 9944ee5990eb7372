"""Workers in Ray Tune: one long-lived Tuner whose searcher keeps one Tune trial per slot, one iteration per training.

Tune gives a slot that dies back only to a *new* Tune trial: under `reuse_actors` the actor it starts for the next
trial is bound to that trial, which a living slot takes over before the actor is up, and so for ever. Here every Tune
trial is a slot and every training is one iteration of it. When a worker dies its Tune trial ends in error, the
searcher hands out another, and the slot is back (docs/decisions/executor.md).
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import threading
import time
import warnings
from typing import Any, final

from ray import tune
from ray.tune.search import Searcher

from autodc.adapters.executors.deaths import Orders, WorkerDeaths
from autodc.adapters.executors.link import DriverAddress, Worker
from autodc.studyfile.study import MachineSpec

STOP_SECONDS = 10.0
MOST = 10_000
"""Tune asks for a number of its own: more slots than any cluster holds."""
LOOK_SECONDS = 0.25
_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_AUTO_INIT": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_THRESHOLD_S": "60",
    "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "86400",
    "RAY_AIR_NEW_OUTPUT": "0",
}
_LOGGERS = ("ray.tune", "ray.train", "ray.air")


@final
class TunePool:
    """Keeps a Tune trial per slot serving the server."""

    def __init__(self, machine: MachineSpec, orders: Orders, deaths: WorkerDeaths, driver: DriverAddress) -> None:
        self._orders, self._deaths = orders, deaths
        resources = {"cpu": machine.cpus_per_trial, "gpu": machine.gpus_per_trial}
        self._trainable = tune.with_resources(_trainable(driver), resources)
        self._folder = tempfile.mkdtemp(prefix="tune-", dir=".")
        self._thread = threading.Thread(target=self._keep, name="tune", daemon=True)
        os.environ.update({"TUNE_MAX_PENDING_TRIALS_PG": str(MOST), **_SETTINGS})

    def start(self) -> None:
        """Start the Tuner in a thread; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Wait until the Tuner is done and remove what it wrote."""
        self._thread.join(STOP_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _keep(self) -> None:
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        while not (self._orders.closed or self._deaths.given_up):
            if not self._deaths.may_start():
                time.sleep(LOOK_SECONDS)
                continue
            try:
                self._fit()
                why = "the Tuner came to an end by itself"
            except Exception as error:  # whatever Tune raises, the study goes on with a new Tuner
                why = f"{type(error).__name__}: {error}"
            self._deaths.died(why)

    def _fit(self) -> None:
        config = tune.TuneConfig(
            search_alg=_Slots(self._orders, self._deaths),
            num_samples=-1,
            max_concurrent_trials=MOST,
            reuse_actors=False,
            trial_dirname_creator=lambda trial: str(trial.trial_id),
        )
        run = tune.RunConfig(
            name="slots",
            storage_path=os.path.abspath(self._folder),
            callbacks=[_Deaths(self._deaths)],
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=0, fail_fast=False),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            log_to_file=False,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tune.Tuner(self._trainable, tune_config=config, run_config=run).fit()


class _Slots(Searcher):  # type: ignore[misc]
    """Hands out one Tune trial per slot, another for each that dies, and no more when the queue closes."""

    def __init__(self, orders: Orders, deaths: WorkerDeaths) -> None:
        super().__init__()
        self._orders, self._deaths = orders, deaths
        self._alive: set[str] = set()

    def suggest(self, trial_id: str) -> Any:
        if self._orders.closed or self._deaths.given_up:
            return Searcher.FINISHED
        if len(self._alive) >= self._orders.slots or not self._deaths.may_start():
            return None
        self._alive.add(trial_id)
        return {}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        self._alive.discard(trial_id)

    def save(self, checkpoint_path: str) -> None:
        """Nothing to keep: the truth is in the journal."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing was kept."""

    def __reduce__(self) -> Any:
        return dict, ()


class _Deaths(tune.Callback):  # type: ignore[misc]
    """Tells the deaths of Tune trials that end in error, with Ray's words for it."""

    def __init__(self, deaths: WorkerDeaths) -> None:
        self._deaths = deaths

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        why = "a Ray Tune trial ended in error"
        with contextlib.suppress(Exception):  # Ray's files about the error may be missing or unreadable
            why = str(trial.get_error() or why)
        self._deaths.died(why)

    def __reduce__(self) -> Any:
        return dict, ()


def _trainable(driver: DriverAddress) -> Any:
    """Return the Trainable class; what it needs travels inside the class, and no file of Tune's shows the key."""

    class Slot(tune.Trainable):  # type: ignore[misc]
        """One slot: an iteration is one training in the supervised child."""

        def setup(self, config: dict[str, Any]) -> None:
            self.worker = Worker(driver)

        def step(self) -> dict[str, Any]:
            completion = self.worker.serve_one()
            if completion is None:
                return {"done": True}
            return {"number": completion.number, "status": completion.status, "done": False}

        def cleanup(self) -> None:
            with contextlib.suppress(AttributeError):
                self.worker.close()

        def save_checkpoint(self, checkpoint_dir: str) -> None:
            return None

        def load_checkpoint(self, checkpoint: Any) -> None:
            return None

    return Slot
