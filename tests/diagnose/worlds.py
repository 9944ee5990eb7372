"""Small worlds with a known cause: a real model, real rows, and a condition that the model never saw."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from autodc.diagnose.view import View, failed_rows

Array = np.ndarray[Any, Any]

CONFIGS = Path(__file__).parents[2] / "configs"


def measure(x: Array) -> pd.DataFrame:
    """What a person would say of a picture, of its ink 0 … 1."""
    flat = x.reshape(len(x), -1)
    place = np.linspace(-1, 1, x.shape[1])
    mass = flat.sum(1) + 1e-9
    return pd.DataFrame(
        {
            "brightness": flat.mean(1),
            "lightest": flat.max(1),
            "contrast": flat.std(1),
            "centre_row": x.sum(2) @ place / mass,
            "centre_column": x.sum(1) @ place / mass,
            "border": (x[:, 0].mean(1) + x[:, -1].mean(1)) / 2,
        }
    )


def dark(x: Array, rng: np.random.Generator) -> Array:
    """Hardly any light."""
    return np.asarray(x * rng.uniform(0.1, 0.2, (len(x), 1, 1)))


def moved(x: Array, rng: np.random.Generator) -> Array:
    """Two pixels to the left or to the right."""
    return np.stack([np.roll(one, step, 1) for one, step in zip(x, rng.choice([-2, 2], len(x)), strict=True)])


@cache
def digits(condition: str) -> tuple[View, Array, LogisticRegression]:
    """Digits, an eighth of them under a condition; which are; and the model, trained on plain ones."""
    rng = np.random.default_rng(3)
    x, y = load_digits(return_X_y=True)
    x = x.reshape(-1, 8, 8) / 16
    model = LogisticRegression(max_iter=300).fit(x[:800].reshape(800, -1), y[:800])
    x, y = x[800:].copy(), y[800:]
    has = rng.random(len(x)) < 0.125
    x[has] = {"dark": dark, "moved": moved}[condition](x[has], rng)
    return seen(model.predict_proba(x.reshape(len(x), -1)), y, x, measure(x), rng), has, model


def seen(p: Array, y: Array, x: Any, attributes: pd.DataFrame, rng: np.random.Generator) -> View:
    """A view of a classifier whose classes are 0, 1, …"""
    error = (p.argmax(1) != y).astype(float)
    attributes = attributes.assign(
        hour=rng.integers(0, 24, len(y)),
        device=rng.choice(np.array(["north", "south", "van"], dtype=object), len(y)),
        skewed=rng.lognormal(0, 3, len(y)),
    )
    return View(
        ids=np.arange(len(y)),
        error=error,
        failed=failed_rows(error, is_classification=True),
        target=y,
        prediction=p.argmax(1),
        attributes=attributes,
        groups=np.arange(len(y)),
        probabilities=p,
        classes=tuple(range(p.shape[1])),
        x=x,
    )
