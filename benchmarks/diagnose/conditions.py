"""Twelve conditions under which a camera may take a picture, each with a strength a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import ndimage

Array = np.ndarray[Any, Any]
Condition = Callable[[Array, Array, np.random.Generator], Array]
"""(pictures (n, size, size) in 0 … 1, strengths (n,) in 0 … 1, generator) → pictures, not clipped."""


def dark(x: Array, strength: Array, rng: np.random.Generator) -> Array:
    """Little light: a third to a tenth of it is left."""
    return x * (1 / 3 - 0.23 * strength)[:, None, None]


def veiled(x: Array, strength: Array, rng: np.random.Generator) -> Array:
    """Fog: grey over everything, little contrast."""
    kept = (0.5 - 0.35 * strength)[:, None, None]
    return 0.5 + (x - 0.5) * kept


def blurred(x: Array, strength: Array, rng: np.random.Generator) -> Array:
    """Out of focus."""
    return np.stack([ndimage.gaussian_filter(one, 1.2 + 2.0 * s) for one, s in zip(x, strength, strict=True)])


def noisy(x: Array, strength: Array, rng: np.random.Generator) -> Array:
    """Grain of a sensor."""
    return x + rng.normal(size=x.shape) * (0.2 + 0.4 * strength)[:, None, None]


def turned(x: Array, strength: Array, rng: np.random.Generator) -> Array:
    """Turned by 30 to 80 degrees either way."""
    angles = rng.choice([-1, 1], len(x)) * (30 + 50 * strength)
    return np.stack([ndimage.rotate(one, a, reshape=False, order=1) for one, a in zip(x, angles, strict=True)])


def shifted(x: Array, strength: Array, rng: np.random.Generator) -> Array:
    """Moved by four to nine pixels along both axes."""
    moves = rng.choice([-1, 1], (len(x), 2)) * np.round(4 + 5 * strength).astype(int)[:, None]
    return np.stack([ndimage.shift(one, move, order=0) for one, move in zip(x, moves, strict=True)])


def barred(x: Array, strength: Array, rng: np.random.Generator) -> Array:
    """Behind a grey bar of five to eleven rows."""
    out = x.copy()
    heights = np.round(5 + 6 * strength).astype(int)
    for one, height, place in zip(out, heights, rng.random(len(x)), strict=True):
        top = 4 + int(place * (x.shape[1] - 8 - height))
        one[top : top + height] = 0.6
    return out


def framed(x: Array, strength: Array, rng: np.random.Generator) -> Array:
    """In a bright frame of two to five pixels."""
    out = x.copy()
    for one, width in zip(out, np.round(2 + 3 * strength).astype(int), strict=True):
        one[:width] = one[-width:] = 0.9
        one[:, :width] = one[:, -width:] = 0.9
    return out


def inverted(x: Array, strength: Array, rng: np.random.Generator) -> Array:
    """A negative, at seven to ten tenths."""
    share = (0.7 + 0.3 * strength)[:, None, None]
    return share * (1 - x) + (1 - share) * x


def thick(x: Array, strength: Array, rng: np.random.Generator) -> Array:
    """Swollen by three to seven pixels."""
    return np.stack(
        [ndimage.grey_dilation(one, 3 + 2 * round(2 * s)) for one, s in zip(x, strength.tolist(), strict=True)]
    )


def coarse(x: Array, strength: Array, rng: np.random.Generator) -> Array:
    """Blocks of four or seven pixels, in three grey levels."""
    out = np.empty_like(x)
    for place, (one, s) in enumerate(zip(x, strength, strict=True)):
        block = 4 if s < 0.7 else 7
        small = one.reshape(28 // block, block, 28 // block, block).mean((1, 3))
        out[place] = np.kron(np.round(small * 2) / 2, np.ones((block, block)))
    return out


def shrunk(x: Array, strength: Array, rng: np.random.Generator) -> Array:
    """From far away: six to four tenths of the size, in the middle."""
    out = np.zeros_like(x)
    for place, (one, s) in enumerate(zip(x, strength, strict=True)):
        small = ndimage.zoom(one, 0.6 - 0.2 * s, order=1)
        top, left = ((28 - side) // 2 for side in small.shape)
        out[place, top : top + small.shape[0], left : left + small.shape[1]] = small
    return out


CONDITIONS: Mapping[str, Condition] = {
    f.__name__: f
    for f in (dark, veiled, blurred, noisy, turned, shifted, barred, framed, inverted, thick, coarse, shrunk)
}


def photograph(images: Array, condition: Array, strength: Array, rng: np.random.Generator) -> Array:
    """Take pictures, each under its condition, with changing light and a little grain.

    images: (n, 28, 28) bytes; condition: (n,) names, `plain` for none; strength: (n,) in 0 … 1.
    Returns (n, 28, 28) bytes.
    """
    x = images.astype(np.float32) / 255
    x *= rng.uniform(0.75, 1.0, len(x))[:, None, None]
    for name, take in CONDITIONS.items():
        rows = np.flatnonzero(condition == name)
        if len(rows):
            x[rows] = take(x[rows], strength[rows], rng)
    x += rng.normal(0.0, 0.01, x.shape)
    return np.asarray(np.round(np.clip(x, 0, 1) * 255).astype(np.uint8))
