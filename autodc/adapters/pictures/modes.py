"""From one of pillow's modes to another without a value that is cut or made up, and from one size to another."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from autodc.adapters.pictures.wish import Mode

Array = np.ndarray[Any, Any]

COLOURS = {
    "1": "L",
    "P": "RGB",
    "PA": "RGBA",
    "LA": "RGBA",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "HSV": "RGB",
    "RGBX": "RGB",
    "RGBa": "RGBA",
}
"""What stands for a mode that nobody wishes for."""
BYTES = ("L", "RGB", "RGBA")
"""Modes of 8 bits a channel, which pillow takes from one size to another itself."""
SIXTEEN = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
SCALED_BY_PILLOW = frozenset({"PPM"})
"""Formats whose grey of more than 8 bits pillow gives in mode I, from 0 to 65535."""
FILTER = Image.Resampling.BILINEAR
"""Antialiased, as all of pillow's that look at more than one pixel."""
PAPER = (255, 255, 255, 255)
"""What transparent pixels lie on where the mode has no transparency."""
STEP = 257
"""65535 / 255: one step of 8 bits in 16."""


class Unconvertible(ValueError):
    """Values that a mode has no place for."""


def own_values(image: Image.Image) -> Array:
    """The values as the file has them: palettes as colours, a fourth channel where something is transparent."""
    array = np.asarray(_plain(image))
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def as_mode(image: Image.Image, mode: Mode | None, file_format: str | None) -> Array:
    """The image in a mode, shape (h, w) or (h, w, channels); its own where none is wished for.

    Raises Unconvertible where its values have no scale of 8 or 16 bits.
    """
    image = _plain(image)
    if mode is None:
        return own_values(image)
    if mode == "F":
        grey = image if image.mode in SIXTEEN or image.mode in ("I", "F", "L") else _colour(image, "L")
        return np.asarray(grey).astype(np.float32)
    if image.mode == "F" or (image.mode == "I" and (mode != "I;16" and file_format not in SCALED_BY_PILLOW)):
        raise Unconvertible(f"numbers of 32 bits ({image.mode}), which have no scale of 8 bits, for mode {mode}")
    if image.mode in SIXTEEN or image.mode == "I":
        deep = np.asarray(image).astype(np.int64)
        if deep.size and (deep.min() < 0 or deep.max() > np.iinfo(np.uint16).max):
            raise Unconvertible(f"values from {deep.min()} to {deep.max()}, for mode {mode} of 0 to 65535")
        if mode == "I;16":
            return deep.astype(np.uint16)
        image = Image.fromarray(((deep + STEP // 2) // STEP).astype(np.uint8))
    if mode == "I;16":
        return np.asarray(_colour(image, "L")).astype(np.uint16) * np.uint16(STEP)
    return np.asarray(_colour(image, mode))


def pictured(image: Image.Image, mode: Mode | None, sides: tuple[int, int] | None, file_format: str | None) -> Array:
    """The image in a mode and at a height and width, as `as_mode` and then `resized` give it."""
    image = _plain(image)
    if image.mode not in BYTES or mode not in (None, *BYTES):
        return resized(as_mode(image, mode, file_format), sides)
    image = image if mode is None else _colour(image, mode)
    if sides is not None and image.size != sides[::-1]:
        image = image.resize(sides[::-1], FILTER)
    return np.asarray(image)


def resized(values: Array, sides: tuple[int, int] | None) -> Array:
    """The same picture at another height and width, antialiased; transparent colours do not bleed."""
    if sides is None or values.shape[:2] == sides:
        return values
    height, width = sides
    if values.dtype == np.uint8:
        return np.asarray(Image.fromarray(values).resize((width, height), FILTER))
    smooth = np.asarray(Image.fromarray(values.astype(np.float32)).resize((width, height), FILTER))
    if values.dtype.kind == "f":
        return smooth
    return np.rint(smooth.astype(np.float64)).astype(values.dtype)


def _plain(image: Image.Image) -> Image.Image:
    if image.mode == "LAB":
        raise Unconvertible("colours as LAB, which pillow does not turn into others")
    if image.mode in ("P", "L", "RGB") and "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert(COLOURS[image.mode]) if image.mode in COLOURS else image


def _colour(image: Image.Image, mode: Mode) -> Image.Image:
    """Eight bits in another mode; without transparency the picture lies on white."""
    if image.mode == "RGBA" and mode != "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, PAPER), image)
    return image if image.mode == mode else image.convert(mode)
