"""Identity is a fingerprint of content: SHA-256 of canonical JSON, or of an array's dtype, shape and bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

TEXT = "OUS"
"""Kinds of arrays that are fingerprinted as texts."""
PIECE = 65_536
"""Texts that are written down at once."""


def of(value: Any, *, kind: str, version: int = 1) -> str:
    """Fingerprint a JSON value. `kind` and `version` keep unlike things and old layouts apart."""
    text = json.dumps(
        [kind, version, value], sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def of_array(array: np.ndarray[Any, Any]) -> str:
    """Fingerprint an array by dtype, shape and content; text arrays by their values, whatever their width."""
    if array.dtype.kind in TEXT:
        flat = array.reshape(-1)
        return of_pieces(array.dtype, array.shape, (flat[at : at + PIECE] for at in range(0, flat.size, PIECE)))
    return of_pieces(array.dtype, array.shape, [array])


def of_pieces(dtype: np.dtype[Any], shape: tuple[int, ...], pieces: Iterable[np.ndarray[Any, Any]]) -> str:
    """The same of an array that comes in pieces, one after the other along its first axis."""
    if dtype.kind in TEXT:
        digest = hashlib.sha256()
        for text in _as_json(pieces):
            digest.update(text.encode())
        return digest.hexdigest()
    digest = hashlib.sha256(f"{dtype.str}{shape}".encode())
    for piece in pieces:
        digest.update(np.ascontiguousarray(piece).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def of_parts(kind: str, parts: Iterable[tuple[str, str]], version: int = 1) -> str:
    """Fingerprint a whole made of named, already fingerprinted parts, whatever their order."""
    return of(sorted([name, digest] for name, digest in parts), kind=kind, version=version)


def _as_json(pieces: Iterable[np.ndarray[Any, Any]]) -> Iterator[str]:
    """What `of` would fingerprint of all texts together."""
    yield '["text-array",1,['
    between = ""
    for piece in pieces:
        if piece.size:
            texts = json.dumps([str(v) for v in piece.tolist()], separators=(",", ":"), ensure_ascii=False)
            yield f"{between}{texts[1:-1]}"
            between = ","
    yield "]]"
