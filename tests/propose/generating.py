"""Worlds for generators: a model that fails under a condition, the rows it was looked at on, and calls of the maker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from autodc.adapters.enrichers.image import FittedImage
from autodc.data.attributes import Rows
from autodc.propose.made import Made, read
from autodc.table import Inputs
from autodc.trial.call import Call, CallPart
from autodc.wire.makers_generate import generate

Array = np.ndarray[Any, Any]

SENSOR = '''
import numpy as np

class Sensor:
    """Rows of a sensor that stands too high at night and turns round in the cold."""

    share = {"type": "float", "low": 0.0, "high": 1.0}
    parameters = {"night": share, "cold": share}

    def generate(self, parameters, rows, seed):
        r = np.random.default_rng(seed)
        night, cold = r.random(rows) < parameters["night"], r.random(rows) < parameters["cold"]
        signal = r.normal(size=rows)
        seen = np.where(cold, -signal, signal) + 2.5 * night + r.normal(0, .15, rows)
        heat = np.where(cold, r.uniform(-20, -6, rows), r.uniform(0, 30, rows))
        told = [seen, night * 1.0 + r.normal(0, .05, rows), (heat < -3) + r.normal(0, .05, rows), r.normal(size=rows)]
        metadata = {"hour": np.where(night, 2, 12), "heat": heat.round(1), "noise": r.normal(size=rows).round(3)}
        return np.column_stack(told).astype(np.float32), (signal > 0).astype(int), metadata
'''


def part(name: str, x: Inputs, y: Array, metadata: pd.DataFrame, folder: Path) -> CallPart:
    return CallPart(name=name, x=x, y=y, metadata=metadata, folder=folder)


def call(folder: Path, parts: Sequence[CallPart], **told: Any) -> Call:
    out = folder / f"out{len(list(folder.iterdir()))}"
    out.mkdir()
    asked = {"name": "sensor", "options": {}, "folder": str(folder), "rows": 200, "seed": 3, **told}
    return Call(arguments=asked, parts={one.name: one for one in parts}, out=out)


def made(one: Call) -> tuple[Made, Mapping[str, Any]]:
    answer = generate(one)
    return read(one.out), answer["facts"]


def sensors(rows: int, seed: int, night: float, cold: float) -> tuple[Array, Array, pd.DataFrame]:
    space: dict[str, Any] = {}
    exec(SENSOR, space)
    x, y, metadata = space["Sensor"]().generate({"night": night, "cold": cold}, rows, seed)
    return x, y, pd.DataFrame(metadata)


@cache
def sensor_model() -> RandomForestClassifier:
    x, y, _ = sensors(900, 1, 0.0, 0.0)
    return RandomForestClassifier(25, random_state=0).fit(x, y)


def sensor_parts(inside: str, folder: Path) -> list[CallPart]:
    """The base, and explore rows of which those of one weakness are of the finding."""
    x, y, metadata = sensors(900, 1, 0.0, 0.0)
    base = part("base", x, y, metadata, folder)
    x, y, metadata = sensors(900, 2, 0.2, 0.15)
    failed = sensor_model().predict(x) != y
    within = (metadata["hour"] < 6) if inside == "night" else (metadata["heat"] < -3)
    looked = metadata.assign(_failed=failed, _inside=within.to_numpy())
    return [base, part("looked", x, y, looked, folder)]


@cache
def digits() -> tuple[Array, Array]:
    x, y = load_digits(return_X_y=True)
    return (x.reshape(-1, 8, 8) / 16).astype(np.float32), y


def digit_parts(change: Any, folder: Path, rule: Any) -> tuple[list[CallPart], LogisticRegression]:
    """Plain digits as the base; explore rows of which a fifth are changed, of the finding by a rule over attributes."""
    x, y = digits()
    model = LogisticRegression(max_iter=200).fit(x[:900].reshape(900, -1), y[:900])
    rng = np.random.default_rng(5)
    some = x[900:].copy()
    has = rng.random(len(some)) < 0.2
    some[has] = change(some[has], rng)
    frame = FittedImage(0.0, 1.0).attributes(Rows(x=some, metadata=pd.DataFrame(index=range(len(some)))))
    failed = model.predict(some.reshape(len(some), -1)) != y[900:]
    looked = frame.assign(_failed=failed, _inside=np.asarray(rule(frame)))
    nothing = pd.DataFrame(index=range(900))
    return [part("base", x[:900], y[:900], nothing, folder), part("looked", some, y[900:], looked, folder)], model
