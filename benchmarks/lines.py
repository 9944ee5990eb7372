"""What was measured, on file: JSON, a line each."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def read(file: Path) -> list[dict[str, Any]]:
    """The lines of a file; none where it is not there yet."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def add(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add lines; several processes may do so at once."""
    with file.open("a", encoding="utf-8") as out:
        fcntl.flock(out, fcntl.LOCK_EX)
        out.writelines(json.dumps(row) + "\n" for row in rows)
