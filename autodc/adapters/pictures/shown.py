"""Arrays and files as small pictures that a page carries in itself."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

Array = np.ndarray[Any, Any]

LARGEST, SMALLEST = 160, 84
"""Pixels of the longer side; smaller ones are drawn larger, in whole steps."""


def picture_of(values: Array) -> Image.Image | None:
    """An input as a picture, shape (h, w), (h, w, 1, 3 or 4) or (1, 3 or 4, h, w); None where it is none.

    Bytes are shown as they are; of other numbers the lowest is black and the highest white.
    """
    if values.ndim == 3 and values.shape[0] in (1, 3, 4) and values.shape[-1] not in (1, 3, 4):
        values = np.moveaxis(values, 0, -1)
    if values.ndim == 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[-1] not in (3, 4)) or min(values.shape[:2]) < 4:
        return None
    if values.dtype != np.uint8:
        low, high = float(values.min()), float(values.max())
        values = ((values.astype(np.float64) - low) / ((high - low) or 1.0) * 255).astype(np.uint8)
    return _sized(Image.fromarray(np.ascontiguousarray(values)))


def picture_of_file(path: str) -> Image.Image | None:
    """A file as a picture; None where it is none, or cannot be read."""
    try:
        with Image.open(path) as opened:
            opened.thumbnail((LARGEST, LARGEST))
            return _sized(opened.convert("RGB"))
    except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError):
        return None


def data_uri(picture: Image.Image) -> str:
    """The picture as an address that holds it whole."""
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _sized(picture: Image.Image) -> Image.Image:
    longest = max(picture.size)
    if longest > LARGEST:
        picture = picture.copy()
        picture.thumbnail((LARGEST, LARGEST))
    elif longest < SMALLEST:
        step = -(-SMALLEST // longest)
        picture = picture.resize((picture.width * step, picture.height * step), Image.Resampling.NEAREST)
    return picture
