"""What happens to a picture or a table of counts before the network sees it, row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import ndimage

Array = np.ndarray[Any, Any]
Condition = Callable[[Array, np.random.Generator], Array]

_WIRING = np.random.default_rng(8).permutation(64)


def bold(x: Array, rng: np.random.Generator) -> Array:
    """A thick felt pen."""
    return ndimage.grey_dilation(x, (1, 2, 2))


def turned(x: Array, rng: np.random.Generator) -> Array:
    """Turned by 30 to 50 degrees either way."""
    return _rotated(x, rng.choice([-1, 1], len(x)) * rng.uniform(30, 50, len(x)))


def struck(x: Array, rng: np.random.Generator) -> Array:
    """A bar two pixels high across the middle."""
    size = x.shape[1]
    for one, row in zip(x, rng.integers(size // 2 - 2, size // 2 + 1, len(x)), strict=True):
        one[row : row + 2] = np.maximum(one[row : row + 2], 0.6)
    return x


def shifted(x: Array, rng: np.random.Generator) -> Array:
    """Moved by two pixels along both axes."""
    moves = rng.choice([-2, 2], (len(x), 2))
    return np.stack([np.roll(one, tuple(m), (0, 1)) for one, m in zip(x, moves, strict=True)])


def mirrored(x: Array, rng: np.random.Generator) -> Array:
    """The sheet lay face down."""
    return x[:, :, ::-1]


def screened(x: Array, rng: np.random.Generator) -> Array:
    """Behind a mesh: every other row and column is light."""
    x[:, ::2] = np.maximum(x[:, ::2], 0.5)
    x[:, :, ::2] = np.maximum(x[:, :, ::2], 0.5)
    return x


def halved(x: Array, rng: np.random.Generator) -> Array:
    """The lower part is missing."""
    x[:, x.shape[1] * 55 // 100 :] = 0.0
    return x


def masked(x: Array, rng: np.random.Generator) -> Array:
    """A bright band of a third of the height somewhere in the middle."""
    size = x.shape[1]
    for one, top in zip(x, rng.integers(size // 6, size // 2 + 1, len(x)), strict=True):
        one[top : top + size // 3] = 0.9
    return x


CONDITIONS: Mapping[str, Condition] = {
    f.__name__: f for f in (bold, turned, struck, shifted, mirrored, screened, halved, masked)
}


def photograph(images: Array, kind: str, rng: np.random.Generator) -> Array:
    """Take pictures, plain or under a condition, with changing light, a little turn and grain.

    images: (n, size, size), ink 1 on paper 0. Returns (n, size · size), float32.
    """
    x = _rotated(images, rng.uniform(-8, 8, len(images)))
    x = x * rng.uniform(0.6, 1.0, len(x))[:, None, None]
    x = CONDITIONS[kind](x, rng) if kind != "plain" else x
    x = np.clip(x + rng.normal(0.0, 0.02, x.shape), 0.0, 1.0)
    return x.reshape(len(x), -1).astype(np.float32)


SCANNERS = ("short", "crossed", "interlaced", "inverted", "rewired", "dead", "slipped")


def scan(counts: Array, scanner: str, rng: np.random.Generator) -> Array:
    """Read counts 0 … 16 of shape (n, 8, 8) by a scanner in poor repair, or a plain one; shape (n, 64), float32."""
    x = np.array(counts, dtype=np.float64)
    if scanner == "short":  # the lower three rows are not read
        x[:, 5:] = 0.0
    elif scanner == "crossed":  # the columns come in reverse
        x = x[:, :, ::-1]
    elif scanner == "interlaced":  # every other row is lost
        x[:, ::2] = 0.0
    elif scanner == "inverted":  # dark and light of the upper two rows are exchanged
        x[:, :2] = 16.0 - x[:, :2]
    elif scanner == "rewired":  # the left half of the cells is in another order
        flat = x.reshape(len(x), 64)
        flat[:, np.sort(_WIRING[:32])] = flat[:, _WIRING[:32]]
        x = flat.reshape(-1, 8, 8)
    elif scanner == "dead":  # two columns in the middle stay at zero
        x[:, :, 3:5] = 0.0
    elif scanner == "slipped":  # the sheet slipped by one row
        x = np.roll(x, 1, axis=1)
    x = x * rng.uniform(0.8, 1.1, (len(x), 1, 1)) + rng.normal(0.0, 0.7, x.shape)
    return np.round(np.clip(x, 0.0, 20.0)).reshape(len(x), 64).astype(np.float32)


def pieces(images: Array, count: int, rng: np.random.Generator) -> Array:
    """Four quarters of four pictures put together: ink, but no object; shape (count, size, size)."""
    half = images.shape[1] // 2
    parts = images[rng.integers(len(images), size=(4, count))]
    out = np.zeros((count, *images.shape[1:]))
    for part, row, column in zip(parts, (0, 0, half, half), (0, half, 0, half), strict=True):
        quarter = part[:, half - row : 2 * half - row, half - column : 2 * half - column]
        out[:, row : row + half, column : column + half] = quarter
    return out


def _rotated(images: Array, angles: Array) -> Array:
    return np.stack([ndimage.rotate(one, a, reshape=False, order=1) for one, a in zip(images, angles, strict=True)])
