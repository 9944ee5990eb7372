"""How a row is changed so that it stays what it is: policies of augmentation for pictures, tables and texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autodc.large import distinct_values
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]

Policy = Mapping[str, float]
"""Name of a change → how far it may go."""
PICTURES: Policy = {"rotate": 12.0, "shift": 0.1, "zoom": 0.1, "light": 0.1, "noise": 0.02, "flip": 1.0}
"""Degrees; shares of a side, of the size, of the range of values (light and noise); flip: whether it may be."""
NUMBERS: Policy = {"jitter": 0.05}
"""Standard deviations of a column."""
TEXTS: Policy = {"typos": 0.04}
"""Share of the letters."""
FEW = 6
"""Columns of up to so many different values are flags or kinds: they are not jittered."""


def draws(policy: Policy, rows: int, rng: np.random.Generator) -> dict[str, Array]:
    """What is done to each picture: name of a change → its value, shape (rows,)."""
    found = {
        "rotate": rng.uniform(-1, 1, rows) * policy.get("rotate", 0.0),
        "down": rng.uniform(-1, 1, rows) * policy.get("shift", 0.0),
        "across": rng.uniform(-1, 1, rows) * policy.get("shift", 0.0),
        "zoom": 1 + rng.uniform(-1, 1, rows) * policy.get("zoom", 0.0),
        "light": rng.uniform(-1, 1, rows) * policy.get("light", 0.0),
        "noise": rng.uniform(0, 1, rows) * policy.get("noise", 0.0),
        "flip": (rng.random(rows) < 0.5) * float(policy.get("flip", 0.0) > 0),
    }
    return {name: np.round(values, 4) for name, values in found.items()}


def changed_picture(
    picture: Array, done: Mapping[str, float], low: float, high: float, rng: np.random.Generator
) -> Array:
    """One picture, shape (height, width, channels), after what was drawn; low, high: the range of its values.

    What comes in from beyond the edge is as the edge is.
    """
    from scipy.ndimage import affine_transform

    values = np.asarray(picture, dtype=np.float64)
    if done["flip"]:
        values = values[:, ::-1]
    angle, size = np.deg2rad(done["rotate"]), np.array(values.shape[:2])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / done["zoom"]
    middle = (size - 1) / 2
    offset = middle - turn @ (middle + np.array([done["down"], done["across"]]) * size)
    values = np.stack(
        [
            affine_transform(values[..., channel], turn, offset=offset, order=1, mode="nearest")
            for channel in range(values.shape[2])
        ],
        axis=2,
    )
    values = values + done["light"] * (high - low)
    values = values + rng.normal(0.0, done["noise"] * (high - low) + 1e-12, values.shape)
    return like(np.clip(values, low, high), picture.dtype)


def jittered_columns(x: Array, known: Array, policy: Policy, rng: np.random.Generator) -> Array:
    """Rows of numbers, each moved a little within the range of its column. known: rows that tell spread and range."""
    flat, usual = np.asarray(x).reshape(len(x), -1), np.asarray(known).reshape(len(known), -1)
    found = np.array(flat)
    for at in range(flat.shape[1]):
        found[:, at] = _jittered(flat[:, at], usual[:, at], policy, rng)
    return found.reshape(np.shape(x))


def jittered_table(x: Table, known: Table, policy: Policy, rng: np.random.Generator) -> Table:
    """The same of the columns of numbers of a table; missing ones stay missing, all other columns stay as they are."""
    frame, usual = x.frame(), known.frame()
    for name, kind in x.schema.items():
        if kind in ("number", "integer"):
            here = frame[name].notna().to_numpy()
            own = usual[name].dropna().to_numpy(dtype=np.float64)
            values = np.array(frame[name].to_numpy(dtype=np.float64, na_value=np.nan))
            values[here] = _jittered(values[here], own, policy, rng)
            frame[name] = np.round(values) if kind == "integer" else values
            if kind == "integer":
                frame[name] = frame[name].astype("Int64")
    return Table.of(x.kind, frame, x.types)


def with_typos(text: str, policy: Policy, rng: np.random.Generator) -> str:
    """A text in which some letters are swapped with the next, left out, or doubled; numbers stay as they are."""
    letters = list(text)
    for at in np.flatnonzero(rng.random(len(letters)) < policy.get("typos", 0.0)):
        if not letters[at].isalpha():
            continue
        how = int(rng.integers(3))
        if how == 0 and at + 1 < len(letters) and letters[at + 1].isalpha():
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
        else:
            letters[at] = "" if how == 1 else letters[at] * 2
    return "".join(letters)


def like(values: Array, dtype: np.dtype[Any]) -> Array:
    """Values of another type of number, rounded where that is whole."""
    return np.asarray((np.round(values) if dtype.kind in "iu" else values).astype(dtype))


def is_image_array(x: Inputs) -> bool:
    """Whether rows are pictures in an array: a height, a width, and channels or none."""
    return not isinstance(x, Table) and x.ndim in (3, 4)


def _jittered(values: Array, known: Array, policy: Policy, rng: np.random.Generator) -> Array:
    known = known[np.isfinite(known)] if known.dtype.kind == "f" else known
    if values.dtype.kind not in "fiu" or not len(known) or len(distinct_values(known)) <= FEW:
        return values
    moved = values + rng.normal(0.0, policy.get("jitter", 0.0) * float(known.std()), len(values))
    return like(np.clip(moved, known.min(), known.max()), values.dtype)
