"""What a row of a custom task has for a target or an output: numbers, as an array, or any JSON value.

JSON values of many rows travel and lie as one array of bytes (`S`), each row its JSON text: it needs no pickle, can be
memory-mapped, hashed and cut by rows like any array. They are read where somebody's own code meets them: trainers get
an array of Python objects, metrics a list. Arrays of numbers are the same everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

LARGEST = 2**31
"""Bytes of all rows, each as wide as the longest; what is larger belongs into files that the values name."""
NUMBERS = "iufb"
"""Kinds of arrays that are kept as they are."""
SHOWN = 60
"""Characters of a value in a message."""


class NoJson(ValueError):
    """A value that is no JSON value; says which row and why."""


def is_json(values: Array) -> bool:
    """Whether an array is one of JSON texts."""
    return bool(values.dtype.kind == "S")


def is_numbers(values: Any) -> bool:
    """Whether values are an array of numbers (also a tensor's), not a list of whatever."""
    return hasattr(values, "__array__") and np.asarray(values).dtype.kind in NUMBERS


def encoded(values: Iterable[Any]) -> Array:
    """Return one JSON text a row, shape (n,). Raises NoJson for a value that has none, and for too much of it.

    Arrays and tensors in a value are lists, tuples too; keys of objects become text; NaN and infinity are no JSON.
    """
    texts = []
    for row, value in enumerate(values):
        try:
            texts.append(json.dumps(value, separators=(",", ":"), allow_nan=False, default=_plain).encode())
        except (TypeError, ValueError, RecursionError) as error:
            raise NoJson(f"row {row}: {_reason(error)}: {_short(value)}") from None
    longest = max(map(len, texts), default=1)
    if longest * len(texts) > LARGEST:
        row = next(i for i, text in enumerate(texts) if len(text) == longest)
        raise NoJson(f"row {row}: its JSON text has {longest:,} bytes, and each of {len(texts):,} rows takes as many")
    return np.array(texts, dtype=f"S{max(longest, 1)}")


def decoded(values: Array) -> Any:
    """What a metric is given: a list of the values of the rows, or numbers as an array of its own."""
    return [json.loads(text) for text in values.tolist()] if is_json(values) else np.array(values)


def objects(values: Array) -> Array:
    """What a trainer is given: an array of Python objects, shape (n,), or numbers as they are."""
    return boxed(decoded(values)) if is_json(values) else values


def boxed(values: Sequence[Any]) -> Array:
    """A list of anything as an array of Python objects, shape (n,)."""
    found = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        found[row] = value
    return found


def texts(values: Array) -> Array:
    """What `where` and people are given: text as it is, any other value as JSON text; numbers as they are."""
    if not is_json(values):
        return values
    found = [value if isinstance(value, str) else json.dumps(value) for value in decoded(values)]
    return np.array(found, dtype=object)


def written(values: Array) -> Array:
    """What a program is given in a file: JSON text for each row, shape (n,), text in quotes too; numbers as they are.

    values: as a trainer has them.
    """
    return encoded(values.tolist()).astype(str) if values.dtype.kind == "O" else values


def joined(pieces: Sequence[Any]) -> Any:
    """Outputs of consecutive rows as one: arrays of numbers as an array, anything else as a list."""
    if all(is_numbers(piece) for piece in pieces):
        return np.concatenate([np.asarray(piece) for piece in pieces])
    return [value for piece in pieces for value in piece]


def kept(values: Array) -> Array:
    """Outputs as they lie on disk: decimal numbers in single precision, anything else as it is."""
    return np.asarray(values, dtype=np.float32) if values.dtype.kind == "f" else np.asarray(values)


def _plain(value: Any) -> Any:
    """What stands for an object that json does not know."""
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} is no JSON value")


def _reason(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
