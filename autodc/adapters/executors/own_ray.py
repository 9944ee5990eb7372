"""How a Ray of our own starts: with more patience than it has by itself, and without what nobody here needs."""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil

SPARED = ("start_api_server", "start_log_monitor", "start_monitor")
"""What a Ray of our own starts for its web page, for logs on a terminal and to scale a cluster: three processes, on the
first of which `ray.init` waits until it answers, for nothing here."""
VITAL = ("raylet", "gcs_server")
"""Without these Ray is dead; the raylet ends by itself when one of its agents does."""


@contextlib.contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Let Ray's start take longer than the 30 s it has written into it: on a busy machine it takes minutes."""
    services: Any = importlib.import_module("ray._private.services")
    look: Callable[..., Any] = services.get_node
    end = time.monotonic() + seconds

    def get_node(*args: Any, **kwargs: Any) -> Any:
        while True:
            try:
                return look(*args, **kwargs)
            except RuntimeError:
                if time.monotonic() > end or _fallen():
                    raise
                time.sleep(0.2)

    with _replaced(services, get_node=get_node):
        yield


@contextlib.contextmanager
def spared() -> Iterator[None]:
    """Let a Ray of our own start without the processes that only serve terminals and clusters that grow."""
    node: Any = importlib.import_module("ray._private.node").Node
    with _replaced(node, **{name: lambda self, **_: None for name in SPARED if hasattr(node, name)}):
        yield


@contextlib.contextmanager
def _replaced(owner: Any, **attributes: Any) -> Iterator[None]:
    """Put these in place of an object's own while it lasts."""
    before = {name: getattr(owner, name) for name in attributes}
    for name, value in attributes.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


def _fallen() -> bool:
    """Whether a vital process of Ray's has ended before it was ready."""
    with contextlib.suppress(psutil.Error):
        return any(p.name() in VITAL and p.status() == psutil.STATUS_ZOMBIE for p in psutil.Process().children())
    return False
