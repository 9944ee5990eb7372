"""What the control group of this process allows it: a container sees all cores and all memory, and gets less."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None: as much as there is."""

    cores: float | None = None
    memory: int | None = None
    """Bytes."""
    used: int = 0
    """Bytes of `memory` that cannot be had back: without the files that are only kept at hand."""


def limits(root: Path = Path("/")) -> Limits:
    """The narrowest limits of the group and of those above it, of both versions of cgroups. root: where / is."""
    cores: list[float] = []
    memory: list[tuple[int, int]] = []
    for folder in _folders(root):
        cores += _cores(folder)
        memory += _memory(folder)
    most, used = min(memory, key=lambda pair: pair[0] - pair[1], default=(None, 0))
    return Limits(cores=min(cores, default=None), memory=most, used=used)


def _folders(root: Path) -> Iterator[Path]:
    """The folder of every group that binds this process."""
    mounted = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        kinds = set(controllers.split(","))
        if controllers and not kinds & {"cpu", "memory"}:
            continue
        top = mounted / controllers if controllers else mounted
        below = Path(path.lstrip("/"))
        for part in (below, *below.parents):  # a container may see its own group as the top
            yield top / part


def _cores(folder: Path) -> Iterator[float]:
    quota, _, period = (_text(folder / "cpu.max") or "max").partition(" ")
    if quota == "max":
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
    with contextlib.suppress(ValueError, ZeroDivisionError):
        if (allowed := int(quota) / int(period or 100_000)) > 0:
            yield allowed


def _memory(folder: Path) -> Iterator[tuple[int, int]]:
    for most, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        limit, current = _text(folder / most), _text(folder / used)
        if limit.isdigit() and int(limit) < 2**60:  # an older kernel says "no limit" by a number without end
            yield int(limit), max(0, int(current or 0) - _at_hand(_text(folder / "memory.stat")))


def _at_hand(stat: str) -> int:
    values = dict(line.split()[:2] for line in stat.splitlines() if len(line.split()) >= 2)
    return int(values.get("total_inactive_file", values.get("inactive_file", "0")))


def _text(file: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return file.read_text().strip()
    return ""
