"""Follows a study while it runs: its status again whenever something changed, until the run ends."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from autodc.errors import INTERRUPTED, SurroundingsError
from autodc.review.status import status
from autodc.verbs.folder import Follower

EVERY = 1.0
"""Seconds between two looks at the journal."""
TIMES = 10.0
"""A status that takes long is worked out no oftener than so many times as long."""
AGAIN = 10.0
"""Seconds after which it is worked out again though nothing happened: the time left grows shorter."""
GRACE = 3
"""A run is over when so many looks in a row find nobody at work: who starts it again at once goes on."""


def watch(
    folder: str | os.PathLike[str],
    pause: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[Mapping[str, Any]]:
    """Yield the status (as `status_of` gives it) at once and whenever something changed, for the last time at the end.

    Every event is read once. pause, monotonic: how it waits. Raises InputError where no study is.
    """
    with Follower(folder) as follower:
        seen: tuple[int, bool | None] | None = None
        due, gone = 0.0, 0
        while True:
            running = follower.is_at_work
            begun = monotonic()
            state = follower.look()
            gone = 0 if running or (running is None and state.finished is None) else gone + 1
            over = gone >= (GRACE if state.finished is None else 1)
            now = follower.position, running
            if over or (begun >= due and (now != seen or begun >= due + AGAIN)):
                found = {**status(state), "running": running}
                seen, took = now, monotonic() - begun
                due = begun + max(EVERY, TIMES * took)
                yield found
            if over:
                return
            pause(EVERY)


def exit_code(found: Mapping[str, Any]) -> int:
    """What the command that watched ends with, as the run would: 0 where the study is finished.

    3 where its test set could not be measured, 130 where it stopped before: the same command goes on. found: the last
    status.
    """
    if found["unread"]:
        return SurroundingsError.exit_code
    return 0 if found["finished"] else INTERRUPTED


def news(found: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of a status is worth a line of its own: not that one more training ended."""
    names = ("doing", "round", "finished", "running", "testing", "kept", "verdicts", "paused_since", "slots")
    return (*(repr(found[name]) for name in names), found["trainings"]["failed"], repr(found["alarms"]))
