"""What happens to a picture before the network sees it: conditions of square grey images, ink 1 on paper 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import ndimage

Array = np.ndarray[Any, Any]
Condition = Callable[[Array, np.random.Generator], Array]


def plain(x: Array, rng: np.random.Generator) -> Array:
    """A picture taken well."""
    return x


def bold(x: Array, rng: np.random.Generator) -> Array:
    """A thick felt pen."""
    return ndimage.grey_dilation(x, (1, 2, 2))


def turned(x: Array, rng: np.random.Generator) -> Array:
    """Turned by 30 to 50 degrees either way."""
    angles = rng.choice([-1, 1], len(x)) * rng.uniform(30, 50, len(x))
    return np.stack([ndimage.rotate(one, a, reshape=False, order=1) for one, a in zip(x, angles, strict=True)])


def struck(x: Array, rng: np.random.Generator) -> Array:
    """A bar two pixels high across the middle."""
    x = x.copy()
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
    x = x.copy()
    x[:, ::2] = np.maximum(x[:, ::2], 0.5)
    x[:, :, ::2] = np.maximum(x[:, :, ::2], 0.5)
    return x


def halved(x: Array, rng: np.random.Generator) -> Array:
    """The lower part is missing."""
    x = x.copy()
    x[:, x.shape[1] * 55 // 100 :] = 0.0
    return x


def masked(x: Array, rng: np.random.Generator) -> Array:
    """A bright band of a third of the height somewhere in the middle."""
    x = x.copy()
    size = x.shape[1]
    for one, top in zip(x, rng.integers(size // 6, size // 2 + 1, len(x)), strict=True):
        one[top : top + size // 3] = 0.9
    return x


def dark(x: Array, rng: np.random.Generator) -> Array:
    """A tenth of the light."""
    return x * rng.uniform(0.06, 0.14, len(x))[:, None, None]


CONDITIONS: Mapping[str, Condition] = {
    f.__name__: f for f in (plain, bold, turned, struck, shifted, mirrored, screened, halved, masked, dark)
}


def photograph(images: Array, kind: str, rng: np.random.Generator) -> Array:
    """Take pictures under a condition, with changing light, a little turn and grain; shape (n, size · size), float32.

    images: (n, size, size) in [0, 1].
    """
    angles = rng.uniform(-8, 8, len(images))
    x = np.stack([ndimage.rotate(one, a, reshape=False, order=1) for one, a in zip(images, angles, strict=True)])
    x = x * rng.uniform(0.6, 1.0, len(x))[:, None, None]
    x = CONDITIONS[kind](x, rng)
    x = np.clip(x + rng.normal(0.0, 0.02, x.shape), 0.0, 1.0)
    return x.reshape(len(x), -1).astype(np.float32)


def pieces(images: Array, count: int, rng: np.random.Generator) -> Array:
    """Four quarters of four pictures put together: ink, but no object; shape (count, size, size)."""
    half = images.shape[1] // 2
    parts = images[rng.integers(len(images), size=(4, count))]
    out = np.zeros((count, *images.shape[1:]))
    for part, row, column in zip(parts, (0, 0, half, half), (0, half, 0, half), strict=True):
        out[:, row : row + half, column : column + half] = part[
            :, half - row : 2 * half - row, half - column : 2 * half - column
        ]
    return out
