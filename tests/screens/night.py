"""A small real night: handwritten digits, of which bold ones are read badly until a set of them joins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage
from sklearn.datasets import load_digits

BASE, BOLD, MISALIGNED, VALIDATION = slice(0, 250), slice(250, 450), slice(450, 650), slice(650, 1150)
TEST = slice(1150, 1797)
CANDIDATES = ("felt_pen", "misaligned")


def write_night(folder: Path, uri: str) -> Path:
    """Write data and a study file, and return the file. uri: of the store that MLflow keeps it in."""
    scans = load_digits()
    order = np.random.default_rng(5).permutation(len(scans.images))
    x, y = scans.images[order] / 16, scans.target[order]
    datasets = {
        "base": _rows(x, y, BASE, "thin"),
        "felt_pen": _rows(x, y, BOLD, "bold"),
        "misaligned": {**(wrong := _rows(x, y, MISALIGNED, "bold")), "y": np.roll(wrong["y"], 1)},
        "validation": _both(x, y, VALIDATION),
        "test": _both(x, y, TEST),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, arrays in datasets.items():
        np.savez(folder / f"{name}.npz", **dict(arrays))
    study = {
        "schema_version": 1,
        "name": "digits-by-felt-pen",
        "seed": 3,
        "task": {
            "kind": "classification",
            "trainer": "sklearn",
            "options": {"estimator": "ExtraTreesClassifier", "params": {"n_estimators": 30}},
        },
        "data": {
            "base": {"source": "base.npz"},
            "candidates": [{"name": name, "source": f"{name}.npz"} for name in CANDIDATES],
            "validation": {"source": "validation.npz"},
            "test": {"source": "test.npz"},
        },
        "metrics": {"primary": "accuracy"},
        "slices": [
            {"name": "overall", "role": "guard", "margin": 0.03},
            {"name": "thin", "where": "pen = 'thin'", "role": "guard", "margin": 0.05},
            {"name": "bold", "where": "pen = 'bold'", "role": "target"},
        ],
        "search_space": {"min_samples_leaf": {"type": "int", "low": 1, "high": 6}},
        "recipes": ["concat"],
        "loop": {"rounds": 1, "propose": ["given"]},
        "search": {"sampler": "mixture", "trials_per_round": 8},
        "budget": {"trainings": 40},
        "tracking": {"uri": uri, "experiment": "digits", "registered_model": "digits-reader"},
    }
    file = folder / "study.yaml"
    file.write_text(json.dumps(study, indent=1))
    return file


def _rows(x: Any, y: Any, part: slice, pen: str) -> Mapping[str, Any]:
    images = np.pad(x[part], ((0, 0), (1, 1), (1, 1)))
    if pen == "bold":
        images = ndimage.grey_dilation(images, (1, 3, 3))
    return {"x": images.astype(np.float32), "y": y[part].astype(np.int64), "pen": np.full(len(images), pen)}


def _both(x: Any, y: Any, part: slice) -> Mapping[str, Any]:
    thin, bold = _rows(x, y, part, "thin"), _rows(x, y, part, "bold")
    return {name: np.concatenate([thin[name], bold[name]]) for name in thin}
