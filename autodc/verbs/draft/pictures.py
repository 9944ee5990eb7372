"""Images among the rows of a source: which column holds them, and the size and mode that suit them."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from PIL import Image
from pydantic import JsonValue

from autodc.adapters.sources.listing import is_image

LONGEST_SIDE, STEP = 64, 8
LOOKED_AT = 300
"""Images whose sizes are looked at."""
GREY = frozenset({"1", "L", "LA"})


def image_column(frame: pd.DataFrame, source: str, told: JsonValue) -> dict[str, JsonValue] | None:
    """Options for a column of images: paths beside the table, bytes, or records of both; None where there is none."""
    folder = source if os.path.isdir(source) else os.path.dirname(source)
    for name in [str(told)] if told else map(str, frame.columns):
        cells = frame[name].dropna()[:: max(1, len(frame) // LOOKED_AT)].tolist()
        held = [cell.get("bytes") or cell.get("path") if isinstance(cell, Mapping) else cell for cell in cells]
        files = [_opened(one, folder) for one in held]
        if not files or any(file is None for file in files):
            continue
        if shape := picture_shape([file for file in files if file is not None]):
            return {"image": name, **shape}
    return None


def _opened(cell: object, folder: str) -> str | io.BytesIO | None:
    if isinstance(cell, bytes):
        return io.BytesIO(cell)
    return os.path.join(folder, cell) if isinstance(cell, str) and is_image(cell) else None


def picture_shape(paths: Sequence[str | io.BytesIO]) -> dict[str, JsonValue] | None:
    """`size` and `mode` for images of these files; None where they are no images."""
    sizes, modes = [], set[str]()
    for path in paths[:: max(1, len(paths) // LOOKED_AT)][:LOOKED_AT]:
        try:
            with Image.open(path) as image:
                sizes.append((image.height, image.width))
                modes.add(image.mode)
        except (OSError, ValueError, Image.DecompressionBombError):
            continue
    if not sizes:
        return None
    size: list[JsonValue] = [*sizes[0]]
    if len(set(sizes)) > 1 or max(sizes[0]) > LONGEST_SIDE:  # what is small and alike stays as it is
        height, width = (float(side) for side in np.median(sizes, axis=0))
        scale = min(1.0, LONGEST_SIDE / max(height, width))
        size = [max(STEP, STEP * round(side * scale / STEP)) for side in (height, width)]
    return {"size": size, "mode": "L" if modes <= GREY else "RGB"}
