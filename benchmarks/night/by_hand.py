"""The peer: Ray Tune with OptunaSearch and the MLflow callback, wired as their documentation says.

    python -m benchmarks.night.by_hand 240 0.5 0.5 /tmp/night    # trainings, seconds from, to, folder

Prints the spans of its trainings and the CPU seconds they took, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback
from ray.tune.search import ConcurrencyLimiter
from ray.tune.search.optuna import OptunaSearch

from benchmarks.night.paced import length, work


def objective(config: dict[str, Any]) -> None:
    """One training."""
    started = time.time()
    seconds = length(int(1e9 * config["lr"]), config["low"], config["high"])
    work(seconds)
    tune.report(
        {"score": -((config["lr"] - 0.1) ** 2), "started": started, "ended": time.time(), "cpu_seconds": seconds}
    )


def main() -> None:
    """Search."""
    trainings, low, high, folder = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    mlflow = MLflowLoggerCallback(tracking_uri=f"sqlite:///{folder}/mlflow.db", experiment_name="night")
    tuner = tune.Tuner(
        objective,
        tune_config=tune.TuneConfig(
            metric="score",
            mode="max",
            search_alg=ConcurrencyLimiter(OptunaSearch(), max_concurrent=4),
            num_samples=trainings,
        ),
        run_config=tune.RunConfig(storage_path=folder, callbacks=[mlflow], verbose=0),
        param_space={"lr": tune.loguniform(1e-4, 1.0), "width": tune.randint(1, 12), "low": low, "high": high},
    )
    results = [one.metrics for one in tuner.fit()]
    spans = [(one["started"], one["ended"]) for one in results]
    print(json.dumps({"spans": spans, "cpu": sum(one["cpu_seconds"] for one in results)}))


if __name__ == "__main__":
    main()
