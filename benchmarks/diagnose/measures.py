"""Cheap measures of small grey pictures, as a person would name them; none knows of any condition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage

Array = np.ndarray[Any, Any]

KERNEL = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])
"""Sees grain, and hardly edges (Immerkaer 1996)."""


def measures(images: Array) -> pd.DataFrame:
    """Sixteen columns. images: (n, size, size) bytes."""
    x = images.astype(np.float64) / 255
    size = x.shape[1]
    flat = x.reshape(len(x), -1)
    place = np.arange(size) - (size - 1) / 2
    mass = flat.sum(1) + 1e-9
    row, column = (x.sum(2) @ place) / mass, (x.sum(1) @ place) / mass
    down, along = place[None] - row[:, None], place[None] - column[:, None]
    tall, wide = (x.sum(2) * down**2).sum(1) / mass, (x.sum(1) * along**2).sum(1) / mass
    slant = np.einsum("nij,ni,nj->n", x, down, along, optimize=True) / mass
    root = np.sqrt((tall - wide) ** 2 / 4 + slant**2)
    ring = np.ones((size, size), dtype=bool)
    ring[2:-2, 2:-2] = False
    grain = np.abs(ndimage.convolve(x, KERNEL[None])).mean((1, 2)) * np.sqrt(np.pi / 2) / 6
    edges = np.abs(np.diff(x, axis=1)).mean((1, 2)) + np.abs(np.diff(x, axis=2)).mean((1, 2))
    spread = flat.std(1)
    inked = x > 0.25 * np.quantile(flat, 0.98, axis=1)[:, None, None]
    return pd.DataFrame(
        {
            "brightness": flat.mean(1),
            "contrast": spread,
            "lightest": np.quantile(flat, 0.95, axis=1),
            "darkest": np.quantile(flat, 0.05, axis=1),
            "sharpness": edges / (spread + 0.02),
            "grain": grain,
            "ink": inked.mean((1, 2)),
            "height": inked.any(2).mean(1),
            "width": inked.any(1).mean(1),
            "centre_row": row,
            "centre_column": column,
            "slant": np.abs(0.5 * np.arctan2(2 * slant, tall - wide + 1e-9)),
            "elongation": 2 * root / (tall + wide + 1e-9),
            "border": flat[:, ring.ravel()].mean(1),
            "fullest_row": np.median(x, axis=2).max(1),
            "flat_share": (np.abs(np.diff(x, axis=2)) < 0.02).mean((1, 2)),
        }
    ).round(4)
