"""`image`: measures of pictures, of arrays (n, h, w[, c]) and of image files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import pandas as pd
from PIL import Image

from autodc.adapters.pictures.decode import decoded
from autodc.adapters.pictures.many import cores, quiet
from autodc.adapters.pictures.wish import Wish
from autodc.data.attributes import Rows
from autodc.errors import DataError
from autodc.large import evenly
from autodc.table import PATH, Inputs, Table

Array = np.ndarray[Any, Any]

MEASURES: Final[Mapping[str, str]] = {
    "brightness": "mean of the grey values, 0 black to 1 white",
    "contrast": "their standard deviation",
    "dark_share": "share of pixels below 0.05",
    "bright_share": "share of pixels above 0.95",
    "sharpness": "variance of the Laplacian; low where it is blurred",
    "noise": "standard deviation of pixel noise (Immerkær)",
    "edges": "mean steepness between neighbours",
    "fine_detail": "share of the spectrum above half of what pixels can show",
    "pattern": "share of the spectrum in its strongest single frequency: stripes, grids",
    "flat": "share of pixels in even areas",
    "background": "median of the outermost pixels",
    "ink": "mean difference from the background: how much stroke or object there is",
    "object_share": "share of pixels that differ from the background by more than 0.1",
    "object_size": "spread of the object about its centre, in sides of the picture",
    "offset_x": "its centre right (+) or left (-) of the middle, in widths",
    "offset_y": "its centre above (+) or below (-) the middle, in heights",
    "offset": "distance of its centre from the middle",
    "elongation": "0 round to 1 a line",
    "orientation": "main axis in degrees from upright, leaning right is positive",
    "symmetry": "1 where left mirrors right, 0 where they share nothing",
    "border": "share of the object in the outermost pixels: cut off, framed",
    "occlusion": "largest even square within the box of the object, as a share of that box",
    "blocks": "share of neighbours within that box that are the same: coarse pixels, patches",
    "colourfulness": "spread and strength of colours (Hasler and Süsstrunk); colour pictures alone",
    "saturation": "mean saturation; colour pictures alone",
    "warmth": "red minus blue; colour pictures alone",
    "width": "pixels; files alone",
    "height": "pixels; files alone",
    "aspect": "width ÷ height; files alone",
    "bytes_per_pixel": "size of the file ÷ its pixels; files alone",
}
VERSION = 1
SIDE = 256
"""Files are measured at this size of the longer side, where they are larger."""
CHUNK_BYTES = 8 << 20
"""Pictures that are measured at once, as float32."""
LOOKED_AT = 2000
"""Base rows that tell the range of values."""
GREY = (0.299, 0.587, 0.114)
MAX_CHANNELS = 4


@final
@dataclass(frozen=True, slots=True)
class ImageEnricher:
    """Learns the range of values of the base: bytes are 0 to 255, fractions 0 to 1, others the base's own range."""

    name: str = "image"

    @property
    def content(self) -> str:
        """What values depend on, but for base and rows."""
        return f"{VERSION}"

    def fitted(self, base: Rows, targets: Array | None) -> FittedImage:
        """Return it for a study with this base."""
        return FittedImage(*value_range(base.x))


@final
@dataclass(frozen=True, slots=True)
class FittedImage:
    """Measures pictures."""

    low: float
    high: float
    name: str = "image"

    def attributes(self, rows: Rows) -> pd.DataFrame:
        """Return n rows. A file that cannot be decoded has no values."""
        if isinstance(rows.x, Table):
            return self._of_files(rows.x.column(PATH).to_pylist())
        parts = [_measured(part) for part in pixels_of(np.asarray(rows.x), self.low, self.high)]
        return pd.concat(parts, ignore_index=True) if parts else _measured(np.zeros((0, 3, 3, 1), dtype=np.float32))

    def _of_files(self, paths: list[str]) -> pd.DataFrame:
        with quiet(), ThreadPoolExecutor(cores()) as pool:
            found = list(pool.map(_of_file, paths))
        return pd.DataFrame(found, columns=[*MEASURES], index=pd.RangeIndex(len(found))).astype(float)


