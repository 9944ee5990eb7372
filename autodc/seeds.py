"""Seeds as a named tree: every stream of random numbers is reached from the study's one seed by a path of names."""

from __future__ import annotations

import hashlib

import numpy as np

Label = str | int
"""A name on the path from the root: what the stream is for, or its number there."""


def child(root: int, *path: Label) -> np.random.SeedSequence:
    """Return the seed at `path` below `root`; other paths and other roots give independent streams."""
    text = "\x1f".join(f"{type(label).__name__}:{label}" for label in path)
    digest = hashlib.sha256(text.encode()).digest()
    number = root % 2**64
    words = number.to_bytes(4 if number < 2**32 else 8, "little") + digest  # a list of numbers gives the same words
    return np.random.SeedSequence(np.frombuffer(words, dtype="<u4"))


def generator(root: int, *path: Label) -> np.random.Generator:
    """Return a random generator for the seed at `path` below `root`."""
    return np.random.default_rng(child(root, *path))


def integer(root: int, *path: Label) -> int:
    """Return the seed at `path` as an integer in [0, 2**32), which every training library accepts."""
    return int(child(root, *path).generate_state(1, np.uint32)[0])
