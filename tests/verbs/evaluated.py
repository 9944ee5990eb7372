"""Studies whose data lie in a folder, and methods evaluated on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import autodc
from autodc.verbs.evaluate import EvaluationResult


def study(folder: Path, kind: str, metric: str, slices: list[dict[str, Any]], **data: Any) -> autodc.StudySpec:
    """A study whose data lie in a folder as NPZ, unless `data` names other sources."""
    estimator = "GaussianNB" if kind == "classification" else "Ridge"
    trainer = {"trainer": "sklearn", "options": {"estimator": estimator}}
    if kind in ("custom", "image_to_image"):
        trainer = {"trainer": "command", "options": {"argv": ["python", "train.py", "{job}"]}}
        (folder / "train.py").write_text("")
    sources = {"base": {"source": "base.npz"}, "validation": {"source": "validation.npz"}} | data
    written = {
        "schema_version": 1,
        "name": "night",
        "seed": 3,
        "task": {"kind": kind, **trainer},
        "data": sources,
        "metrics": {"primary": metric},
        "slices": slices,
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(written))
    return autodc.load(folder / "study.yaml")


def evaluated(spec: autodc.StudySpec, method: str, against: str | None = None, **more: Any) -> EvaluationResult:
    out = Path(spec.folder) / f"out-{abs(hash((method, against)))}"
    return autodc.evaluate(spec, method, against, **{"out": out, "threads": 1, **more})
