"""A status in words, for a terminal, a log and the page that is served. Nothing heavy is imported for it."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping
from typing import Any

from autodc.review.numbers import duration
from autodc.review.wording import time_left, where


def state(found: Mapping[str, Any]) -> str:
    """Round and phase, and whether it is paused or nobody works on it. found: as `status_of` gives it."""
    told = where(found)
    if found["finished"]:
        return f"{told}; report and tracking are being written" if found["running"] else told
    if found["running"] is False:
        told += "; not running"
    if found["paused_since"]:
        since = datetime.datetime.fromisoformat(found["paused_since"])
        told += f"; paused since {since.astimezone():%H:%M} ({duration(time.time() - since.timestamp())})"
    return told


def line(found: Mapping[str, Any]) -> str:
    """Where a study is, on one line."""
    trainings = found["trainings"]
    told = [state(found)]
    if found["testing"]:
        told.append(f"comparing {found['testing']['subject']}")
    failed = f", {trainings['failed']} failed" if trainings["failed"] else ""
    told += [f"{trainings['done']} trainings done{failed}", f"kept {', '.join(found['kept']) or 'nothing'}"]
    return "; ".join([*told, used(found)])


def used(found: Mapping[str, Any]) -> str:
    """Time used and left, as far as either is known."""
    seconds = found["spent"]["wall_seconds"]
    told = f"{duration(seconds)} used" if seconds >= 1 else "hardly any time used"
    return told if found["finished"] else f"{told}, {time_left(found['time_left'])}"
