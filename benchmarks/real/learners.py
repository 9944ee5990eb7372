"""The learners of the cases: a tenth of a second a training, on one thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import lightgbm as lgb
import numpy as np
from sklearn.linear_model import LogisticRegression

from autodc.studyfile.study import ParameterSpec

Array = np.ndarray[Any, Any]
Predict = Callable[[Array], Array]

VERSION = 1
"""Raised where a training of the same rows, settings and seed gives something else: what is known is then forgotten."""
ROUNDS = 40
FEATURES = 400

TREE_SPACE: Mapping[str, ParameterSpec] = {
    "learning_rate": ParameterSpec(type="float", low=0.03, high=0.5, log=True),
    "num_leaves": ParameterSpec(type="int", low=4, high=48, log=True),
    "min_data_in_leaf": ParameterSpec(type="int", low=4, high=80, log=True),
    "lambda_l2": ParameterSpec(type="float", low=0.01, high=30.0, log=True),
}
LINEAR_SPACE: Mapping[str, ParameterSpec] = {
    "C": ParameterSpec(type="float", low=0.01, high=100.0, log=True),
    "dims": ParameterSpec(type="int", low=20, high=150, log=True),
    "whiten": ParameterSpec(type="float", low=0.0, high=1.0),
}
KERNEL_SPACE: Mapping[str, ParameterSpec] = {
    "gamma": ParameterSpec(type="float", low=0.01, high=1.0, log=True),
    "alpha": ParameterSpec(type="float", low=0.001, high=100.0, log=True),
}


def trees(x: Array, y: Array, hyper: Mapping[str, Any], seed: int) -> Predict:
    """Boosted trees for two classes; which features a split may look at is drawn by the seed."""
    model = _boosted("binary", x, y, hyper, seed)

    def predict(rows: Array) -> Array:
        second = np.asarray(model.predict(rows, num_threads=1))
        return np.column_stack([1.0 - second, second])

    return predict


def tree_values(x: Array, y: Array, hyper: Mapping[str, Any], seed: int) -> Predict:
    """Boosted trees for numbers."""
    model = _boosted("regression", x, y, hyper, seed)
    return lambda rows: np.asarray(model.predict(rows, num_threads=1))


def _boosted(objective: str, x: Array, y: Array, hyper: Mapping[str, Any], seed: int) -> lgb.Booster:
    fixed = {"objective": objective, "feature_fraction_bynode": 0.5, "seed": seed, "deterministic": True}
    quiet = {"verbosity": -1, "num_threads": 1, "max_bin": 63, "force_col_wise": True}
    return lgb.train({**fixed, **quiet, **hyper}, lgb.Dataset(x, y, params=quiet), ROUNDS)


def linear(x: Array, y: Array, hyper: Mapping[str, Any], seed: int) -> Predict:
    """Logistic regression on the first components of a fixed encoding; deterministic, the seed does nothing."""
    dims = int(hyper["dims"])
    scale = np.maximum(x[:, :dims].std(axis=0), 1e-6) ** float(hyper["whiten"])
    model = LogisticRegression(C=float(hyper["C"]), max_iter=200)
    model.fit(x[:, :dims] / scale, y)
    return lambda rows: model.predict_proba(rows[:, :dims] / scale)


def kernel(x: Array, y: Array, hyper: Mapping[str, Any], seed: int) -> Predict:
    """Ridge regression of the classes on random Fourier features of a radial kernel, drawn by the seed."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(0.0, np.sqrt(2.0 * float(hyper["gamma"])), (x.shape[1], FEATURES)).astype(np.float32)
    phase = rng.uniform(0.0, 2.0 * np.pi, FEATURES).astype(np.float32)

    def features(rows: Array) -> Array:
        return np.cos(rows @ directions + phase)

    made, classes = features(x), int(y.max()) + 1
    gram = made.T @ made + float(hyper["alpha"]) * np.eye(FEATURES, dtype=np.float32)
    weights = np.linalg.solve(gram, made.T @ (2.0 * np.eye(classes, dtype=np.float32)[y] - 1.0))

    def predict(rows: Array) -> Array:
        scores = np.exp(2.0 * np.clip(features(rows) @ weights, -5.0, 5.0))
        return scores / scores.sum(axis=1, keepdims=True)

    return predict
