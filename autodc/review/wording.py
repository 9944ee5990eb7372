"""Words that need nothing but what they are about: to say them, nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.review.numbers import count

PURPOSES = {
    "removal": "the challenger with it against the same without it",
    "addition": "the incumbent with it against the incumbent",
    "whole": "the whole challenger against the incumbent",
}
"""Purpose of a comparison → its two arms."""


def where(found: Mapping[str, Any]) -> str:
    """Round and phase in words; before the first round and after the last there is no round to name.

    found: as `status` gives it.
    """
    words = found["doing"]
    if found["finished"]:
        after = f" after round {found['round']} of {found['rounds']}" if found["round"] else ""
        return f"finished: {found['stopped_because']}{after}"
    if not found["round"]:
        return f"{words}; {count(found['rounds'], 'round')} to come" if words else "begun, nothing was trained yet"
    return f"round {found['round']} of {found['rounds']}, {words}"
