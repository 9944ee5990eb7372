"""Columns of images in a table whose user named none: by where they lead, or by how their bytes begin."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from autodc.adapters.sources.listing import is_image
from autodc.data.source import SourceRequest

LOOKED_AT = 20
"""Values of a column that are looked at."""
BEGINNINGS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
"""Of PNG, JPEG, GIF, BMP and TIFF files; WebP begins otherwise."""


def image_columns(request: SourceRequest, table: pd.DataFrame, aside: Collection[str | None]) -> list[str]:
    """Columns that hold images as bytes, as records of bytes or path, or as paths of files that are there.

    aside: columns that somebody set aside.
    """
    folder = os.path.dirname(request.path)
    return [str(name) for name in table.columns if name not in aside and _holds_images(table[name], folder)]


def _holds_images(column: pd.Series[Any], folder: str) -> bool:
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return False
    some = column.dropna().head(LOOKED_AT).tolist()
    return bool(some) and all(_like_image(value) for value in some) and _is_there(some[0], folder)


def _like_image(value: object) -> bool:
    if isinstance(value, Mapping):
        held = value.get("bytes")
        return _like_image(held if held is not None else value.get("path"))
    if isinstance(value, bytes | bytearray):
        start = bytes(value[:12])
        return start.startswith(BEGINNINGS) or (start[:4] == b"RIFF" and start[8:] == b"WEBP")
    return isinstance(value, str) and is_image(value)


def _is_there(value: object, folder: str) -> bool:
    """Whether a path leads to a file; what holds the bytes is there."""
    if isinstance(value, Mapping):
        value = None if value.get("bytes") is not None else value.get("path")
    if not isinstance(value, str):
        return True
    try:
        return os.path.isfile(os.path.join(folder, os.path.expanduser(value)))
    except ValueError:  # a null byte in it
        return False
