"""What a code means."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """What a code means."""

    meaning: str
    several: bool = False
    """Whether it is raised at several places; the meaning is that of all of them."""
    retired: bool = False
    """Whether nothing raises it any more."""


def several(meaning: str) -> Code:
    """A code that is raised at several places."""
    return Code(meaning, several=True)
