"""Identity is a fingerprint of content: SHA-256 of canonical JSON, or of an array's dtype, shape and bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np


def of(value: Any, *, kind: str, version: int = 1) -> str:
    """Fingerprint a JSON value. `kind` and `version` keep unlike things and old layouts apart."""
    text = json.dumps(
        [kind, version, value], sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def of_array(array: np.ndarray[Any, Any]) -> str:
    """Fingerprint an array by dtype, shape and content; text arrays by their values, whatever their width."""
    if array.dtype.kind in "OUS":
        return of([str(v) for v in array.ravel().tolist()], kind="text-array")
    data = np.ascontiguousarray(array)
    digest = hashlib.sha256(f"{data.dtype.str}{data.shape}".encode())
    digest.update(data.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def of_parts(kind: str, parts: Iterable[tuple[str, str]], version: int = 1) -> str:
    """Fingerprint a whole made of named, already fingerprinted parts, whatever their order."""
    return of(sorted([name, digest] for name, digest in parts), kind=kind, version=version)
