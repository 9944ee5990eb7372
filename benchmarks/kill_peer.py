"""The kill test on the usual wiring: Ray Tune with OptunaSearch and the MLflow callback, as their pages write it.

    python -m benchmarks.kill_peer                # 6 kills, about five minutes; writes benchmarks/results/kill_peer.md
    python -m benchmarks.kill_peer --kills 2 --trials 16

A search over a learning rate and two datasets, in or out, one trial at a time and the sampler seeded, so that two calm
runs are the same search. Then the driver is killed (SIGKILL, and Ray's processes below it) after a number of trials by
chance, and the same program is started again: it asks `Tuner.can_restore` and goes on by `Tuner.restore`, as Tune's
page of fault tolerance says. What is trained is written down by the trainable itself. Ours under the same test:
`python -m benchmarks.chaos --part random`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.tables import table

RESULTS = Path(__file__).parent / "results" / "kill_peer.md"
KILLS, TRIALS, SEED = 6, 40, 0
SECONDS = 0.3
"""How long a trial takes."""
PATIENCE = 600.0
LOG, STORE, EXPERIMENT = "trainings.log", "mlflow.db", "peer"
HEAD = ("", "calm", "calm again", "killed")


@dataclass(frozen=True)
class Left:
    """What a search left: trainings as the trainable wrote them down, and runs of MLflow by status."""

    begun: list[str]
    """Trial ids in the order of their trainings."""
    ended: list[tuple[str, str]]
    """Trial id and settings in the order of their ends."""
    runs: Mapping[str, int]
    exits: list[int]

    @property
    def repeated(self) -> int:
        """Trainings of a trial that had come to its end before."""
        return sum(n - 1 for n in Counter(trial for trial, _ in self.ended).values())

    @property
    def settings(self) -> list[str]:
        """What was tried, in order, each trial once."""
        return list(dict(self.ended).values())


def main() -> None:
    """Run the search three times, and say what the third lost."""
    if sys.argv[1:2] == ["search"]:
        search(Path(sys.argv[2]), int(sys.argv[3]))
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_peer")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--trials", type=int, default=TRIALS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kill-peer-") as folder:
        names = {"calm": 0, "again": 0, "killed": asked.kills}
        calm, again, killed = (searched(Path(folder) / name, asked.trials, kills) for name, kills in names.items())
    text = "\n".join(page(calm, again, killed, asked))
    print(text)
    if (asked.kills, asked.trials) == (KILLS, TRIALS):
        RESULTS.write_text(text + "\n")


def page(calm: Left, again: Left, killed: Left, asked: argparse.Namespace) -> list[str]:
    """The lines of the page."""
    runs = (calm, again, killed)
    same = [sum(a == b for a, b in zip(one.settings, calm.settings, strict=False)) for one in runs]
    rows = [
        ("trainings begun", *(len(one.begun) for one in runs)),
        (f"trials with an outcome, of {asked.trials}", *(len(one.settings) for one in runs)),
        ("trained again after they had ended", *(one.repeated for one in runs)),
        ("tried what the calm search tried at that place", *same),
        ("MLflow runs FINISHED", *(one.runs.get("FINISHED", 0) for one in runs)),
        ("MLflow runs left RUNNING", *(one.runs.get("RUNNING", 0) for one in runs)),
        ("exit codes", *(" ".join(map(str, one.exits)) for one in runs)),
    ]
    return [
        "# The usual wiring, killed\n",
        f"`python -m benchmarks.kill_peer`: Ray Tune, OptunaSearch, MLflow callback; {asked.kills} kills of the driver "
        f"in a search of {asked.trials} trials of {SECONDS} s, {os.cpu_count()} cores.\n",
        table(HEAD, rows),
    ]


def searched(folder: Path, trials: int, kills: int) -> Left:
    """Search, killed so often, until the program ends by itself."""
    folder.mkdir(parents=True)
    rng, exits = np.random.default_rng(SEED), list[int]()
    while not exits or exits[-1] == -9:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.kill_peer", "search", str(folder), str(trials)],
            stdout=subprocess.DEVNULL,
            stderr=(folder / "said").open("ab"),
        )
        if len(exits) < kills:
            _kill(process, folder, len(_lines(folder, "ended")) + int(rng.integers(2, 1 + 2 * trials // (kills + 1))))
        exits.append(process.wait(PATIENCE))
    return Left(
        begun=[str(line["trial"]) for line in _lines(folder, "begun")],
        ended=[(str(line["trial"]), json.dumps(line["config"], sort_keys=True)) for line in _lines(folder, "ended")],
        runs=_runs(folder),
        exits=exits,
    )


def _kill(process: subprocess.Popen[bytes], folder: Path, goal: int) -> None:
    """Kill the driver once so many trainings have ended, and what it started, as a power cut does."""
    end = time.monotonic() + PATIENCE
    while process.poll() is None and len(_lines(folder, "ended")) < goal and time.monotonic() < end:
        time.sleep(0.05)
    below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.kill()
    for one in below:
        if one.is_running():
            one.kill()
    psutil.wait_procs(below, timeout=30)


def _lines(folder: Path, what: str) -> list[dict[str, Any]]:
    path = folder / LOG
    lines = path.read_text().splitlines() if path.exists() else []
    return [found for line in lines if (found := json.loads(line))["what"] == what]


def _runs(folder: Path) -> Mapping[str, int]:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / STORE}")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    found = client.search_runs([experiment.experiment_id], max_results=1000) if experiment else []
    return Counter(str(run.info.status) for run in found)


def search(folder: Path, trials: int) -> None:
    """The program as the pages of Tune, Optuna and MLflow write it; started again, it goes on."""
    os.environ.update(RAY_AUTH_MODE="disabled", RAY_USAGE_STATS_ENABLED="0", MLFLOW_DISABLE_TELEMETRY="true")
    import optuna
    import ray
    from ray import tune
    from ray.air.integrations.mlflow import MLflowLoggerCallback
    from ray.tune.search import ConcurrencyLimiter
    from ray.tune.search.optuna import OptunaSearch

    def train(config: dict[str, Any]) -> None:
        trial = tune.get_context().get_trial_id()
        _note(folder, what="begun", trial=trial)
        time.sleep(SECONDS)
        score = 0.1 * config["lamps"] - 0.1 * config["wrong"] - (np.log10(config["lr"]) + 2) ** 2
        tune.report({"score": float(score)})
        _note(folder, what="ended", trial=trial, config=config)

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    place = folder / "tune"
    if tune.Tuner.can_restore(str(place)):
        tuner = tune.Tuner.restore(str(place), trainable=train, resume_errored=True, restart_errored=False)
    else:
        algorithm = OptunaSearch(metric="score", mode="max", sampler=optuna.samplers.TPESampler(seed=SEED))
        callback = MLflowLoggerCallback(tracking_uri=f"sqlite:///{folder / STORE}", experiment_name=EXPERIMENT)
        tuner = tune.Tuner(
            train,
            param_space={
                "lr": tune.loguniform(1e-4, 1e-1),
                "lamps": tune.choice([0, 1]),
                "wrong": tune.choice([0, 1]),
            },
            tune_config=tune.TuneConfig(search_alg=ConcurrencyLimiter(algorithm, max_concurrent=1), num_samples=trials),
            run_config=tune.RunConfig(name="tune", storage_path=str(folder), callbacks=[callback], verbose=0),
        )
    tuner.fit()
    ray.shutdown()


def _note(folder: Path, **line: object) -> None:
    with open(folder / LOG, "a") as log:
        log.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
