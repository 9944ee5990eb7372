"""A small study with known truth, and a trainer that learns it in well under a millisecond.

Rows lie in twelve cells of a line; a cell has one right class. The base knows the six bright cells alone. `lamps` has
the dark ones (`near` and `far` are its halves, in files of their own that no candidate names), `wrong` has them with
every label shifted, `copies` repeats bright rows, `chance` has labels by chance. `near_dear` and `far_dear` are the
halves with rows that spoil one bright cell each.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.trial.forking import Forked, ForkingJob
from autodc.trial.trainer import Trained, TrainingJob

Array = np.ndarray[Any, Any]

CELLS = 12
CLASSES = 3
CANDIDATES = ("lamps", "wrong", "copies", "chance")
LABEL_NOISE = 0.1

_BRIGHT, _DARK = np.arange(CELLS // 2), np.arange(CELLS // 2, CELLS)


@final
class CellTrainer:
    """Counts classes cell by cell over a bootstrap of the mixture.

    A cheap training sees its share of the rows; a fork counts some of its dataset beside the mixture. fail: `narrow`
    (every `width` below 4 raises), `all`, or a dataset whose trainings with seed `fail_seed` raise; misleading: a cheap
    training predicts the least likely class.
    """

    def __init__(self, fail: str = "", fail_seed: int = -1, misleading: bool = False) -> None:
        self._fail, self._fail_seed, self._misleading = fail, fail_seed, misleading

    def train(self, job: TrainingJob) -> Trained:
        """Count, smooth, predict class probabilities."""
        names = {part.name for part in job.train}
        width = int(job.hyperparameters.get("width", CELLS))
        if self._fail == "all" or (self._fail == "narrow" and width < 4):
            raise ValueError(f"width {width} is too narrow, as planned")
        if self._fail in names and job.seed == self._fail_seed:
            raise ValueError("this training fails, as planned")
        rng = np.random.default_rng(job.seed)
        shares = _shares(_counts(job, rng), width, rng)
        if self._misleading and job.fidelity < 1:
            shares = 1.0 - shares
        outputs = {name: shares[_cell(x)] for name, x in job.predict.items()}
        return Trained(outputs=outputs, train_seconds=1e-3, predict_ms=1e-3, model_mb=1e-3)

    def fork(self, job: ForkingJob) -> Forked:
        """Count the mixture, then each dataset at a tenth beside it."""
        training, seen = job.training, list[Array]()
        if self._fail in {part.name for part in job.datasets}:
            raise ValueError("this fork fails, as planned")
        width = int(training.hyperparameters.get("width", CELLS))
        for part in (None, *job.datasets):
            rng = np.random.default_rng(training.seed)
            counts = _counts(training, rng)
            if part is not None:
                np.add.at(counts, (_cell(part.x), part.y), 0.1)
            seen.append(_shares(counts, width, rng))
        outputs = {name: np.stack([one[_cell(x)] for one in seen]) for name, x in training.predict.items()}
        return Forked(outputs=outputs, train_seconds=1e-3)


def rows(
    rng: np.random.Generator, count: int, cells: Array, shift: int = 0, noise: float = LABEL_NOISE
) -> Mapping[str, Array]:
    """Draw rows of these cells. shift: added to every label; noise: share of labels drawn by chance."""
    cell = rng.choice(cells, count)
    x = np.stack([cell + rng.uniform(-0.4, 0.4, count), rng.random(count)], axis=1).astype(np.float64)
    y = (cell * 7 + shift) % CLASSES
    y = np.where(rng.random(count) < noise, rng.integers(0, CLASSES, count), y)
    return {"x": x, "y": y.astype(np.int64), "region": np.where(cell < CELLS // 2, "bright", "dark")}


def write_world(folder: str | os.PathLike[str], **changes: Any) -> Path:
    """Write data and a study file, and return the file.

    changes: `search__lag=2` sets that key; a value of None takes the key out.
    """
    path = Path(folder)
    (path / "data").mkdir(parents=True, exist_ok=True)
    for name, arrays in _datasets().items():
        np.savez(path / "data" / f"{name}.npz", **dict(arrays))  # type: ignore[arg-type]
    study = study_tree()
    for key, value in changes.items():
        *above, last = key.split("__")
        place = study
        for step in above:
            place = place.setdefault(step, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    file = path / "study.yaml"
    file.write_text(json.dumps(study, indent=1))
    return file


def _datasets() -> dict[str, Mapping[str, Array]]:
    rng = np.random.default_rng(5)
    everywhere = np.arange(CELLS)
    base, lamps = rows(rng, 240, _BRIGHT), rows(rng, 160, _DARK)
    is_near = _cell(lamps["x"]) < CELLS * 3 // 4
    near = {name: array[is_near] for name, array in lamps.items()}
    far = {name: array[~is_near] for name, array in lamps.items()}
    found = {
        "base": base,
        "lamps": lamps,
        "near": near,
        "far": far,
        "wrong": rows(rng, 160, _DARK, shift=1),
        "copies": {name: array[:120] for name, array in base.items()},
        "chance": rows(rng, 200, _BRIGHT, noise=1.0),
        "validation": rows(rng, 600, everywhere),
        "test": rows(rng, 600, everywhere),
    }
    for cell, (name, half) in enumerate((("near_dear", near), ("far_dear", far))):
        spoilt = rows(rng, 120, _BRIGHT[cell : cell + 1], shift=1)
        found[name] = {key: np.concatenate([half[key], spoilt[key]]) for key in half}
    return found


def study_tree() -> dict[str, Any]:
    """The study file of the world, as `write_world` writes it."""
    return {
        "schema_version": 1,
        "name": "world",
        "seed": 3,
        "task": {"kind": "classification", "trainer": "autodc.testing.worlds.cells:CellTrainer", "options": {}},
        "data": {
            "base": {"source": "data/base.npz"},
            "candidates": [{"name": name, "source": f"data/{name}.npz"} for name in CANDIDATES],
            "validation": {"source": "data/validation.npz"},
            "test": {"source": "data/test.npz"},
        },
        "metrics": {"primary": "accuracy"},
        "slices": [
            {"name": "overall", "role": "guard", "margin": 0.05},
            {"name": "bright", "where": "region = 'bright'", "role": "guard", "margin": 0.05},
            {"name": "dark", "where": "region = 'dark'", "role": "target"},
        ],
        "search_space": {
            "smooth": {"type": "float", "low": 0.1, "high": 10.0, "log": True},
            "width": {"type": "int", "low": 1, "high": 12},
        },
        "loop": {"rounds": 2},
        "search": {"sampler": "random", "trials_per_round": 12, "lag": 3},
        "budget": {"trainings": 60},
        "tracking": {"uri": "none"},
    }


def _counts(job: TrainingJob, rng: np.random.Generator) -> Array:
    counts = np.full((CELLS, CLASSES), float(job.hyperparameters.get("smooth", 1.0)))
    for part in job.train:
        drawn = rng.poisson(part.weight * job.fidelity, len(part.y))
        np.add.at(counts, (_cell(part.x), part.y), drawn)
    return counts


def _shares(counts: Array, width: int, rng: np.random.Generator) -> Array:
    shares = counts / counts.sum(axis=1, keepdims=True)
    shares += 0.02 * max(0, 6 - width) * rng.standard_normal(shares.shape) + 1e-6 * rng.random(shares.shape)
    shares = np.maximum(shares, 1e-6)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _cell(x: Any) -> Array:
    cell: Array = np.clip(np.rint(np.asarray(x)[:, 0]), 0, CELLS - 1).astype(int)
    return cell
