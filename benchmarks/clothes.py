"""Fashion-MNIST of the Debian package dataset-fashion-mnist; FASHION_MNIST names another folder that holds it."""

from __future__ import annotations

import gzip
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

DEBIAN = "/usr/share/datasets/fashion-mnist"


@cache
def images() -> tuple[Array, Array]:
    """All 70,000 of the package: (n, 28, 28) bytes and (n,) classes; those for training come first."""
    folder = Path(os.environ.get("FASHION_MNIST", DEBIAN))
    if not folder.is_dir():
        raise SystemExit(f"Fashion-MNIST is not in {folder}; `sudo apt-get install dataset-fashion-mnist`")
    x = [_idx(folder / f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28) for part in ("train", "t10k")]
    y = [_idx(folder / f"{part}-labels-idx1-ubyte.gz", 8) for part in ("train", "t10k")]
    return np.concatenate(x), np.concatenate(y)


@cache
def clothes() -> tuple[Array, Array]:
    """The same at 14 × 14: (n, 14, 14) of 0 to 1, float32, and (n,) classes, int64."""
    x, y = images()
    small = x.reshape(-1, 14, 2, 14, 2).mean((2, 4), dtype=np.float32)
    return small / np.float32(255), y.astype(np.int64)


def _idx(file: Path, header: int) -> Array:
    return np.frombuffer(gzip.decompress(file.read_bytes()), np.uint8, offset=header)
