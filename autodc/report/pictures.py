"""Pictures as PNG: addresses that load nothing, and files for people."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from markupsafe import Markup
from PIL import Image

Array = np.ndarray[Any, Any]

SMALL = 48
"""Pixels of the longer side up to which the picture of a file is enlarged."""
SCALED = 4
"""Times that it is."""


def png(picture: Array) -> Markup:
    """A picture, shape (h, w), (h, w, 3) or (h, w, 4) of 0 to 255, as the address of a PNG that is in it."""
    content = _encoded(Image.fromarray(np.asarray(picture, dtype=np.uint8)), optimize=True)
    return Markup("data:image/png;base64," + base64.b64encode(content).decode())


def png_file(picture: Array, *, optimize: bool = True) -> bytes:
    """The content of a PNG for people, enlarged where it has few pixels. optimize: smaller, but slower to write."""
    image = Image.fromarray(np.asarray(picture, dtype=np.uint8))
    if max(image.size) <= SMALL:
        image = image.resize((SCALED * image.width, SCALED * image.height), Image.Resampling.NEAREST)
    return _encoded(image, optimize=optimize)


def _encoded(image: Image.Image, *, optimize: bool) -> bytes:
    with io.BytesIO() as file:
        image.save(file, "PNG", optimize=optimize)
        return file.getvalue()
