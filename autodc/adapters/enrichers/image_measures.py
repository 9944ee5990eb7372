"""Measures of pictures that need no model: of light, detail, what stands before the background, and colour.

All of them take many pictures at once: `grey` of shape (n, h, w), float32 between 0 and 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

Array = np.ndarray[Any, Any]

RING = 0.07
"""The outermost pixels: this share of the shorter side."""
STANDS_OUT = 0.1
"""A pixel belongs to the object where it differs so much from the background."""
EVEN = 0.02
"""A pixel is flat where the nine around it differ by no more."""
SAME = 1 / 512
"""Neighbours that differ by less are the same."""
DARK, BRIGHT = 0.05, 0.95
ANGLES = 4
"""Frequencies below so many cycles a picture are its shape, no pattern."""
NOTHING = 1e-6


def light(grey: Array) -> dict[str, Array]:
    """How bright, and how unevenly."""
    return {
        "brightness": grey.mean(axis=(1, 2)),
        "contrast": grey.std(axis=(1, 2)),
        "dark_share": (grey < DARK).mean(axis=(1, 2)),
        "bright_share": (grey > BRIGHT).mean(axis=(1, 2)),
    }


def detail(grey: Array) -> dict[str, Array]:
    """How sharp, how noisy, how even.

    noise: Immerkær, Fast noise variance estimation, 1996. Pictures of fewer than three pixels a side have none of it.
    """
    n, height, width = grey.shape
    names = ("sharpness", "noise", "edges", "fine_detail", "pattern", "flat")
    if min(height, width) < 3:
        return {name: np.full(n, np.nan) for name in names}
    middle, up, down = grey[:, 1:-1, 1:-1], grey[:, :-2, 1:-1], grey[:, 2:, 1:-1]
    left, right = grey[:, 1:-1, :-2], grey[:, 1:-1, 2:]
    corners = grey[:, :-2, :-2] + grey[:, :-2, 2:] + grey[:, 2:, :-2] + grey[:, 2:, 2:]
    cross = up + down + left + right
    immerkaer = np.abs(4 * middle - 2 * cross + corners)
    return {
        "sharpness": (cross - 4 * middle).var(axis=(1, 2)),
        "noise": np.sqrt(np.pi / 2) / 6 * immerkaer.mean(axis=(1, 2)),
        "edges": (np.hypot(right - left, down - up) / 2).mean(axis=(1, 2)),
        **_spectrum(grey),
        "flat": _flat(grey).mean(axis=(1, 2)),
    }


def shape(grey: Array) -> dict[str, Array]:
    """What stands out before the background: where, how large, how it lies. NaN where nothing stands out.

    The background is the median of the outermost pixels.
    """
    _, height, width = grey.shape
    ring = _ring(height, width)
    background = np.median(grey[:, ring], axis=1)
    stands = np.abs(grey - background[:, None, None])
    total = stands.sum(axis=(1, 2))
    some = np.where(total > NOTHING * height * width, total, np.nan)
    xs = (np.arange(width) + 0.5) / width - 0.5
    ys = 0.5 - (np.arange(height) + 0.5) / height  # up is positive
    by_x, by_y = stands.sum(axis=1) / some[:, None], stands.sum(axis=2) / some[:, None]
    x, y = by_x @ xs, by_y @ ys
    xx, yy = by_x @ xs**2 - x**2, by_y @ ys**2 - y**2
    xy = np.einsum("nyx,y,x->n", stands, ys, xs, optimize=True) / some - x * y
    spread, turn = xx + yy, np.hypot(xx - yy, 2 * xy)
    longer, shorter = (spread + turn) / 2, np.maximum((spread - turn) / 2, 0)
    mirrored = np.abs(stands - stands[:, :, ::-1]).sum(axis=(1, 2))
    return {
        "background": background,
        "ink": stands.mean(axis=(1, 2)),
        "object_share": (stands > STANDS_OUT).mean(axis=(1, 2)),
        "object_size": np.sqrt(np.maximum(spread, 0)),
        "offset_x": x,
        "offset_y": y,
        "offset": np.hypot(x, y),
        "elongation": 1 - np.sqrt(shorter / np.where(longer > NOTHING, longer, np.nan)),
        "orientation": np.degrees(np.arctan2(2 * xy, yy - xx)) / 2,
        "symmetry": 1 - mirrored / (2 * some),
        "border": stands[:, ring].sum(axis=1) / some,
        **_covered(grey, stands),
    }


def colour(pixels: Array) -> dict[str, Array]:
    """How colourful. pixels: (n, h, w, 3) between 0 and 1; colourfulness: Hasler and Süsstrunk, 2003."""
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    first, second = red - green, (red + green) / 2 - blue
    axes = (1, 2)
    spread = np.hypot(first.std(axis=axes), second.std(axis=axes))
    level = np.hypot(first.mean(axis=axes), second.mean(axis=axes))
    top, low = pixels.max(axis=-1), pixels.min(axis=-1)
    return {
        "colourfulness": spread + 0.3 * level,
        "saturation": ((top - low) / np.where(top > NOTHING, top, 1)).mean(axis=axes),
        "warmth": (red - blue).mean(axis=axes),
    }


def _ring(height: int, width: int) -> Array:
    edge = max(1, round(RING * min(height, width)))
    ring = np.ones((height, width), dtype=bool)
    ring[edge : height - edge, edge : width - edge] = False
    return ring


def _flat(grey: Array) -> Array:
    high = ndimage.maximum_filter(grey, size=(1, 3, 3), mode="nearest")
    low = ndimage.minimum_filter(grey, size=(1, 3, 3), mode="nearest")
    return np.asarray(high - low <= EVEN)


def _spectrum(grey: Array) -> dict[str, Array]:
    """Share of the energy in the finer half of the frequencies, and in the strongest one that is no shape."""
    _, height, width = grey.shape
    window = np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)
    power = np.abs(np.fft.rfft2((grey - grey.mean(axis=(1, 2), keepdims=True)) * window)) ** 2
    power[:, :, 1 : (width + 1) // 2] *= 2  # the half that is not stored
    across, down = np.fft.rfftfreq(width), np.fft.fftfreq(height)[:, None]
    fine = np.hypot(across, down) > 0.25
    no_shape = np.hypot(across * width, down * height) >= ANGLES
    total = power.sum(axis=(1, 2))
    some = np.where(total > NOTHING, total, np.nan)
    strongest = power[:, no_shape].max(axis=1) if no_shape.any() else np.zeros(len(grey))
    return {"fine_detail": power[:, fine].sum(axis=1) / some, "pattern": strongest / some}


def _covered(grey: Array, stands: Array) -> dict[str, Array]:
    """Within the box around the object: the largest flat square, and neighbours that are the same."""
    object_ = stands > STANDS_OUT
    rows, columns = _between(np.asarray(object_.any(axis=2))), _between(np.asarray(object_.any(axis=1)))
    area = rows.sum(axis=1) * columns.sum(axis=1)
    some = np.where(area > 0, area, np.nan)
    inside = rows[:, :, None] & columns[:, None, :]
    side = _largest_square(_flat(grey) & inside)
    same = np.abs(np.diff(grey, axis=2)) < SAME
    both = inside[:, :, 1:] & inside[:, :, :-1]
    pairs = both.sum(axis=(1, 2))
    return {
        "occlusion": side**2 / some,
        "blocks": (same & both).sum(axis=(1, 2)) / np.where(pairs > 0, pairs, np.nan),
    }


def _between(some: Array) -> Array:
    """From the first that is true to the last. some: (n, k) of booleans."""
    return np.asarray(np.maximum.accumulate(some, axis=1) & np.maximum.accumulate(some[:, ::-1], axis=1)[:, ::-1])


def _largest_square(flat: Array) -> Array:
    """Side of the largest square that is all true, shape (n,): by bisection, for a square holds all smaller ones."""
    n, height, width = flat.shape
    sums = np.zeros((n, height + 1, width + 1), dtype=np.int32)
    sums[:, 1:, 1:] = flat.cumsum(axis=1, dtype=np.int32).cumsum(axis=2, dtype=np.int32)
    low, high = np.zeros(n, dtype=int), np.full(n, min(height, width))
    while (low < high).any():
        middle = (low + high + 1) // 2
        for side in np.unique(middle[low < high]):
            which = np.flatnonzero((middle == side) & (low < high))
            part = sums[which]
            window = part[:, side:, side:] - part[:, :-side, side:] - part[:, side:, :-side] + part[:, :-side, :-side]
            there = (window == side * side).any(axis=(1, 2))
            low[which[there]], high[which[~there]] = side, side - 1
    return low
