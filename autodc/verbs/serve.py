"""Shows a study while it runs: its page, written again when the journal has changed, and its status as JSON."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

from autodc.adapters.web import LOOPBACK, Content, served
from autodc.errors import AutodcError
from autodc.report import live
from autodc.report.page import named, render
from autodc.review.status_words import line
from autodc.study.journal.state import State
from autodc.verbs.folder import Follower
from autodc.verbs.outputs import content_of, exhibits_of
from autodc.verbs.watch import EVERY, LiveStatus

LEAST, TIMES = 5.0, 20.0
"""Seconds between two pages, or so many times what one takes: who looks is not to slow down who trains."""


@contextmanager
def serving(folder: str | os.PathLike[str], host: str = LOOPBACK, port: int = 0) -> Iterator[str]:
    """Show the study in a folder inside the block; gives the address, which has a token.

    Raises InputError where no study is, ADC-SERVE-001 where the address cannot be listened on.
    """
    with Follower(folder) as follower:
        shown = _Shown(Path(folder), follower)
        with served(shown.content, host, port) as url:
            over = threading.Event()
            thread = threading.Thread(target=shown.follow, args=(over,), name="page", daemon=True)
            thread.start()
            try:
                yield url
            finally:
                over.set()
                thread.join()


@final
class _Shown:
    """What is served, made ready by one thread: who asks never waits for the journal."""

    def __init__(self, folder: Path, follower: Follower) -> None:
        """Read the study for the first time. Raises AutodcError as that does."""
        self._folder, self._follower = folder, follower
        frame = live.shell(follower.look().question.name).encode()
        policy = {"Content-Security-Policy": live.SHELL_POLICY}
        self._frame = {
            "/": Content(body=frame, kind="text/html", headers=policy),
            f"/{live.SCRIPT}": Content(body=live.asset(live.SCRIPT), kind="text/javascript"),
            f"/{live.STYLE}": Content(body=live.asset(live.STYLE), kind="text/css"),
        }
        self._live, self._status = LiveStatus(follower, TIMES), dict[str, Any]()
        self._page, self._version, self._of = b"", "", -1
        self._due, self._error = 0.0, ""
        self._refresh()

    def content(self, path: str) -> Content | None:
        """What a path holds."""
        if path == "/status.json":
            found = self._status
            told = {**found, "line": line(found), "page": self._version, "error": self._error}
            return Content(body=json.dumps(told).encode(), kind="application/json")
        if path == "/report":
            framed = {"Content-Security-Policy": live.PAGE_POLICY, "X-Frame-Options": "SAMEORIGIN"}
            return Content(body=self._page, kind="text/html", headers=framed)
        return self._frame.get(path)

    def follow(self, over: threading.Event) -> None:
        """Look at the journal now and then, until it is over."""
        while not over.wait(EVERY):
            try:
                self._refresh()
                self._error = ""
            except AutodcError as error:
                self._error = str(error)

    def _refresh(self) -> None:
        state, running = self._follower.look(), self._follower.is_at_work
        begun = time.monotonic()
        if (found := self._live.look(state, running)) is not None:
            self._status = {**found}
        if self._of == self._follower.position or begun < self._due:
            return
        self._draw(state)
        self._of = self._follower.position
        self._due = begun + max(LEAST, TIMES * (time.monotonic() - begun))

    def _draw(self, state: State) -> None:
        """The page as `autodc report` would write it now; the file of the run is left alone."""
        content = content_of(state, self._folder)
        self._page = render(state, content, exhibits_of(self._folder), named(self._folder)).encode()
        self._version = hashlib.sha256(self._page).hexdigest()[:16]
