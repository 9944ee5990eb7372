"""The clock of this machine: deadlines are told by it, and files of other machines carry theirs."""

from __future__ import annotations

import os
import tempfile
import time
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

import autodc
from autodc.adapters.doctor.check import Check

LOOK_SECONDS = 0.5
DRIFT = 0.05
"""So many seconds may wall clock and steady clock differ over a look: more is a clock that is being set."""
APART = 5.0
"""So many seconds may a disk's clock be apart."""
DAY = 86400.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Both clocks at one moment."""

    wall: float
    steady: float

    @classmethod
    def now(cls) -> Reading:
        """What they say."""
        return cls(wall=time.time(), steady=time.monotonic())


def clock(folder: Path, environment: Mapping[str, str]) -> Check:
    """Whether the clock goes evenly, knows its zone, and agrees with the disk that `folder` lies on."""
    begun = Reading.now()
    time.sleep(LOOK_SECONDS)
    return judged(begun, Reading.now(), _newest(), _apart(folder), environment)


def judged(begun: Reading, now: Reading, newest: float, apart: float, environment: Mapping[str, str]) -> Check:
    """What two readings say. newest: Unix time of what was last installed; apart: seconds the disk's clock is ahead."""
    local = time.localtime(now.wall)
    said = f"{time.strftime('%Y-%m-%d %H:%M', local)} {local.tm_zone} ({time.strftime('%z', local)})"
    ntp = "set the clock, for example with an NTP service"
    if newest - now.wall > DAY:
        found = f"{said} is {(newest - now.wall) / DAY:.0f} days before autodc was installed"
        return Check(name="clock", status="fail", found=found, mend=ntp)
    zone = environment.get("TZ", "").removeprefix(":")
    if zone and local.tm_gmtoff == 0 and not _is_zone(zone):
        mend = "set TZ to a name such as Europe/Zurich (Debian: package tzdata), or unset it"
        return Check(name="clock", status="warn", found=f"TZ={zone} is unknown here: --until is read as UTC", mend=mend)
    drift = (now.wall - begun.wall) - (now.steady - begun.steady)
    if abs(drift) > DRIFT:
        found = f"{said}; it moved by {drift:+.2f} s while it was looked at"
        return Check(name="clock", status="warn", found=found, mend="let the NTP service settle before a night begins")
    if abs(apart) > APART:
        found = f"{said}; the disk's clock is {abs(apart):.0f} s {'ahead' if apart > 0 else 'behind'}"
        return Check(name="clock", status="warn", found=found, mend=f"{ntp} here and on the file server")
    return Check(name="clock", found=said)


def _is_zone(name: str) -> bool:
    """Whether the system knows a zone, or it is one in full, as UTC0 and GMT are."""
    if name.rstrip("0") in ("UTC", "GMT", "Z") or name.startswith("/"):
        return True
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _newest() -> float:
    """When a file of autodc was written last."""
    return max(file.stat().st_mtime for file in Path(autodc.__file__).parent.glob("*.py"))


def _apart(folder: Path) -> float:
    """How far the clock of the disk is ahead of this machine's; 0 where nothing can be written."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            before = time.time()
            probe.write(b"autodc")
            probe.flush()
            written = os.fstat(probe.fileno()).st_mtime
            after = time.time()
    except OSError:
        return 0.0
    return min(0.0, written - before) if written < after else written - after
