"""The disks that a study writes to: room, leave to write, and how long a durable write takes."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from autodc.adapters.doctor.check import Check, size

LEAST = 512 * 2**20
"""Below that a night would meet a full disk at its start."""
LITTLE = 5 * 2**30
SLOW = 0.1
"""Seconds a durable write may take: the journal waits for one after every event."""
WRITES = 3


def disk(name: str, wanted: Path, mend: str) -> Check:
    """A folder that a study will write to, or the one above it that is there. mend: where else it may be."""
    folder = existing(wanted)
    if not folder.is_dir():
        return Check(name=name, status="fail", found=f"{folder} is a file, not a folder", mend=mend)
    free = shutil.disk_usage(folder).free
    try:
        took = _durable_write(folder)
    except OSError as error:
        return Check(name=name, status="fail", found=f"{error.strerror}: {folder}", mend=mend)
    said = f"{size(free)} free, {1000 * took:.0f} ms a durable write: {folder}"
    if free < LEAST:
        return Check(name=name, status="fail", found=said, mend=f"make room there, or {mend}")
    if free < LITTLE:
        return Check(name=name, status="warn", found=said, mend=f"`autodc check` tells what a night needs; {mend}")
    if took > SLOW:
        return Check(name=name, status="warn", found=said, mend=f"a local disk keeps the journal faster; {mend}")
    return Check(name=name, found=said)


def existing(folder: Path) -> Path:
    """The folder itself or the nearest above it that is there."""
    folder = folder.expanduser().absolute()
    return next((one for one in (folder, *folder.parents) if one.exists()), folder)


def _durable_write(folder: Path) -> float:
    """The median time of a few small writes that are on the disk when they end. Raises OSError."""
    took = []
    with tempfile.TemporaryFile(dir=folder) as probe:
        for _ in range(WRITES):
            begun = time.monotonic()
            probe.write(b"autodc" * 100)
            probe.flush()
            os.fsync(probe.fileno())
            took.append(time.monotonic() - begun)
    return sorted(took)[WRITES // 2]
