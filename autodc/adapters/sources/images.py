"""Images by pillow as arrays: turned as the camera noted, and refused by name where pillow would cut their values."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from autodc.data.problems import problem
from autodc.data.source import SourceRequest

Array = np.ndarray[Any, Any]

COLOURS = {"1": "L", "P": "RGB", "PA": "RGBA", "LA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB", "LAB": "RGB", "HSV": "RGB"}
DEEP = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N", "F"})
"""Modes that hold more than eight bits a channel."""
PREVIEWS = frozenset({"MPO"})
"""Formats of cameras whose further frames are previews or the other eye's view."""
BYTE = 255


def read_image(request: SourceRequest) -> tuple[Array, int]:
    """The first image of a file as (height, width) or (height, width, channels), and how many there are.

    Palettes become colours, with a fourth channel where something is transparent. Raises DataError ADC-DATA-002 where
    it cannot be read, 065 where pillow would cut its values.
    """
    try:
        # By its name pillow would map an uncompressed TIFF, and misread one that the camera noted as turned.
        with Path(request.path).open("rb") as stream, Image.open(stream) as image:
            _refuse_cut_values(request, image)
            frames = 1 if image.format in PREVIEWS else int(getattr(image, "n_frames", 1))
            return _values(_turned(image)), frames
    except (Image.DecompressionBombError, UnidentifiedImageError, OSError, MemoryError) as error:
        raise problem(request, "002", "a file cannot be read", str(error) or type(error).__name__) from None
    except (ValueError, EOFError, SyntaxError, TypeError, KeyError, IndexError, OverflowError) as error:
        # what a damaged file makes of pillow's readers
        got = f"{type(error).__name__}: {error}"
        raise problem(request, "002", "a file cannot be read", got) from None


def _turned(image: Image.Image) -> Image.Image:
    """The image as it was taken: a camera held upright stores the pixels as they fell and notes the turn in EXIF."""
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except (SyntaxError, struct.error, ValueError, KeyError, TypeError):  # what cannot be read notes no turn
        return image


def _values(image: Image.Image) -> Array:
    if image.mode in ("P", "L", "RGB") and "transparency" in image.info:
        image = image.convert("RGBA")
    elif image.mode in COLOURS:
        image = image.convert(COLOURS[image.mode])
    array = np.asarray(image)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _refuse_cut_values(request: SourceRequest, image: Image.Image) -> None:
    """Pillow has eight bits a channel in colour: it drops the lower ones of what has more, without a word."""
    if image.mode in DEEP or not isinstance(image, ImageFile.ImageFile):
        return
    for tile in image.tile:
        arguments = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        deep = any(isinstance(a, str) and ";" in a and _bits(a) > 8 for a in arguments)
        if deep or (tile[0] == "ppm" and any(type(a) is int and a > BYTE for a in arguments)):
            hint = "write it with 8 bits a channel, or as an array: numpy.save(name.npy, values)"
            got = f"{image.format} of mode {image.mode}, stored as {arguments[0]}"
            raise problem(request, "065", "an image has more bits a channel than can be read", got, hint)


def _bits(raw_mode: str) -> int:
    """The bits a channel of pillow's name for how pixels lie in the file, such as RGB;16B; 8 where it says nothing."""
    digits = "".join(c for c in raw_mode.partition(";")[2] if c.isdigit())
    return int(digits) if digits in ("16", "32", "64") and not raw_mode.startswith("BGR;") else 8
