"""What was written into a store of MLflow, on the terminal."""

from __future__ import annotations

from autodc.adapters.mlflow.store import opening
from autodc.cli.terminal import console
from autodc.review.numbers import count
from autodc.verbs.track import TrackResult


def show_track(found: TrackResult) -> None:
    """How much was new, and how to look at it."""
    out = console()
    if found.nothing_new:
        out.print(f"{found.study}: MLflow has all of it already, {count(found.runs, 'run')}")
    else:
        new = f"{found.made} new, {found.changed} changed, {count(found.files, 'file')} sent"
        out.print(f"{found.study}: {count(found.runs, 'run')} in MLflow, {new}")
    if found.refused:
        out.print(f"but for this: {found.refused}", soft_wrap=True)
    where = {"uri": found.uri, "experiment_id": found.experiment_id, "run_id": found.run_id}
    out.print(f"MLflow: {opening(where)}", soft_wrap=True)
