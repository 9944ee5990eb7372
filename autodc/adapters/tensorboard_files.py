"""Event files for TensorBoard: a run a training, with its hyperparameters, and one of how the search went on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from autodc.errors import InputError

PROGRESS = "search"
"""The run of what the whole study reached, step by step."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training."""

    number: int
    name: str
    settings: Mapping[str, Any]
    """Numbers, text, true, false."""
    scalars: Mapping[str, float]
    time: float
    """Unix time at which it ended."""


def written(out: Path, runs: Iterable[Run], progress: Mapping[str, Iterable[tuple[int, float, float]]]) -> Path:
    """Write event files below a folder and return it. progress: tag → (step, value, Unix time) each.

    Raises InputError ADC-COPY-001 where tensorboardX is not installed, 002 for a folder that has files in it.
    """
    try:
        from tensorboardX import SummaryWriter
        from tensorboardX.summary import hparams
    except ImportError:
        hint = "pip install 'autodc-optimizer[tensorboard]'"
        raise InputError(
            "ADC-COPY-001", "event files are written by tensorboardX, which is not here", hint=hint
        ) from None
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        hint = "name a folder that is not there yet: two copies in one are shown as one study"
        raise InputError("ADC-COPY-002", "this folder has files in it", "--out", str(out), hint)
    for run in runs:
        with SummaryWriter(logdir=str(out / _folder(run))) as writer:
            for summary in hparams(dict(run.settings), dict.fromkeys(run.scalars, 0.0)):
                writer.file_writer.add_summary(summary, walltime=run.time)
            for tag, value in run.scalars.items():
                writer.add_scalar(tag, value, run.number, walltime=run.time)
    with SummaryWriter(logdir=str(out / PROGRESS)) as writer:
        for tag, points in progress.items():
            for step, value, time in points:
                writer.add_scalar(tag, value, step, walltime=time)
    return out


def _folder(run: Run) -> str:
    return re.sub(r"[^\w.+-]+", "_", f"{run.number:04d} {run.name}").strip("_")
