"""The garbage collector stands aside while a journal is folded: nothing of a state is garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 100_000
"""So many new objects count as old at the end, as they would after the next collections had looked through them all."""


@contextmanager
def no_collection() -> Iterator[None]:
    """Collect nothing inside: to look through what is folded again and again takes a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            if gc.get_count()[0] >= MANY and not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()
