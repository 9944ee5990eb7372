"""Inputs of any kind as vectors of numbers, for what compares rows: near copies, descriptions of candidates, leaks."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from autodc.table import CONTENT, PATH, ColumnType, Inputs, Table

Array = np.ndarray[Any, Any]

HASHED = 2
"""A category is so many numbers between 0 and 1, by a hash of its name."""
WORDS = 256
"""Text is the counts of its words and pairs of words in so many buckets."""
COLUMN_WORDS = 32
"""The same for a column of text in a table."""
THUMBNAIL = 16
"""Image files are looked at as so many pixels a side, in grey."""
DRAFT = 8 * THUMBNAIL
"""A JPEG may be decoded at about this size; at twice a thumbnail it no longer looked like the same picture as PNG."""
DAY = 86_400_000_000
"""Microseconds."""


def is_pictures(x: Inputs) -> bool:
    """Whether rows have a height and a width, and are compared by their shape of light."""
    return x.kind == "files" if isinstance(x, Table) else x.ndim > 2


def channel_axis(shape: tuple[int, ...]) -> int:
    """Channels are the shorter end of (n, height, width, channels) or (n, channels, height, width)."""
    return 1 if shape[1] < shape[3] else 3


def is_text(x: Inputs) -> bool:
    """Whether rows are texts, and are compared by their words."""
    return isinstance(x, Table) and x.kind == "text"


def numbers(x: Inputs) -> Array:
    """Rows as vectors, shape (n, d), NaN where a number is missing; equal rows are equal, and d is the same for all.

    Arrays are flattened. Of a table numbers, truth values and dates (in days) are one column each.
    """
    if not isinstance(x, Table):
        return np.asarray(x).reshape(len(x), int(np.prod(x.shape[1:]))).astype(np.float64)
    if x.kind == "text":
        return hashed_words(x.texts(), WORDS)
    if x.kind == "files":
        return thumbnails(x).reshape(len(x), -1)
    parts = [_column(x, name, kind) for name, kind in x.schema.items()]
    return np.concatenate(parts, axis=1) if parts else np.zeros((len(x), 0))


def columns(x: Inputs) -> list[Any]:
    """The inputs column by column, each with one value a row; of text and files all is one column."""
    if not isinstance(x, Table):
        flat = x.reshape(len(x), int(np.prod(x.shape[1:])))
        return [flat[:, at] for at in range(flat.shape[1])]
    if x.kind != "table":
        return [x.column(CONTENT if x.kind == "files" else x.names[0]).to_pandas()]
    frame = x.frame()
    return [frame[name] for name in x.names]


def width(x: Inputs) -> int:
    """How many columns the inputs have."""
    return len(x.types) if isinstance(x, Table) else int(np.prod(x.shape[1:]))


def numeric(x: Table, name: str) -> Array:
    """A column of numbers, truth values or dates (in days) as float64, NaN where a value is missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lying = x.column(name)
    if pa.types.is_float64(lying.type):
        return np.asarray((pc.fill_null(lying, np.nan) if lying.null_count else lying).to_numpy())
    column = lying.to_pandas()
    if x.schema[name] == "date":
        stamps = column.to_numpy(dtype="datetime64[us]")
        days = stamps.astype(np.int64) / DAY
        return np.asarray(np.where(np.isnat(stamps), np.nan, days))
    return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))


def hashed_words(texts: list[str], buckets: int) -> Array:
    """Unit vectors of the words and pairs of words of each text, shape (n, buckets)."""
    from sklearn.feature_extraction.text import HashingVectorizer

    turn = HashingVectorizer(n_features=buckets, ngram_range=(1, 2), alternate_sign=True, token_pattern=r"(?u)\b\w+\b")
    return np.asarray(turn.transform(texts).toarray(), dtype=np.float64)


def thumbnails(x: Table) -> Array:
    """Files as small grey images, shape (n, side, side); of one that is no image its content as numbers."""
    paths, content = x.column(PATH).to_pylist(), x.column(CONTENT).to_pylist()
    return np.stack([_thumbnail(path, digest) for path, digest in zip(paths, content, strict=True)])


@lru_cache(maxsize=65_536)
def _thumbnail(path: str, content: str) -> Array:
    try:
        with Image.open(path) as image:
            image.draft("L", (DRAFT, DRAFT))
            return np.asarray(image.convert("L").resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX), dtype=np.float64)
    except Exception:  # whatever lies there, it is compared as bytes
        bits = np.frombuffer(hashlib.shake_128(content.encode()).digest(THUMBNAIL**2), dtype=np.uint8)
        return bits.reshape(THUMBNAIL, THUMBNAIL).astype(np.float64)


def _column(x: Table, name: str, kind: ColumnType) -> Array:
    if kind == "text":
        return hashed_words(x.texts(name), COLUMN_WORDS)
    if kind != "category":
        return numeric(x, name)[:, None]
    codes, known = pd.factorize(x.column(name).to_pandas())
    table = np.array([_hashed(str(value)) for value in known] + [[0.0] * HASHED])
    return np.asarray(table[codes])


def _hashed(value: str) -> list[float]:
    digest = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=4 * HASHED).digest()
    return [int.from_bytes(digest[4 * i : 4 * i + 4], "big") / 2**32 for i in range(HASHED)]