def value_range(base: Inputs) -> tuple[float, float]:
    """The values that are black and white."""
    if isinstance(base, Table) or base.dtype in (np.uint8, np.bool_) or not len(base):
        return 0.0, 255.0 if not isinstance(base, Table) and base.dtype == np.uint8 else 1.0
    ends = [(float(base[row].min()), float(base[row].max())) for row in evenly(len(base), LOOKED_AT)]
    low, high = min(0.0, *(least for least, _ in ends)), max(most for _, most in ends)
    return low, 1.0 if low == 0 and high <= 1 else max(high, low + 1e-9)


def pixels_of(x: Array, low: float, high: float) -> Iterator[Array]:
    """Pictures some at a time as (n, h, w, c) of float32 between 0 and 1, c 1 or 3."""
    size = max(1, CHUNK_BYTES // max(1, 4 * int(np.prod(x.shape[1:]))))
    for start in range(0, len(x), size):
        yield _channels_last(np.clip((x[start : start + size].astype(np.float32) - low) / (high - low), 0, 1))


def file_pixels(path: str, side: int = SIDE) -> tuple[Array, tuple[int, int]] | None:
    """A file as (h, w, c) between 0 and 1, no side longer than `side`, and its height and width; None: no picture."""
    try:
        values = decoded(Path(path).read_bytes(), Wish()).values
    except (DataError, OSError):
        return None
    height, width = values.shape[:2]
    top = 255.0 if values.dtype == np.uint8 else 1.0 if values.dtype == bool else float(max(values.max(), 1e-9))
    top = 65535.0 if values.dtype == np.uint16 else top
    pixels = _channels_last(np.clip(values[None].astype(np.float32) / top, 0, 1))[0]
    pixels = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    if max(height, width) > side:
        scale = side / max(height, width)
        to = (max(1, round(width * scale)), max(1, round(height * scale)))
        bands = (Image.fromarray(np.ascontiguousarray(pixels[..., at])) for at in range(pixels.shape[-1]))
        bands = (band.resize(to, Image.Resampling.BOX) for band in bands)
        pixels = np.stack([np.asarray(band) for band in bands], axis=-1)
    return pixels, (height, width)


def _of_file(path: str) -> dict[str, float]:
    found = file_pixels(path)
    if found is None:
        return {}
    pixels, (height, width) = found
    measured = {str(name): float(values[0]) for name, values in _values(pixels[None]).items()}
    size = {"width": width, "height": height, "aspect": width / height}
    return {**measured, **size, "bytes_per_pixel": os.path.getsize(path) / (width * height)}


def _measured(pixels: Array) -> pd.DataFrame:
    return pd.DataFrame({name: values.astype(np.float64) for name, values in _values(pixels).items()})


def _values(pixels: Array) -> dict[str, Array]:
    from autodc.adapters.enrichers import image_measures  # its filters are slow to import

    is_colour = pixels.shape[-1] == 3
    grey = pixels @ np.array(GREY, dtype=np.float32) if is_colour else pixels[..., 0]
    found = {**image_measures.light(grey), **image_measures.detail(grey), **image_measures.shape(grey)}
    return {**found, **(image_measures.colour(pixels) if is_colour else {})}


def _channels_last(x: Array) -> Array:
    """(n, h, w), (n, h, w, c) or (n, c, h, w) with one channel, the mean of what is no colour, or with three."""
    if x.ndim == 3:
        return x[..., None]
    if x.shape[-1] > MAX_CHANNELS >= x.shape[1]:
        x = np.moveaxis(x, 1, -1)
    channels = x.shape[-1]
    if channels in (3, MAX_CHANNELS):
        return x[..., :3]
    return x[..., :1] if channels == 2 else x.mean(axis=-1, keepdims=True)
