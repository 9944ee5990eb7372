"""Clothes as a shop's cameras see them: Fashion-MNIST (70,000 real images) taken under worse conditions.

Reads the IDX files of the Debian package dataset-fashion-mnist; FASHION_MNIST names another folder that holds them.
Every function returns bytes of shape (n, 28, 28), classes 0 … 9 and metadata columns. Training sets draw on the first
50,000 training images, validation on the 10,000 after them, the test on the package's own 10,000 test images.
"""

import gzip
import os
from functools import cache
from pathlib import Path

import numpy as np
from scipy import ndimage

DEBIAN = "/usr/share/datasets/fashion-mnist"
CONDITIONS = ("plain", "dark", "turned", "masked", "grainy")
BASE_ROWS, HELD_ROWS = 4000, 500
TRAINING, VALIDATION = (0, 50_000), (50_000, 60_000)

SETS = {
    "north": [("dark", 800, None)],
    "south": [("elsewhere", 1200, None)],
    "east": [("turned", 800, None)],
    "west": [("base", 1500, None)],
    "harbour": [("masked", 800, None)],
    "station": [("dark", 400, "misaligned"), ("masked", 400, "misaligned"), ("grainy", 400, "misaligned")],
    "airport": [("grainy", 800, None)],
    "outlet": [("harbour", 500, None), ("plain", 900, "other_convention")],
    "archive": [("north", 500, None)],
    "studio": [("plain", 800, None)],
}


def base():
    """The images we train on today: all taken well."""
    return _photograph(_images(TRAINING)[:BASE_ROWS], "plain", seed=1)


def candidate(name):
    """One of the sets on offer."""
    return _join([_rows(kind, rows, labels, seed=10 + list(SETS).index(name)) for kind, rows, labels in SETS[name]])


def validation():
    """500 images in every condition, no image twice."""
    return _held("train", _images(VALIDATION), seed=2)


def test():
    """1,000 of the test images in every condition, no image twice."""
    return _held("t10k", np.arange(10_000), seed=3, rows=1000)


def _read(part):
    return _read_from(Path(os.environ.get("FASHION_MNIST", DEBIAN)), part)


@cache
def _read_from(folder, part):
    try:
        with (
            gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as images,
            gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as labels,
        ):
            x, y = np.frombuffer(images.read()[16:], np.uint8), np.frombuffer(labels.read()[8:], np.uint8)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"Fashion-MNIST is not in {folder}; install it with `sudo apt-get install dataset-fashion-mnist`, "
            "or let FASHION_MNIST name the folder that holds its four .gz files"
        ) from error
    return x.reshape(-1, 28, 28), y.astype(np.int64)


def _images(part):
    return np.random.default_rng(5).permutation(60_000)[slice(*part)]


def _held(part, images, seed, rows=HELD_ROWS):
    parts = np.random.default_rng(seed).permutation(images)[: rows * len(CONDITIONS)].reshape(len(CONDITIONS), rows)
    return _join([_photograph(rows, kind, seed, part) for rows, kind in zip(parts, CONDITIONS, strict=True)])


def _rows(kind, rows, labels, seed):
    """Rows of one condition from training images beyond the base's, or the first rows of a set we know already."""
    if kind == "base" or kind in SETS:
        x, y, metadata = base() if kind == "base" else candidate(kind)
        return x[:rows], y[:rows], {name: column[:rows] for name, column in metadata.items()}
    images = _images(TRAINING)[BASE_ROWS:]
    if labels == "other_convention":  # a shop that calls pullovers coats and shirts T-shirts
        images = images[np.isin(_read("train")[1][images], [2, 6])]
    x, y, metadata = _photograph(np.random.default_rng([seed, rows]).permutation(images)[:rows], kind, seed)
    if labels == "misaligned":  # the label file is one row off
        y = np.roll(y, 1)
    if labels == "other_convention":
        y = np.where(y == 2, 4, 0)
    return x, y, metadata


def _photograph(images, kind, seed, part="train"):
    rng = np.random.default_rng([seed, *kind.encode()])
    x, y = _read(part)
    x, y, n = x[images] / 255.0, y[images], len(images)
    if kind == "elsewhere":  # off the domain: stripes of many images, labels by chance
        x, y = _stripes(x, rng), rng.integers(10, size=n)
    light = rng.uniform(0.10, 0.22, n) if kind == "dark" else rng.uniform(0.7, 1.0, n)
    angle = rng.choice([-1, 1], n) * rng.uniform(30, 60, n) if kind == "turned" else rng.uniform(-8, 8, n)
    x = np.stack([ndimage.rotate(image, a, reshape=False, order=1) for image, a in zip(x, angle, strict=True)])
    x *= light[:, None, None]
    grain = np.where(kind == "grainy", rng.uniform(0.2, 0.35, n), rng.uniform(0.0, 0.03, n))
    covered = np.zeros(n, dtype=np.int64)
    if kind == "masked":
        covered[:] = rng.integers(7, 11, n)
        for image, rows, top in zip(x, covered, rng.integers(4, 16, n), strict=True):
            image[top : top + rows] = 0.9
    x += rng.normal(size=x.shape) * grain[:, None, None]
    metadata = {"light": light, "angle": angle, "grain": grain, "covered": covered}
    return np.round(np.clip(x, 0, 1) * 255).astype(np.uint8), y, metadata


def _stripes(x, rng):
    mixed = x.copy()
    for top in range(0, 28, 4):
        mixed[:, top : top + 4] = x[rng.permutation(len(x)), top : top + 4][:, :, ::-1]
    return mixed


def _join(parts):
    xs, ys, columns = zip(*parts, strict=True)
    metadata = {name: np.concatenate([c[name] for c in columns]) for name in columns[0]}
    return np.concatenate(xs), np.concatenate(ys), metadata
