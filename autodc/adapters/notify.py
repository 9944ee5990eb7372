"""Tells somebody outside what a study came to: a program that is given JSON, or an address it is posted to.

It is done in a thread and never holds up the study; what goes wrong is told and nothing more.
"""

from __future__ import annotations

import json
import queue
import shlex
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, final
from urllib.parse import urlsplit

from autodc.adapters.calling import call, is_program
from autodc.errors import SpecError
from autodc.masking import MASK, masked, masked_tree

COMMAND_SECONDS = 30.0
"""How long a program may take."""
POST_SECONDS = 10.0
"""How long an address may take to answer."""
TRIES = 3
"""How often it is posted to before it is given up; a program is called once."""
BETWEEN = 2.0
"""Seconds before the second try, twice as many before the third."""

Message = Mapping[str, Any]
Say = Callable[[str], None]


def hidden(target: str) -> str:
    """How a target is written down and shown: of an address only where it leads, for its path may be a secret."""
    if not _is_address(target):
        try:
            return shlex.join(masked_tree(shlex.split(target)))
        except ValueError:
            return masked(target)
    try:
        parts = urlsplit(target)
    except ValueError:
        return MASK
    bare = parts.path in ("", "/") and not parts.query and "@" not in parts.netloc
    return target if bare else f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{MASK}"


@final
class Notifier:
    """Sends messages to one target, one after the other, in the order they are given.

    say: told in words what went wrong, from another thread. Raises SpecError ADC-RUN-085 for what is neither an address
    of http or https nor a program that is there.
    """

    def __init__(self, target: str, say: Say) -> None:
        self._say, self._shown = say, hidden(target)
        self._send: Callable[[bytes], str] = _posting(target) if _is_address(target) else _calling(target)
        self._messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="notify", daemon=True)
        self._thread.start()

    def send(self, message: Message) -> None:
        """Send it in the background."""
        self._messages.put(message)

    def close(self, patience: float = COMMAND_SECONDS) -> None:
        """Send what is left, for so many seconds at most. Safe to call twice."""
        self._messages.put(None)
        self._thread.join(patience)

    def _work(self) -> None:
        while (message := self._messages.get()) is not None:
            problem = self._send(json.dumps(message).encode())
            if problem:
                self._say(f"--notify {self._shown}: {message['event']} could not be told: {masked(problem)}")


def _is_address(target: str) -> bool:
    return "://" in target.partition(" ")[0]


def _calling(target: str) -> Callable[[bytes], str]:
    try:
        words = shlex.split(target)
    except ValueError as error:
        raise _refused(target, f"its quotes do not match: {error}") from error
    if not words or not is_program(words[0]):
        raise _refused(target, "there is no such program")
    return lambda body: call(words, body, COMMAND_SECONDS)


def _posting(target: str) -> Callable[[bytes], str]:
    try:
        parts = urlsplit(target)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(letter.isspace() for letter in target):
        raise _refused(target, "this is no address of http or https")
    opener = urllib.request.build_opener(_NoRedirect)
    return lambda body: _post(opener, target, body)


def _post(opener: urllib.request.OpenerDirector, target: str, body: bytes) -> str:
    """Post the message; what went wrong at the last try, or nothing. What the address refuses is not tried again."""
    problem = ""
    for k in range(TRIES):
        if k:
            time.sleep(BETWEEN * k)
        headers = {"Content-Type": "application/json", "User-Agent": "autodc"}
        request = urllib.request.Request(target, body, headers, method="POST")
        try:
            with opener.open(request, timeout=POST_SECONDS):
                return ""
        except urllib.error.HTTPError as error:
            problem = f"it answers {error.code}"
            if error.code < 500:
                return problem
        except (OSError, ValueError) as error:
            problem = str(getattr(error, "reason", error))
        except Exception as error:  # http.client has errors of its own for an answer that is none
            problem = type(error).__name__
    return problem


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A message goes to the address that was given and to no other."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _refused(target: str, problem: str) -> SpecError:
    hint = "give a program with its arguments in quotes, or an address that begins with https://"
    return SpecError("ADC-RUN-085", problem, "--notify", hidden(target), hint)
