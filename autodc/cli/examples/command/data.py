"""Handwritten digits as they come from different desks: real scans (scikit-learn's 1,797), photographed differently.

Every function returns inputs of shape (n, 12, 12) in [0, 1], targets 0 … 9 and metadata columns. The scans are split
once, by scan: the first 800 are for training, the next 430 for validation, the last 567 for the test.
"""

import numpy as np
from scipy import ndimage
from sklearn.datasets import load_digits

SPLIT_SEED = 5
TRAINING, VALIDATION, TEST = slice(0, 800), slice(800, 1230), slice(1230, 1797)
BASE_SCANS = 350
CONDITIONS = ("plain", "bold", "turned", "struck")

SETS = {
    "set_a": [("pieces", 300, None)],
    "set_b": [("struck", 260, None)],
    "set_c": [("bold", 100, "misaligned"), ("turned", 100, "misaligned"), ("struck", 100, "misaligned")],
    "set_d": [("bold", 260, None)],
    "set_e": [("set_f", 200, None), ("plain", 80, "other_convention")],
    "set_f": [("turned", 260, None)],
    "set_g": [("base", 260, None)],
}


def base():
    """The scans we train on today: plain ones only."""
    return _photograph(_scans(TRAINING)[:BASE_SCANS], "plain", seed=1)


def candidate(name):
    """One of the sets on offer."""
    return _join([_rows(kind, rows, labels, seed=10 + ord(name[-1])) for kind, rows, labels in SETS[name]])


def validation():
    """Every validation scan once in every condition."""
    return _join([_photograph(_scans(VALIDATION), kind, seed=2) for kind in CONDITIONS])


def test():
    """Every test scan once in every condition."""
    return _join([_photograph(_scans(TEST), kind, seed=3) for kind in CONDITIONS])


def _scans(part):
    return np.random.default_rng(SPLIT_SEED).permutation(1797)[part]


def _rows(kind, rows, labels, seed):
    """Rows of one condition from training scans beyond the base's, or the first rows of a set we know already."""
    if kind == "base" or kind in SETS:
        x, y, metadata = base() if kind == "base" else candidate(kind)
        return x[:rows], y[:rows], {name: column[:rows] for name, column in metadata.items()}
    scans = _scans(TRAINING)[BASE_SCANS:]
    if labels == "other_convention":  # an office that writes 1 and 4 the way we write 7 and 9
        scans = scans[np.isin(load_digits().target[scans], [1, 4])]
    chosen = np.random.default_rng([seed, len(kind)]).permutation(scans)[:rows]
    x, y, metadata = _photograph(chosen, kind, seed)
    if labels == "misaligned":  # the label file is one row off
        y = np.roll(y, 1)
    if labels == "other_convention":
        y = np.where(y == 1, 7, 9)
    return x, y, metadata


def _photograph(scans, kind, seed):
    digits = load_digits()
    rng = np.random.default_rng([seed, *kind.encode()])
    n = len(scans)
    contrast = rng.uniform(0.5, 1.0, n)
    angle = rng.uniform(-10, 10, n)
    if kind == "turned":
        angle = rng.choice([-1, 1], n) * rng.uniform(25, 45, n)
    images, targets = digits.images[scans] / 16, digits.target[scans]
    if kind == "pieces":
        images, targets = _pieces(digits.images / 16, n, rng), rng.integers(10, size=n)
    canvas = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    turned = [ndimage.rotate(image, a, reshape=False, order=1) for image, a in zip(canvas, angle, strict=True)]
    x = np.stack(turned) * contrast[:, None, None]
    if kind == "bold":  # a thick felt pen
        x = ndimage.grey_dilation(x, (1, 2, 2))
    if kind == "struck":
        top = rng.integers(4, 7, n)
        for image, row in zip(x, top, strict=True):
            image[row : row + 2] = np.maximum(image[row : row + 2], 0.5)
    metadata = {
        "scan": scans,
        "contrast": contrast,
        "angle": angle,
        "stroke": np.full(n, 2 if kind == "bold" else 1),
        "line": np.full(n, int(kind == "struck")),
    }
    return np.clip(x, 0, 1).astype(np.float32), targets.astype(np.int64), metadata


def _pieces(images, n, rng):
    """Four quarters of four training scans put together: ink, but no digit."""
    parts = images[rng.choice(_scans(TRAINING), (n, 4))]
    whole = np.zeros((n, 8, 8))
    for i, (row, column) in enumerate([(0, 0), (0, 4), (4, 0), (4, 4)]):
        whole[:, row : row + 4, column : column + 4] = parts[:, i, 2:6, 2:6]
    return whole


def _join(parts):
    xs, ys, columns = zip(*parts, strict=True)
    return (
        np.concatenate(xs),
        np.concatenate(ys),
        {name: np.concatenate([c[name] for c in columns]) for name in columns[0]},
    )
