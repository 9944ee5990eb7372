"""What all tests share."""

from __future__ import annotations

import atexit
import gc
import signal
from collections.abc import Iterator

import pytest

from autodc.adapters.executors import shared_child


def pytest_collection_finish() -> None:
    """What the collection has imported, millions of objects, is no garbage: a look through it costs half a second,
    and on a busy machine those at the end took so long that execnet interrupted the worker in the midst of one."""
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard() -> None:
    """A shell starts what it puts in the background deaf to Ctrl-C, and programs stay so: tests send it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _one_child() -> Iterator[None]:
    """Inline runs of a test process train in one child: starting one takes as long as many of these tests."""
    with shared_child():
        yield
