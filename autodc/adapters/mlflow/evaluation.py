"""An evaluation as one run of the study's experiment in MLflow, sent by a process that is given up when it hangs.

`python -m autodc.adapters.mlflow.evaluation` reads one JSON line on stdin and answers with one on stdout.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from autodc.adapters.mlflow.changes import STUDY, RunChange, fitted, metrics_at, milliseconds
from autodc.adapters.mlflow.environment import settings
from autodc.adapters.mlflow.store import is_installed, last_line
from autodc.adapters.mlflow.target import MlflowTarget
from autodc.adapters.mlflow.trial import values_of
from autodc.masking import masked

PATIENCE = 120.0
"""Seconds for MLflow to be imported, to open its store and to take a run."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Where an evaluation is in MLflow."""

    reference: Mapping[str, str] | None = None
    """uri, experiment_id, run_id; None where it is not there."""
    complaint: str = ""
    """Why it is not there, or what MLflow did not take."""


def logged(
    target: MlflowTarget,
    content: Mapping[str, Any],
    oriented: Mapping[str, float],
    terms: Mapping[str, Mapping[str, Any]],
    page: Path,
    started: float,
) -> Sent:
    """Send an evaluation; nothing is raised, for it is done whether MLflow has it or not.

    content: of the evaluation; oriented: slice → value, up is better, named as those of trainings are;
    terms: the cards of the slices; page: added as a file.
    """
    if not is_installed():
        return Sent(complaint="it is not installed (autodc-optimizer[mlflow]), so no run was added")
    change = change_of(content, oriented, terms, started, time.time())
    line = json.dumps({"target": asdict(target), "page": str(page), "change": asdict(change)})
    command = [sys.executable, "-P", "-m", "autodc.adapters.mlflow.evaluation"]
    try:
        said = subprocess.run(
            command,
            input=line,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=os.environ | settings(retries=1),
        )
        answer = json.loads(said.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return Sent(complaint=f"it took longer than {PATIENCE:g} s, so no run was added")
    except (ValueError, IndexError):
        return Sent(complaint="its process ended without an answer, so no run was added")
    return Sent(reference=answer.get("reference"), complaint=masked(str(answer.get("complaint") or ""), target.uri))


def change_of(
    content: Mapping[str, Any],
    oriented: Mapping[str, float],
    terms: Mapping[str, Mapping[str, Any]],
    started: float,
    ended: float,
) -> RunChange:
    """The run of an evaluation: slice values named as those of trainings, costs, differences; the verdict as tags."""
    costs, other = content["tradeoffs"], content["against"]
    outcome = {
        "status": "done",
        "slices": oriented,
        "predict_ms": costs["predict_ms"],
        **({"model_mb": costs["model_mb"]} if costs["model_mb"] is not None else {}),
    }
    values: dict[str, float | None] = dict(
        values_of(outcome, terms, -1.0 if content["metric"]["better"] == "lower" else 1.0)
    )
    values |= {name: costs[name] for name in ("memory_mb", "load_seconds")}
    for kind in ("row_ms", "batch_ms"):
        values |= {f"{kind}.{at}": costs[kind][at] for at in ("p50", "p95", "p99") if costs[kind] is not None}
    parameters = {"method": content["method"], "metric": content["metric"]["name"], "threads": content["threads"]}
    tags = {
        "autodc.study": content["study"],
        "autodc.phase": "evaluate",
        "autodc.status": "done",
        "autodc.rows": "all validation rows",
        "mlflow.source.name": "autodc",
    }
    name = f"evaluate {content['method']}"
    if other is not None:
        parameters["against"] = other["method"]
        differences = other["differences"].items()
        values |= {f"difference.{slice_}": one["difference"] for slice_, one in differences}
        worse = other["regressions"]
        tags["autodc.regression"] = ", ".join(worse) if worse else "none shown"
        name += f" against {other['method']}"
    time_ms = milliseconds(ended)
    change = RunChange(
        key=STUDY,
        create=True,
        name=name[:250],
        start=milliseconds(started),
        end=time_ms,
        status="FINISHED",
        parameters={name: str(value) for name, value in parameters.items()},
        metrics=metrics_at(time_ms, values),
        tags=tags,
    )
    return fitted(change)


def main() -> None:
    """Entry of the process."""
    asked = json.loads(sys.stdin.read())
    answers, sys.stdout = sys.stdout, sys.stderr  # MLflow prints links to stdout
    try:
        answer = _sent(asked)
    except Exception as error:  # a store's plugin raises types of its own
        answer = {"complaint": f"{last_line(error)}; no run was added"}
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _sent(asked: Mapping[str, Any]) -> dict[str, Any]:
    from autodc.adapters.mlflow.runs import Runs, client_of

    fields = dict(asked["change"])
    fields["metrics"] = {name: tuple(one) for name, one in fields["metrics"].items()}
    change = RunChange(**{**fields, "datasets": ()})
    target = MlflowTarget(**asked["target"])
    runs = Runs(client_of(target.uri), f"evaluation-{uuid.uuid4().hex}")
    experiment = runs.experiment(target.experiment, target.uri)
    runs.resume(experiment, 0, None)
    run = runs.find_or_create(change, looking=False)
    if run is None:
        return {"complaint": runs.refused}
    runs.log(change)
    runs.log_texts(change)
    runs.add_file(run, asked["page"])
    runs.set_status(change)
    reference = {"uri": masked(target.uri), "experiment_id": experiment, "run_id": run}
    return {"reference": reference, "complaint": runs.refused}


if __name__ == "__main__":
    main()
