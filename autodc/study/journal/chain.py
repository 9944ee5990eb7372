"""The chain of checksums: each record of a journal is sealed together with the seal of the one before."""

from __future__ import annotations

from hashlib import sha256

START = b""
"""What stands before the first record."""


def seal(before: bytes, position: int, kind: str, version: int, written: float, payload: str) -> bytes:
    """The checksum of a record. before: the seal of the record before it."""
    return sha256(before + f"{position}\n{kind}\n{version}\n{written!r}\n{payload}".encode()).digest()
