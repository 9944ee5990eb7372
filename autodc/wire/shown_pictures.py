"""Pictures as a reader is shown them: bytes of three channels, small, on one scale and of one size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray[Any, Any]

PIXELS = 96
"""Of the longer side of a picture that is shown; smaller ones stay as they are."""


def scale_of(truth: Array) -> tuple[float, float]:
    """What is black and what is white of images beside these."""
    return float(truth.min()), float(truth.max())


def pictures_of(x: Array) -> Array | None:
    """Bytes of shape (n, h, w, 3), of arrays that are pictures, on one scale; None of others."""
    if x.ndim == 4 and x.shape[1] in (1, 3) and x.shape[3] not in (1, 3):
        x = np.moveaxis(x, 1, 3)
    if x.ndim == 4 and x.shape[3] in (1, 3, 4):
        x = x[..., :3] if x.shape[3] != 1 else x[..., 0]
    elif x.ndim != 3:
        return None
    if min(x.shape[1:3], default=0) < 4:
        return None
    if x.dtype != np.uint8:
        values = np.nan_to_num(x.astype(np.float64))
        low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
        x = np.round(255 * (values - low) / ((high - low) or 1.0)).astype(np.uint8)
    return np.asarray(np.repeat(x[..., None], 3, axis=3) if x.ndim == 3 else x, dtype=np.uint8)


def opened(path: str) -> Array | None:
    """A picture in a file, small; None where it is none or cannot be read, which is no reason to end anything."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (PIXELS, PIXELS))
            image.thumbnail((PIXELS, PIXELS))
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError):
        return None


def framed(pictures: Sequence[Array | None]) -> Array:
    """Pictures of one size: scaled down where they are large, in the middle of a white frame."""
    small = [np.full((1, 1, 3), 255, np.uint8) if one is None else _scaled(one) for one in pictures]
    height, width = (max((one.shape[axis] for one in small), default=1) for axis in (0, 1))
    sheet = np.full((len(small), height, width, 3), 255, dtype=np.uint8)
    for k, one in enumerate(small):
        top, left = (height - one.shape[0]) // 2, (width - one.shape[1]) // 2
        sheet[k, top : top + one.shape[0], left : left + one.shape[1]] = one
    return sheet


def _scaled(picture: Array) -> Array:
    if max(picture.shape[:2]) <= PIXELS:
        return picture
    image = Image.fromarray(picture)
    image.thumbnail((PIXELS, PIXELS))
    return np.asarray(image)
