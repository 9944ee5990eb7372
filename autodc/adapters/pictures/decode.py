"""One picture as an array by pillow: turned as the camera noted, refused by name where pillow would cut its values."""

from __future__ import annotations

import io
import struct
from functools import lru_cache
from threading import Lock
from typing import IO, Any, NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from autodc.adapters.pictures.modes import COLOURS, Unconvertible, own_values, pictured
from autodc.adapters.pictures.parts import LeftToParent, is_forked
from autodc.adapters.pictures.wish import Wish
from autodc.errors import DataError

Array = np.ndarray[Any, Any]

DEEP = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N", "F"})
"""Modes that hold more than eight bits a channel."""
PREVIEWS = frozenset({"MPO"})
"""Formats of cameras whose further frames are previews or the other eye's view."""
DRAWINGS = frozenset({"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"})
"""Formats that other programs would have to draw."""
BYTE = 255
MOST_PIXELS = 178_956_970
"""Pillow's own limit: half a gigabyte in colour."""
ONE_BY_ONE = 16_000_000
"""Pictures of more pixels are decoded one after the other, whatever the number of threads."""
TURNS = range(2, 9)
"""Turns and mirrorings of EXIF; 1 is upright."""
SIDEWAYS = (5, 6, 7, 8)
"""Turns of EXIF that change height and width."""
TURNS_BACK = 2
"""How many times the size that is wished for a JPEG is decoded at, at least."""

_large = Lock()


class Picture(NamedTuple):
    """One picture."""

    values: Array
    """(height, width) or (height, width, channels)."""
    frames: int
    """How many pictures the file holds; the first is read."""


def decoded(content: bytes | IO[bytes], wish: Wish) -> Picture:
    """Decode the first picture of a file.

    Raises DataError ADC-DATA-002 where it cannot be read, 065 where pillow would cut its values, 070 where it is too
    large to be decoded, 071 where its values have no place in the mode that is wished for. They name no place.
    """
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    try:
        with Image.open(stream, formats=_formats()) as image:
            _draft(image, wish)
            _refuse_cut_values(image)
            pixels = image.width * image.height
            if pixels > MOST_PIXELS:
                raise _too_large(f"{image.width} × {image.height} pixels")
            frames = 1 if image.format in PREVIEWS else int(getattr(image, "n_frames", 1))
            if pixels <= ONE_BY_ONE:
                return Picture(_values(image, wish), frames)
            if is_forked():
                raise LeftToParent
            with _large:
                return Picture(_values(image, wish), frames)
    except Image.DecompressionBombError as error:
        raise _too_large(str(error).partition(" exceeds")[0]) from None
    except UnidentifiedImageError:
        raise _unreadable(_what_else(stream)) from None
    except Unconvertible as error:
        hint = "read it with mode: F, or write it with 8 or 16 bits a channel"
        raise DataError("ADC-DATA-071", "an image has no place in this mode", "", str(error), hint) from None
    except (OSError, MemoryError) as error:
        raise _unreadable(str(error) or type(error).__name__) from None
    except (ValueError, EOFError, SyntaxError, TypeError, KeyError, IndexError, OverflowError, struct.error) as error:
        # what a damaged file makes of pillow's readers
        raise _unreadable(f"{type(error).__name__}: {error}") from None


