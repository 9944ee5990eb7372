"""What scanners in poor repair make of a digit: conditions of tables of 64 counts, 0 … 16, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

SCANNERS = ("short", "crossed", "interlaced", "inverted", "rewired", "dead", "slipped")
_WIRING = np.random.default_rng(8).permutation(64)


def scan(counts: Array, scanner: str, rng: np.random.Generator) -> Array:
    """Read counts of shape (n, 8, 8); return the table, shape (n, 64), float32.

    short: the lower three rows are not read · crossed: the columns come in reverse · interlaced: every other row is
    lost · inverted: dark and light of the upper two rows are exchanged · rewired: the left half of the cells is in
    another order · dead: two columns in the middle stay at zero · slipped: the sheet slipped by one row · plain: in
    good repair.
    """
    x = np.array(counts, dtype=np.float64)
    if scanner == "short":
        x[:, 5:] = 0.0
    elif scanner == "crossed":
        x = x[:, :, ::-1]
    elif scanner == "interlaced":
        x[:, ::2] = 0.0
    elif scanner == "inverted":
        x[:, :2] = 16.0 - x[:, :2]
    elif scanner == "rewired":
        left = np.sort(_WIRING[:32])
        flat = x.reshape(len(x), 64)
        flat[:, left] = flat[:, _WIRING[:32]]
        x = flat.reshape(-1, 8, 8)
    elif scanner == "dead":
        x[:, :, 3:5] = 0.0
    elif scanner == "slipped":
        x = np.roll(x, 1, axis=1)
    x = x * rng.uniform(0.8, 1.1, (len(x), 1, 1)) + rng.normal(0.0, 0.7, x.shape)
    return np.round(np.clip(x, 0.0, 20.0)).reshape(len(x), 64).astype(np.float32)
