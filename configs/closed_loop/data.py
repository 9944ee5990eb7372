"""Handwritten digits of which the base knows one desk alone, and a pool of scans from all desks, mostly the same one.

Every function returns inputs of shape (n, 12, 12) in [0, 1], targets 0 … 9 and metadata columns, made of scikit-learn's
1,797 scans. The scans are split once: 350 for the base, 450 for the pool, 430 for validation, 567 for the test.
"""

import numpy as np
from scipy import ndimage
from sklearn.datasets import load_digits

BASE, POOL, VALIDATION, TEST = slice(0, 350), slice(350, 800), slice(800, 1230), slice(1230, 1797)
CONDITIONS = ("plain", "bold", "turned", "struck")
SHARES = (0.7, 0.1, 0.1, 0.1)
COPIES = 5


def base():
    """The scans we train on today: plain ones only."""
    return _photograph(_scans(BASE), np.repeat("plain", 350), seed=1)


def pool():
    """Five photographs of every scan of the pool, seven of ten of them plain."""
    scans = np.tile(_scans(POOL), COPIES)
    return _photograph(scans, np.random.default_rng(6).choice(CONDITIONS, len(scans), p=SHARES), seed=6)


def validation():
    """Every validation scan once in every condition."""
    return _photograph(np.tile(_scans(VALIDATION), 4), np.repeat(CONDITIONS, 430), seed=2)


def test():
    """Every test scan once in every condition."""
    return _photograph(np.tile(_scans(TEST), 4), np.repeat(CONDITIONS, 567), seed=3)


def _scans(part):
    return np.random.default_rng(5).permutation(1797)[part]


def _photograph(scans, kinds, seed):
    """One picture of each scan in its condition."""
    digits, rng, n = load_digits(), np.random.default_rng(seed), len(scans)
    contrast, angle = rng.uniform(0.5, 1.0, n), rng.uniform(-10, 10, n)
    angle = np.where(kinds == "turned", rng.choice([-1, 1], n) * rng.uniform(25, 45, n), angle)
    bold, struck, top = kinds == "bold", kinds == "struck", rng.integers(4, 7, n)
    canvas = np.pad(digits.images[scans] / 16, ((0, 0), (2, 2), (2, 2)))
    x = np.stack([ndimage.rotate(image, a, reshape=False, order=1) for image, a in zip(canvas, angle, strict=True)])
    x *= contrast[:, None, None]
    x[bold] = ndimage.grey_dilation(x[bold], (1, 2, 2))  # a thick felt pen
    for k in np.flatnonzero(struck):
        x[k, top[k] : top[k] + 2] = np.maximum(x[k, top[k] : top[k] + 2], 0.5)
    metadata = {"scan": scans, "contrast": contrast.round(3), "angle": angle.round(1)}
    metadata |= {"stroke": np.where(bold, 2, 1), "line": struck.astype(int)}
    return np.clip(x, 0, 1).astype(np.float32), digits.target[scans].astype(np.int64), metadata
