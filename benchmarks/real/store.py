"""Trainings on disk by content: a rerun of a night trains only what is new."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.plan.plan import Plan

Array = np.ndarray[Any, Any]


@final
class Store:
    """One SQLite file: key → array or values. A key is made of everything that the content depends on."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(file, timeout=120.0, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, shape TEXT, content BLOB)")

    def array(self, key: str, make: Callable[[], Array]) -> Array:
        """The array of a key, float32; made where it is not there."""
        found = self._db.execute("SELECT shape, content FROM kept WHERE key = ?", (key,)).fetchone()
        if found is None:
            made = np.ascontiguousarray(make(), dtype=np.float32)
            self._put(key, json.dumps(made.shape), made.tobytes())
            return made
        return np.frombuffer(found[1], np.float32).reshape(json.loads(found[0])).copy()

    def values(self, key: str, make: Callable[[], Mapping[str, float]]) -> dict[str, float]:
        """The values of a key; made where they are not there."""
        found = self._db.execute("SELECT content FROM kept WHERE key = ?", (key,)).fetchone()
        if found is None:
            made = dict(make())
            self._put(key, "", json.dumps(made).encode())
            return made
        return dict(json.loads(found[0]))

    def _put(self, key: str, shape: str, content: bytes) -> None:
        self._db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (key, shape, content))


def key(*parts: Any) -> str:
    """A key of what is in JSON, or a plan."""
    plain = [part.to_dict() if isinstance(part, Plan) else part for part in parts]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
