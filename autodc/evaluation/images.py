"""What a row is worth where targets are images: how near it is, how alike, how much of a mask is met."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter

Array = np.ndarray[Any, Any]

EPSILON = 1e-12
WINDOW = 7
"""Side of the windows of SSIM; of smaller images the largest odd number of pixels."""
CHANNELS = 4
"""The last axis of (n, a, b, c) is one of channels up to this length, else the first behind the rows is."""
STRONGER = 4
"""Times that the error of an image is shown, so that it is seen."""
PIECE = 2**22
"""Numbers that are filtered at once."""
STEADY_MEAN, STEADY_VARIANCE = 0.01, 0.03
"""The constants of SSIM, in units of the peak."""


def psnr_rows(outputs: Array, targets: Array) -> Array:
    """Peak signal to noise of each image in decibels."""
    truth = np.asarray(targets, dtype=float)
    error = ((np.asarray(outputs, dtype=float) - truth) ** 2).reshape(len(truth), -1).mean(axis=1)
    return np.asarray(10.0 * np.log10(_peak(truth) ** 2 / np.maximum(error, EPSILON)))


def ssim_rows(outputs: Array, targets: Array) -> Array:
    """Structural similarity of each image, the mean over its windows and channels.

    Source: Wang, Bovik, Sheikh & Simoncelli 2004, with uniform windows and unbiased variances, as scikit-image has it.
    """
    truth, given = np.asarray(targets, dtype=float), np.asarray(outputs, dtype=float)
    peak, sides = _peak(truth), image_axes(truth.shape)
    size = [1] * truth.ndim
    for axis in sides:
        size[axis] = min(WINDOW, truth.shape[axis] - (truth.shape[axis] + 1) % 2)
    inside = tuple(
        slice((s - 1) // 2, n - (s - 1) // 2) if s > 1 else slice(None) for s, n in zip(size, truth.shape, strict=True)
    )
    found = [
        _similarity(given[rows], truth[rows], size, peak)[inside].reshape(rows.stop - rows.start, -1).mean(axis=1)
        for rows in _pieces(truth)
    ]
    return np.concatenate(found)


def iou_rows(outputs: Array, targets: Array) -> Array:
    """Intersection over union of each mask, the mean over the classes but 0 that truth or prediction has.

    Outputs are rounded to whole numbers, of masks of 0 and 255 to either. What no target has is one class more. A row
    where neither has a class is 1.
    """
    truth = np.asarray(targets, dtype=float)
    scale = 255.0 if truth.size and truth.max() == 255.0 and np.isin(truth, (0.0, 255.0)).all() else 1.0
    truth, given = (np.rint(a / scale).reshape(len(truth), -1) for a in (truth, np.asarray(outputs, dtype=float)))
    known = np.unique(np.append(truth[truth > 0], 0.0))
    classes, rows = len(known) + 1, np.arange(len(truth))[:, None]

    def counted(codes: Array, where: Array | None = None) -> Array:
        place = rows * classes + codes
        flat = place.ravel() if where is None else place[where]
        return np.bincount(flat, minlength=len(truth) * classes).reshape(len(truth), classes)[:, 1:]

    true, said = _codes(truth, known), _codes(given, known)
    both = counted(true, true == said)
    union = counted(true) + counted(said) - both
    present = union > 0
    shares = np.where(present, both / np.maximum(union, 1), 0.0).sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    return np.asarray(np.where(present.any(axis=1), shares, 1.0))


def are_masks(targets: Array) -> bool:
    """Whether all values are whole numbers from 0 up."""
    values = np.asarray(targets)
    return bool(values.dtype.kind in "bu" or ((values >= 0).all() and np.array_equal(values, np.rint(values))))


def on_scale(images: Array, low: float, high: float) -> Array:
    """Bytes from black at low to white at high, of any shape, so that images beside one another can be compared."""
    scaled = np.clip((np.asarray(images, dtype=float) - low) / ((high - low) or 1.0), 0.0, 1.0)
    return np.asarray(np.round(255 * scaled).astype(np.uint8))


def error_on_scale(images: Array, truth: Array, low: float, high: float) -> Array:
    """The same of how far images are from the truth, STRONGER times as strong."""
    return on_scale(low + STRONGER * np.abs(images - np.asarray(truth, dtype=float)), low, high)


def image_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes along which images of this shape, rows first, extend: all but rows and channels."""
    if len(shape) < 4:
        return tuple(range(1, len(shape)))
    return tuple(range(1, len(shape) - 1)) if shape[-1] <= CHANNELS else tuple(range(2, len(shape)))


def _codes(labels: Array, known: Array) -> Array:
    """Position of each label among the known, below 0 as 0, what is none of them behind the last."""
    labels = np.maximum(labels, 0.0)
    place = np.minimum(np.searchsorted(known, labels), len(known) - 1)
    return np.where(known[place] == labels, place, len(known))


def _peak(truth: Array) -> float:
    """The largest value a pixel may have: images lie between 0 and 1, or are bytes."""
    return 255.0 if truth.size and truth.max() > 1.0 else 1.0


def _pieces(images: Array) -> Iterator[slice]:
    step = max(1, PIECE // max(1, images[0].size))
    return (slice(i, min(i + step, len(images))) for i in range(0, len(images), step))


def _similarity(given: Array, truth: Array, size: list[int], peak: float) -> Array:
    pixels = int(np.prod(size))
    unbiased = pixels / max(pixels - 1, 1)

    def windows(values: Array) -> Array:
        return np.asarray(uniform_filter(values, size=size))

    mean_given, mean_truth = windows(given), windows(truth)
    variance_given = unbiased * (windows(given * given) - mean_given * mean_given)
    variance_truth = unbiased * (windows(truth * truth) - mean_truth * mean_truth)
    together = unbiased * (windows(given * truth) - mean_given * mean_truth)
    steady, steadier = (STEADY_MEAN * peak) ** 2, (STEADY_VARIANCE * peak) ** 2
    top = (2 * mean_given * mean_truth + steady) * (2 * together + steadier)
    bottom = (mean_given**2 + mean_truth**2 + steady) * (variance_given + variance_truth + steadier)
    return np.asarray(top / bottom)
