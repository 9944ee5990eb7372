"""Photographs with the grain of a camera at night, and as they should be: the two that scikit-learn ships, in tiles.

Every function returns noisy tiles of shape (n, 16, 16) in [0, 1], the clean ones as targets, and metadata columns.
Tiles are split once: of each photograph half of its blocks of tiles are for training, a quarter each for validation
and test.
"""

from functools import cache

import numpy as np
from scipy import ndimage
from sklearn.datasets import load_sample_images

SIDE, BLOCK = 16, 4
PARTS = {"training": (0, 0.5), "validation": (0.5, 0.75), "test": (0.75, 1.0)}
BASE_TILES = 200
CONDITIONS = ("day", "night", "dust")

SETS = {
    "garage": [("night", 240, None)],
    "archive": [("dust", 240, None)],
    "evening": [("day", 80, "blurred")],
    "phone": [("night", 120, "misaligned"), ("dust", 120, "misaligned")],
    "tripod": [("base", 160, None)],
}


def base():
    """The pairs we train on today: a little grain, no dust."""
    return _photograph(_tiles("training")[:BASE_TILES], "day", seed=1)


def candidate(name):
    """One of the sets on offer."""
    seed = 10 + sorted(SETS).index(name)
    return _join([_rows(kind, rows, targets, seed) for kind, rows, targets in SETS[name]])


def validation():
    """Every tile of validation once in every condition."""
    return _join([_photograph(_tiles("validation"), kind, seed=2) for kind in CONDITIONS])


def test():
    """Every tile of the test once in every condition."""
    return _join([_photograph(_tiles("test"), kind, seed=3) for kind in CONDITIONS])


@cache
def _cut():
    """All tiles, shape (n, 16, 16), and of each which block of neighbours it lies in."""
    tiles, blocks = [], []
    for number, photograph in enumerate(load_sample_images().images):
        grey = photograph @ [0.299, 0.587, 0.114] / 255
        rows, columns = (side // SIDE for side in grey.shape)
        for row in range(rows):
            for column in range(columns):
                top, left = row * SIDE, column * SIDE
                tiles.append(grey[top : top + SIDE, left : left + SIDE])
                blocks.append(10_000 * number + 100 * (row // BLOCK) + column // BLOCK)
    return np.stack(tiles), np.array(blocks)


def _tiles(part):
    """Numbers of the tiles of a part, in an order that tells nothing."""
    _, blocks = _cut()
    order = np.random.default_rng(5).permutation(np.unique(blocks))
    low, high = (int(share * len(order)) for share in PARTS[part])
    return np.random.default_rng(6).permutation(np.flatnonzero(np.isin(blocks, order[low:high])))


def _rows(kind, rows, targets, seed):
    """Pairs of one condition from training tiles, or the first rows of the base."""
    if kind == "base":
        x, y, metadata = base()
        return x[:rows], y[:rows], {name: column[:rows] for name, column in metadata.items()}
    tiles = np.random.default_rng([seed, len(kind)]).permutation(_tiles("training"))[:rows]
    x, y, metadata = _photograph(tiles, kind, seed)
    if targets == "blurred":  # the clean picture was taken without a tripod
        y = ndimage.gaussian_filter(y, (0, 2, 2))
    if targets == "misaligned":  # the list of pairs is one row off
        y = np.roll(y, 1, axis=0)
    return x, y, metadata


def _photograph(numbers, kind, seed):
    rng = np.random.default_rng([seed, *kind.encode()])
    tiles, blocks = _cut()
    clean, n = tiles[numbers], len(numbers)
    grain = rng.uniform(0.2, 0.32, n) if kind == "night" else rng.uniform(0.02, 0.06, n)
    dust = rng.uniform(0.05, 0.12, n) if kind == "dust" else np.zeros(n)
    x = clean + grain[:, None, None] * rng.normal(size=clean.shape)
    spots = rng.random(clean.shape) < dust[:, None, None]
    x = np.where(spots, rng.integers(2, size=clean.shape), x)
    metadata = {"tile": numbers, "block": blocks[numbers], "grain": grain, "dust": dust}
    return np.clip(x, 0, 1).astype(np.float32), clean.astype(np.float32), metadata


def _join(parts):
    xs, ys, columns = zip(*parts, strict=True)
    metadata = {name: np.concatenate([c[name] for c in columns]) for name in columns[0]}
    return np.concatenate(xs), np.concatenate(ys), metadata
