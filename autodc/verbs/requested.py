"""Writes requests as soon as they are made: people may answer while the night goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import final

from autodc.report.findings import Exhibits
from autodc.report.requests import write_requests
from autodc.study.driver import Progress
from autodc.study.journal.state import State


@final
class Requested:
    """Passes the progress of a run on, and tells what is asked for anew."""

    def __init__(self, folder: Path, exhibits: Exhibits, progress: Progress, say: Callable[[str], None]) -> None:
        self._folder, self._exhibits, self._progress, self._say = folder, exhibits, progress, say
        self._known: int | None = None

    def __call__(self, state: State) -> None:
        """Take note of a step. A disk that refuses is told where the run ends."""
        self._progress(state)
        if self._known == len(state.requests):
            return
        new = [] if self._known is None else list(state.requests)[self._known :]
        self._known = len(state.requests)
        try:
            write_requests(state, self._folder, self._exhibits)
        except OSError:
            return
        if new:
            self._say(f"data that would help is asked for: {', '.join(f'requests/{name}.md' for name in new)}")