def refuse_no_picture(content: bytes) -> None:
    """Raise as `decoded` does where a file is no picture by its head, without decoding it."""
    stream = io.BytesIO(content)
    try:
        with Image.open(stream, formats=_formats()) as image:
            if image.width * image.height > MOST_PIXELS:
                raise _too_large(f"{image.width} × {image.height} pixels")
            if image.format == "PNG":
                image.verify()  # of the others it looks at nothing
    except Image.DecompressionBombError as error:
        raise _too_large(str(error).partition(" exceeds")[0]) from None
    except UnidentifiedImageError:
        raise _unreadable(_what_else(stream)) from None
    except (OSError, ValueError, EOFError, SyntaxError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise _unreadable(str(error) or type(error).__name__) from None


def head(path: str) -> tuple[tuple[int, int], str] | None:
    """Height and width, and mode without palettes, by the head of a file; None where it is no picture."""
    try:
        with Image.open(path, formats=_formats()) as image:
            width, height = image.size
            sides = (width, height) if _turn(image) in SIDEWAYS else (height, width)
            return sides, "RGBA" if "transparency" in image.info else COLOURS.get(image.mode, image.mode)
    except (OSError, ValueError, EOFError, SyntaxError, TypeError, KeyError, IndexError, OverflowError, struct.error):
        return None
    except Image.DecompressionBombError:
        return None


@lru_cache(maxsize=1)
def _formats() -> list[str]:
    Image.init()
    return [name for name in Image.ID if name not in DRAWINGS]


def _values(image: Image.Image, wish: Wish) -> Array:
    turned = _turned(image)
    if wish.mode is None and wish.sides is None:
        return own_values(turned)
    return pictured(turned, wish.mode, wish.sides, image.format)


def _draft(image: Image.Image, wish: Wish) -> None:
    """Let a JPEG be decoded at a half, a quarter or an eighth of its size, where that is well above what is wished."""
    if wish.sides is None or not isinstance(image, ImageFile.ImageFile) or not hasattr(image, "decoderconfig"):
        return
    height, width = wish.sides
    if min(image.size) < 2 * TURNS_BACK * min(height, width):  # half its size is too small already
        return
    if _turn(image) in SIDEWAYS:
        height, width = width, height
    image.draft(None, (TURNS_BACK * width, TURNS_BACK * height))


def _turn(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except (SyntaxError, struct.error, ValueError, KeyError, TypeError):
        return 1


def _turned(image: Image.Image) -> Image.Image:
    """The image as it was taken: a camera held upright stores the pixels as they fell and notes the turn in EXIF."""
    image.load()
    if _turn(image) not in TURNS:  # asked first: pillow would copy what is upright
        return image
    try:
        return ImageOps.exif_transpose(image)
    except (SyntaxError, struct.error, ValueError, KeyError, TypeError):  # what cannot be read notes no turn
        return image


def _refuse_cut_values(image: Image.Image) -> None:
    """Pillow has eight bits a channel in colour: it drops the lower ones of what has more, without a word."""
    if image.mode in DEEP or not isinstance(image, ImageFile.ImageFile):
        return
    for tile in image.tile:
        arguments = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        deep = any(isinstance(a, str) and ";" in a and _bits(a) > 8 for a in arguments)
        if deep or (tile[0] == "ppm" and any(type(a) is int and a > BYTE for a in arguments)):
            hint = "write it with 8 bits a channel, or as an array: numpy.save(name.npy, values)"
            got = f"{image.format} of mode {image.mode}, stored as {arguments[0]}"
            raise DataError("ADC-DATA-065", "an image has more bits a channel than can be read", "", got, hint)


def _bits(raw_mode: str) -> int:
    """The bits a channel of pillow's name for how pixels lie in the file, such as RGB;16B; 8 where it says nothing."""
    digits = "".join(c for c in raw_mode.partition(";")[2] if c.isdigit())
    return int(digits) if digits in ("16", "32", "64") and not raw_mode.startswith("BGR;") else 8


def _too_large(got: str) -> DataError:
    hint = f"make it smaller before: an image may have {MOST_PIXELS / 1e6:.0f} million pixels"
    return DataError("ADC-DATA-070", "an image is too large to be decoded", "", got, hint)


def _unreadable(got: str) -> DataError:
    return DataError("ADC-DATA-002", "a file cannot be read", "", got)


def _what_else(stream: IO[bytes]) -> str:
    stream.seek(0)
    start = stream.read(16)
    return f"it is no image: it begins with {start!r}" if start else "it is empty"
