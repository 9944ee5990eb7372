"""How whatever runs on a worker is tried again."""

from __future__ import annotations

TICK = 0.5
"""Seconds after which who waits for the executor looks up even when nothing came back."""

RESTORES = 3
"""How often one training or task is begun again because stored data had to be put in place again."""

TRIED_AGAIN = frozenset({"crashed", "lost"})
"""Ends of an attempt that say nothing of what was tried: another one is made while retries are left."""
