"""Styles of a picture: what is shown stays, how it is drawn does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, Any]

NONE: Final = "none"
TONES = 3
"""Steps between black and white of a poster."""
BAYER: Final = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], dtype=np.float32) + 0.5) / 16
"""Thresholds of ordered dithering (Bayer 1973)."""


def poster(x: Array, ground: Array) -> Array:
    """Four tones a channel, nothing between them."""
    return np.asarray(np.round(x * TONES) / TONES)


def halftone(x: Array, ground: Array) -> Array:
    """Black and white dots a channel, as dense as it is light."""
    height, width = x.shape[1:3]
    level = np.tile(BAYER, (height // 4 + 1, width // 4 + 1))[:height, :width]
    return (x > level[None, :, :, None]).astype(np.float32)


def sketch(x: Array, ground: Array) -> Array:
    """Outlines on the background, the strongest of a picture as far from it as may be."""
    from scipy import ndimage

    slope = np.hypot(ndimage.sobel(x, axis=1, mode="nearest"), ndimage.sobel(x, axis=2, mode="nearest"))
    top = slope.max(axis=(1, 2, 3), keepdims=True)
    line = slope / np.where(top > 0, top, 1)
    return np.asarray(np.where(ground > 0.5, ground * (1 - line), ground + (1 - ground) * line))


def paint(x: Array, ground: Array) -> Array:
    """Even patches with sharp borders: the median of a neighbourhood of a tenth of the shorter side."""
    from scipy import ndimage

    size = max(2, round(min(x.shape[1:3]) / 10))
    return np.asarray(ndimage.median_filter(x, size=(1, size, size, 1), mode="nearest"))


STYLES: Final[Mapping[str, Callable[[Array, Array], Array]]] = {
    "poster": poster,
    "halftone": halftone,
    "sketch": sketch,
    "paint": paint,
}
"""Name → pictures (n, h, w, c) between 0 and 1, and the grey of their backgrounds (n, 1, 1, c), drawn so."""
