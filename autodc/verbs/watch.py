"""Follows a study while it runs: its status again whenever something changed, until the run ends."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, final

from autodc.errors import INTERRUPTED, SurroundingsError
from autodc.review.status import status
from autodc.study.journal.state import State
from autodc.verbs.folder import Follower

EVERY = 1.0
"""Seconds between two looks at the journal."""
TIMES = 10.0
"""A status that takes long is worked out no oftener than so many times as long."""
AGAIN = 10.0
"""Seconds after which it is worked out again though nothing happened: the time left grows shorter."""
GRACE = 3
"""A run is over when so many looks in a row find nobody at work: who starts it again at once goes on."""


@final
class LiveStatus:
    """The status of a study that is followed, worked out again where something changed, and not too often."""

    def __init__(
        self, follower: Follower, times: float = TIMES, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """times: it takes at most one of so many parts of the time."""
        self._follower, self._times, self._monotonic = follower, times, monotonic
        self._seen: tuple[int, bool | None] | None = None
        self._due = -math.inf

    def look(self, state: State, running: bool | None, at_once: bool = False) -> Mapping[str, Any] | None:
        """The status (as `status_of` gives it); None where the one before will do. at_once: also when it is not due."""
        begun, now = self._monotonic(), (self._follower.position, running)
        if not (at_once or (begun >= self._due and (now != self._seen or begun >= self._due + AGAIN))):
            return None
        found = {**status(state), "running": running}
        self._seen = now
        self._due = begun + max(EVERY, self._times * (self._monotonic() - begun))
        return found


def watch(
    folder: str | os.PathLike[str],
    pause: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[Mapping[str, Any]]:
    """Yield the status (as `status_of` gives it) at once and whenever something changed, for the last time at the end.

    Every event is read once. pause, monotonic: how it waits. Raises InputError where no study is.
    """
    with Follower(folder) as follower:
        live, gone = LiveStatus(follower, monotonic=monotonic), 0
        while True:
            running, state = follower.is_at_work, follower.look()
            gone = 0 if running or (running is None and state.finished is None) else gone + 1
            over = gone >= (GRACE if state.finished is None else 1)
            if (found := live.look(state, running, at_once=over)) is not None:
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
